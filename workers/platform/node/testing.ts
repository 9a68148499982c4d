/** A booted host in this process, for tests and measurements. */

import type { HeadlessHost } from './headless/headlessHost';
import { HeadlessLab } from './headless/headlessLab';
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
export async function bootedHost(options: Partial<CreateOptions> = {}): Promise<BootedHost> {
  const bugs: unknown[] = [];
  const lab = new HeadlessLab((error) => bugs.push(error));
  const host = await lab.create('host1', { ...DEFAULT_OPTIONS, ...options });
  await host.ready();
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
