import { describe, expect, it } from 'vitest';
import { ByteRing } from '../abi/io/byteRing';
import { CONSOLE_OUT } from '../abi/io/console';
import { XsRing } from '../abi/io/xsRing';
import {
  encode,
  latin1,
  latin1Bytes,
  XS_DIRECTORY,
  XS_READ,
  XS_WATCH,
  XS_WATCH_EVENT,
  XsMessageReader,
} from '../abi/io/xsWire';
import { SHUTDOWN_crash } from '../abi/xen';
import { BlockDevices } from './block/registry';
import { FakeCpu, type FakeOptions } from './fakeCpu.testkind';
import type { CoreSetup, KernelCore, RootSource } from './kernelCore';
import { isMiniKernel } from './kernelImage';
import type { NetDeviceRegistry } from './services';
import { startMiniKernel } from './startup';

/** A core without processes that notes what it is told. */
class NotingCore implements KernelCore {
  readonly block = new BlockDevices();
  readonly net: NetDeviceRegistry = { add: () => () => {}, remove: () => {}, nameOf: (device) => device.name };
  readonly log: string[] = [];
  readonly asked: string[] = [];
  root: RootSource | undefined;
  hasInit = false;
  /** cpu time that its one process still wants on each vcpu. */
  readonly workNs = Array<number>(32).fill(0);

  constructor(readonly setup: CoreSetup) {}
  runVcpu(vcpu: number, budgetNs: number) {
    const usedNs = Math.min(this.workNs[vcpu]!, budgetNs);
    this.workNs[vcpu]! -= usedNs;
    return { usedNs, idle: this.workNs[vcpu] === 0 };
  }
  consoleInput(bytes: Uint8Array) {
    this.asked.push(`typed ${new TextDecoder().decode(bytes)}`);
  }
  consoleWritable() {}
  printk(line: string) {
    this.log.push(line);
    this.setup.machine.consoleWrite(new TextEncoder().encode(`${line}\r\n`));
  }
  mountRoot(root: RootSource, done: (failure?: string) => void) {
    this.root = root;
    done();
  }
  startInit() {
    this.hasInit = true;
  }
  timerInterrupt() {}
  vcpusChanged() {}
  shutdownRequested(how: string) {
    this.asked.push(how);
  }
  sysrq(key: string) {
    this.asked.push(`sysrq ${key}`);
  }
  programPages() {
    return [];
  }
  serialize() {
    return {};
  }
  uevent() {}
}

function boot(options: FakeOptions = {}) {
  const cpu = new FakeCpu(options);
  expect(isMiniKernel(cpu, cpu.entry)).toBe(true);
  const kernel = startMiniKernel(cpu, cpu.entry, {
    createKernel: (setup) => new NotingCore(setup),
    frontends: [],
    backends: [],
    seed: 1,
  });
  return { cpu, kernel, core: kernel.kernel };
}

/** Answers what is in the ring from a flat map, as the daemon would. */
function serveStore(cpu: FakeCpu, nodes: Map<string, string>) {
  const reader = new XsMessageReader();
  const requests = new XsRing(cpu.storePage, 'req');
  const replies = new XsRing(cpu.storePage, 'rsp');
  const watches: [string, string][] = [];
  const queue: Uint8Array[] = [];
  const event = (path: string, token: string) =>
    queue.push(encode({ type: XS_WATCH_EVENT, reqId: 0, txId: 0, payload: latin1Bytes(`${path}\0${token}\0`) }));
  return {
    change(path: string, value: string) {
      nodes.set(path, value);
      for (const [watched, token] of watches)
        if (path === watched || path.startsWith(`${watched}/`)) event(path, token);
    },
    step(): boolean {
      reader.push(requests.read());
      for (let message = reader.next(); message; message = reader.next()) {
        const [path = '', value = ''] = latin1(message.payload).split('\0');
        const reply = (type: number, text: string) =>
          queue.push(encode({ ...message!, type, payload: latin1Bytes(text) }));
        if (message.type === XS_WATCH) {
          watches.push([path, value]);
          reply(XS_WATCH, 'OK\0');
          event(path, value);
        } else if (message.type === XS_READ) {
          const value = nodes.get(path);
          reply(value === undefined ? 16 : XS_READ, value ?? 'ENOENT\0');
        } else if (message.type === XS_DIRECTORY) reply(16, 'ENOENT\0');
        else {
          nodes.set(path, value);
          reply(message.type, 'OK\0');
        }
      }
      let moved = false;
      while (queue.length > 0) {
        const taken = replies.write(queue[0]!);
        moved ||= taken > 0;
        if (taken < queue[0]!.length) {
          queue[0] = queue[0]!.subarray(taken);
          break;
        }
        queue.shift();
      }
      if (moved) cpu.raise(cpu.storePort);
      return moved;
    },
  };
}

