/** A booted host in this process, for tests and measurements. */

import type { HeadlessHost } from './headless/headlessHost';
import { HeadlessLab, type LabAssets } from './headless/headlessLab';
import { type CreateOptions, DEFAULT_OPTIONS } from './headless/protocol';

export interface BootedHost {
  readonly lab: HeadlessLab;
  readonly host: HeadlessHost;
  /** Runs a command line; `output` is both streams as they came. */
  exec(command: string, timeoutMs?: number): Promise<{ readonly status: number; readonly output: string }>;
  /** Virtual time passes. */
  advance(ms: number): Promise<number>;
  /** Broken invariants of ours so far; a test ends with none. */
  readonly bugs: readonly unknown[];
  close(): void;
}

/** host1 at its prompt. */
export async function bootedHost(options: Partial<CreateOptions> = {}, assets?: LabAssets): Promise<BootedHost> {
  const bugs: unknown[] = [];
  const lab = new HeadlessLab((error) => bugs.push(error), assets);
  const host = await lab.create('host1', { ...DEFAULT_OPTIONS, ...options });
  await host.ready();
  return atPrompt(lab, host, bugs);
}

/** A further host on the same network, at its prompt. */
export async function secondHost(
  first: BootedHost,
  name: string,
  options: Partial<CreateOptions> = {},
): Promise<BootedHost> {
  const host = await first.lab.create(name, { ...DEFAULT_OPTIONS, ...options });
  await host.ready();
  return atPrompt(first.lab, host, first.bugs);
}

/** The host of that name, switched on again if it is off. */
export async function rebooted(first: BootedHost, name: string): Promise<BootedHost> {
  if (first.lab.host(name).isOff) await first.lab.boot(name);
  const host = first.lab.host(name);
  await host.ready();
  return atPrompt(first.lab, host, first.bugs);
}

function atPrompt(lab: HeadlessLab, host: HeadlessHost, bugs: readonly unknown[]): BootedHost {
  return {
    lab,
    host,
    async exec(command, timeoutMs = 60_000) {
      const decoder = new TextDecoder();
      let output = '';
      const add = (bytes: Uint8Array) => {
        output += decoder.decode(bytes, { stream: true });
      };
      const status = await host.run(command, timeoutMs, { stdout: add, stderr: add });
      return { status, output };
    },
    advance: (ms) => lab.advance(ms),
    bugs,
    close: () => lab.dispose(),
  };
}

/**
 * What a domain leaves behind when it is not taken away properly: store entries, memory, event channels, interfaces, loop
 * devices. Two of these are equal when nothing was.
 */
export async function traces(booted: BootedHost): Promise<unknown> {
  const lines = async (command: string) =>
    (await booted.exec(command)).output.split('\n').filter((line) => line !== '');
  const hypervisor = booted.host.host.hypervisor!;
  const dom0 = hypervisor.domains()[0]!;
  const ports = Array.from({ length: dom0.evtchns.size }, (_, port) => dom0.evtchns.at(port));
  return {
    domains: hypervisor.domains().map(({ domid }) => domid),
    list: (await lines('xm list')).map((line) => line.split(/\s+/)[0]),
    store: await lines('xenstore-list /local/domain; xenstore-list /vm; xenstore-ls /local/domain/0/backend'),
    // Domain-0 may have given some of its own to make room.
    pages: hypervisor.memory.freePages + hypervisor.memory.scrubPages + dom0.totPages,
    xenheapPages: hypervisor.memory.xenheapFreePages,
    ports: ports.filter(({ state }) => state === 'interdomain' || state === 'unbound').length,
    mappings: [...dom0.grants.tracks()].length,
    interfaces: (await lines('ls /sys/class/net')).sort(),
    loops: await lines('losetup -a'),
  };
}

/** Repeats a command until its output is as expected, for so long of virtual time; throws when it never is. */
export async function eventually(
  booted: BootedHost,
  command: string,
  expected: RegExp,
  limitMs = 10_000,
): Promise<void> {
  const endMs = booted.lab.nowMs + limitMs;
  for (;;) {
    const { output } = await booted.exec(command);
    if (expected.test(output)) return;
    if (booted.lab.nowMs >= endMs) throw new Error(`${command} does not show ${expected}, but\n${output}`);
    await booted.advance(50);
  }
}