describe('the mini kernel on Xen', () => {
  it('boots without disk and ramdisk into the built-in root', () => {
    const { core, cpu } = boot({ commandLine: 'init=/bin/sh', pages: 600 });
    expect(core.root).toEqual({ kind: 'builtin' });
    expect(core.hasInit).toBe(true);
    const shown = new TextDecoder().decode(new ByteRing(cpu.consolePage, CONSOLE_OUT).read());
    expect(shown).toContain('Linux version 2.6.18-xenU');
    expect(shown).toContain('Kernel command line: init=/bin/sh\r\n');
    expect(core.log).toContain('Brought up 1 CPUs');
  });

  it('hands over its ramdisk, byte for byte', () => {
    const bytes = Uint8Array.from({ length: 9000 }, (_, i) => i * 13);
    const { core } = boot({ ramdisk: bytes, commandLine: 'root=/dev/ram0' });
    expect(core.root).toEqual({ kind: 'ramdisk', bytes });
  });

  it('panics when the root device does not come', () => {
    const { core, cpu, kernel } = boot({ commandLine: 'root=/dev/sda1 ro' });
    const store = serveStore(cpu, new Map());
    for (let i = 0; i < 50 && cpu.shutdownReason === undefined; i++) {
      do cpu.nowNs += kernel.run(0, 1_000_000);
      while (store.step());
      cpu.nowNs += 10_000_000;
      cpu.raise(cpu.virqTimerPort);
    }
    expect(cpu.shutdownReason).toBe(SHUTDOWN_crash);
    expect(core.log).toContain('VFS: Cannot open root device "sda1" or unknown-block(0,0)');
    expect(core.log.at(-1)).toBe('Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)');
  });

  it('blocks when idle with the timer set to the next deadline, and wakes for it', () => {
    const { cpu, kernel } = boot();
    const store = serveStore(cpu, new Map());
    do cpu.nowNs += kernel.run(0, 1e9);
    while (store.step());
    let rang = 0;
    kernel.services.time.at(kernel.services.time.nowNs + 50_000_000, () => rang++);
    cpu.nowNs += kernel.run(0, 1e9);
    expect(cpu.isBlocked).toBe(true);
    expect(cpu.timerNs).toBeGreaterThan(cpu.nowNs + 49_000_000);
    cpu.nowNs = cpu.timerNs;
    cpu.raise(cpu.virqTimerPort);
    expect(cpu.isBlocked).toBe(false);
    kernel.run(0, 1e9);
    expect(rang).toBe(1);
  });

  it('runs its processes on every vcpu for no longer than the budget', () => {
    const { cpu, kernel, core } = boot({ vcpus: 3 });
    kernel.run(0, 1e9);
    expect([...cpu.online]).toEqual([0, 1, 2]);
    core.workNs[2] = 5_000_000;
    core.setup.machine.kick(2);
    expect(kernel.run(2, 2_000_000)).toBe(2_000_000);
    expect(kernel.run(2, 10_000_000)).toBeLessThan(3_100_000);
    expect(core.workNs[2]).toBe(0);
  });

  it('acknowledges control/shutdown, then shuts down in order; follows sysrq and cpu availability', () => {
    const { cpu, kernel, core } = boot({ vcpus: 2 });
    const nodes = new Map<string, string>();
    const store = serveStore(cpu, nodes);
    const settle = () => {
      do cpu.nowNs += kernel.run(0, 1e9);
      while (store.step());
    };
    settle();
    store.change('control/shutdown', 'reboot');
    store.change('control/sysrq', 'h');
    store.change('cpu/1/availability', 'offline');
    store.step();
    settle();
    expect(core.asked).toEqual(['reboot', 'sysrq h']);
    expect(nodes.get('control/shutdown')).toBe('');
    expect([...cpu.online]).toEqual([0]);
    store.change('control/shutdown', 'dance');
    store.step();
    settle();
    expect(core.log.at(-1)).toBe('Ignoring shutdown request: dance');
  });

  it('balloons to memory/target, down and up again', () => {
    const { cpu, kernel } = boot({ pages: 1024, maxPages: 2048 });
    const store = serveStore(cpu, new Map());
    const settle = () => {
      do cpu.nowNs += kernel.run(0, 1e9);
      while (store.step());
    };
    settle();
    const populated = () => cpu.p2m.filter((mfn) => mfn !== undefined).length;
    for (const pages of [600, 1500, 1024]) {
      store.change('memory/target', String(pages * 4));
      store.step();
      for (let i = 0; i < 10; i++) settle();
      expect(populated()).toBe(pages);
    }
  });
});
