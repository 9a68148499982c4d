/**
 * For tests of the toolstack: a Domain-0 made of plain values, above a stand-in for the hypervisor that reads and writes
 * the real structures byte by byte, and a store that is a map. Hotplug scripts are a function.
 */
import { hypercall } from '../abi/xen';
import type { SplitDevice } from '../devices/device';
import type { HypercallBuffer, Privcmd } from '../guest/services';
import { VirtualClock } from '../lib/clock';
import { XenError } from '../lib/errno';
import { seeded } from '../lib/random';
import type { XenstoreClient, XenstoreWriter } from '../xenstore/client';
import { ConnectError, type XendEnvironment } from './environment';
import { Xend } from './xend';

const PAGE = 4096;

interface FakeDomain {
  handle: Uint8Array;
  flags: number;
  maxPages: number;
  vcpus: number;
  weight: number;
  cap: number;
  ports: number;
  readonly frames: number[];
  readonly affinity: Map<number, bigint>;
  context: Uint8Array | undefined;
}

const PAUSED = 8;
const SHUTDOWN = 4;

/** Domains, their frames and nothing that runs. */
export class FakeXen {
  readonly domains = new Map<number, FakeDomain>();
  readonly memory = new Map<number, Uint8Array>();
  freePages: number;
  readonly calls: string[] = [];
  #nextDomid = 1;
  #nextMfn = 0x1000;
  readonly #buffers = new Map<number, Uint8Array>();
  #nextVa = 0x10_0000;

  constructor(
    readonly totalPages = 131_072,
    dom0Pages = 100_000,
  ) {
    this.freePages = totalPages - dom0Pages;
    this.domains.set(0, newDomain());
    this.domains.get(0)!.frames.length = dom0Pages;
    this.domains.get(0)!.vcpus = 2;
    this.domains.get(0)!.flags = 32;
  }

  readonly privcmd: Privcmd = {
    hypercall: (op, ...args) => this.#hypercall(op, args),
    alloc: (size) => this.#alloc(size),
    mapForeign: (domid, mfns) => {
      const frames = this.#domain(domid).frames;
      for (const mfn of mfns) if (!frames.includes(mfn)) throw new XenError('EINVAL', `frame ${mfn}`);
      const page = (index: number) => this.page(mfns[index]!);
      return { page, peek: page, unmap: () => {} };
    },
  };

  page(mfn: number): Uint8Array {
    const page = this.memory.get(mfn) ?? new Uint8Array(PAGE);
    this.memory.set(mfn, page);
    return page;
  }

  /** The guest stops by itself. */
  guestShutdown(domid: number, reason: number): void {
    this.#domain(domid).flags |= SHUTDOWN | (reason << 16);
  }

  #domain(domid: number): FakeDomain {
    const domain = this.domains.get(domid);
    if (!domain) throw new XenError('ESRCH');
    return domain;
  }

  #alloc(size: number): HypercallBuffer {
    const va = this.#nextVa;
    this.#nextVa += Math.max(PAGE, size + PAGE);
    const bytes = new Uint8Array(size);
    this.#buffers.set(va, bytes);
    return wrap(va, bytes, () => this.#buffers.delete(va));
  }

  #at(va: number): HypercallBuffer {
    const bytes = this.#buffers.get(va);
    if (!bytes) throw new XenError('EFAULT', `0x${va.toString(16)}`);
    return wrap(va, bytes, () => {});
  }

  get openBuffers(): number {
    return this.#buffers.size;
  }

  #hypercall(op: number, args: readonly number[]): number {
    if (op === hypercall.domctl) return this.#domctl(this.#at(args[0]!));
    if (op === hypercall.sysctl) return this.#sysctl(this.#at(args[0]!));
    if (op === hypercall.memory_op) return this.#memoryOp(args[0]!, this.#at(args[1]!));
    if (op === hypercall.event_channel_op) {
      const arg = this.#at(args[1]!);
      arg.u32(4, ++this.#domain(arg.u16(0)).ports);
      return 0;
    }
    if (op === hypercall.xen_version) return this.#version(args[0]!, args[1]!);
    throw new XenError('ENOSYS');
  }

  #domctl(op: HypercallBuffer): number {
    if (op.u32(4) !== 5) throw new XenError('EACCES');
    const command = op.u32(0);
    const domid = op.u16(8);
    this.calls.push(`domctl ${command} d${domid}`);
    if (command === 1) {
      const created = this.#nextDomid++;
      this.domains.set(created, { ...newDomain(), handle: op.read(20, 16).slice(), flags: PAUSED });
      op.u16(8, created);
      return 0;
    }
    const domain = this.#domain(domid);
    switch (command) {
      case 2:
        this.freePages += domain.frames.length;
        this.domains.delete(domid);
        return 0;
      case 3:
        domain.flags |= PAUSED;
        return 0;
      case 4:
        domain.flags &= ~PAUSED;
        return 0;
      case 5:
        this.#info(domid, domain, op, 16);
        return 0;
      case 9:
        if (this.#at(Number(op.u64(24))).u64(0) === 0n) throw new XenError('EINVAL');
        domain.affinity.set(op.u32(16), this.#at(Number(op.u64(24))).u64(0));
        return 0;
      case 11:
        domain.maxPages = Number(op.u64(16)) / 4;
        return 0;
      case 12:
        domain.context = this.#at(Number(op.u64(24)))
          .read(0, 2800)
          .slice();
        return 0;
      case 14:
        if (op.u32(16) >= domain.vcpus) throw new XenError('ESRCH');
        op.u8(20, 1);
        return 0;
      case 15:
        domain.vcpus = op.u32(16);
        return 0;
      case 16:
        if (op.u32(20) === 1) {
          op.u16(24, domain.weight);
          op.u16(26, domain.cap);
        } else {
          domain.weight = op.u16(24);
          domain.cap = op.u16(26);
        }
        return 0;
      case 17:
        domain.handle = op.read(16, 16).slice();
        return 0;
      case 22:
        this.page(Number(op.u64(16)))[0] = 0xb8;
        return 0;
      case 25:
        this.#at(Number(op.u64(24))).u64(0, domain.affinity.get(op.u32(16)) ?? 0xffn);
        return 0;
      case 35:
        return 0;
      default:
        throw new XenError('ENOSYS', `domctl ${command}`);
    }
  }

  #info(domid: number, domain: FakeDomain, into: HypercallBuffer, at: number): void {
    into.u16(at, domid);
    into.u32(at + 4, domain.flags);
    into.u64(at + 8, BigInt(domain.frames.length));
    into.u64(at + 16, BigInt(domain.maxPages));
    into.u64(at + 24, 77n);
    into.u64(at + 32, 1_500_000_000n);
    into.u32(at + 40, domain.vcpus);
    into.u32(at + 44, domain.vcpus - 1);
    into.write(at + 52, domain.handle);
  }

  #sysctl(op: HypercallBuffer): number {
    if (op.u32(4) !== 6) throw new XenError('EACCES');
    switch (op.u32(0)) {
      case 3:
        op.u32(8, 1);
        op.u32(12, 2);
        op.u32(16, 2);
        op.u32(20, 1);
        op.u32(24, 2_000_000);
        op.u64(32, BigInt(this.totalPages));
        op.u64(40, BigInt(this.freePages));
        return 0;
      case 4:
        op.u32(8, 5);
        return 0;
      case 6: {
        const list = this.#at(Number(op.u64(16)));
        const domids = [...this.domains.keys()].filter((domid) => domid >= op.u16(8)).sort((a, b) => a - b);
        domids.forEach((domid, i) => {
          this.#info(domid, this.#domain(domid), list, i * 72);
        });
        op.u32(24, domids.length);
        return 0;
      }
      default:
        throw new XenError('ENOSYS');
    }
  }

  #memoryOp(command: number, op: HypercallBuffer): number {
    if (command === 13) return 0;
    const domain = this.#domain(op.u16(16));
    const list = this.#at(op.u32(0));
    const count = op.u32(4);
    for (let i = 0; i < count; i++) {
      if (this.freePages === 0 || domain.frames.length >= domain.maxPages) return i;
      this.freePages--;
      const mfn = this.#nextMfn++;
      domain.frames.push(mfn);
      list.u32(i * 4, mfn);
    }
    return count;
  }

  #version(command: number, va: number): number {
    if (command === 0) return 0x0003_0004;
    if (command === 7) return PAGE;
    const texts: Readonly<Record<number, string>> = { 1: '.0', 3: 'xen-3.0-x86_32p ', 4: 'unavailable' };
    if (texts[command]) this.#at(va).write(0, new TextEncoder().encode(texts[command]));
    return 0;
  }
}

function newDomain(): FakeDomain {
  return {
    handle: new Uint8Array(16),
    flags: 0,
    maxPages: 0,
    vcpus: 1,
    weight: 256,
    cap: 0,
    ports: 0,
    frames: [],
    affinity: new Map(),
    context: undefined,
  };
}

function wrap(va: number, bytes: Uint8Array, free: () => void): HypercallBuffer {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    va,
    size: bytes.length,
    write: (offset, data) => bytes.set(data, offset),
    read: (offset, length) => bytes.subarray(offset, offset + length),
    u8: (at, value) => {
      if (value !== undefined) view.setUint8(at, value);
      return view.getUint8(at);
    },
    u16: (at, value) => {
      if (value !== undefined) view.setUint16(at, value, true);
      return view.getUint16(at, true);
    },
    u32: (at, value) => {
      if (value !== undefined) view.setUint32(at, value, true);
      return view.getUint32(at, true);
    },
    u64: (at, value) => {
      if (value !== undefined) view.setBigUint64(at, value, true);
      return view.getBigUint64(at, true);
    },
    writeWords: (values) => {
      for (const [i, value] of values.entries()) view.setUint32(4 * i, value, true);
    },
    readWords: (count) => Array.from({ length: count }, (_, i) => view.getUint32(4 * i, true)),
    free,
  };
}

/** A store without permissions to check, with watches that fire in a later event of the clock. */
export class FakeStore implements XenstoreClient {
  readonly nodes = new Map<string, string>();
  readonly permissions = new Map<string, readonly string[]>();
  readonly introduced: { domid: number; mfn: number; port: number }[] = [];
  readonly #watches = new Set<{ path: string; handler: (path: string) => void }>();

  constructor(readonly clock: VirtualClock) {}

  read(path: string): string | undefined {
    return this.nodes.get(path);
  }
  list(path: string): readonly string[] | undefined {
    const names = new Set<string>();
    for (const key of this.nodes.keys())
      if (key.startsWith(`${path}/`)) names.add(key.slice(path.length + 1).split('/')[0]!);
    return names.size > 0 || this.nodes.has(path) ? [...names] : undefined;
  }
  getPermissions(path: string): readonly string[] | undefined {
    return this.permissions.get(path);
  }
  write(path: string, value: string): void {
    this.nodes.set(path, value);
    this.#fire(path);
  }
  mkdir(path: string): void {
    if (!this.nodes.has(path)) this.write(path, '');
  }
  remove(path: string): void {
    for (const key of Array.from(this.nodes.keys()))
      if (key === path || key.startsWith(`${path}/`)) this.nodes.delete(key);
    this.#fire(path, true);
  }
  setPermissions(path: string, permissions: readonly string[]): void {
    this.permissions.set(path, permissions);
  }
  transaction<T>(body: (store: XenstoreWriter) => T): T {
    return body(this);
  }
  watch(path: string, handler: (path: string) => void): () => void {
    const watch = { path, handler };
    this.#watches.add(watch);
    this.clock.at(this.clock.nowNs, () => handler(path));
    return () => this.#watches.delete(watch);
  }
  introduce(domid: number, mfn: number, port: number): void {
    this.introduced.push({ domid, mfn, port });
    this.#fire('@introduceDomain');
  }
  release(): void {
    this.#fire('@releaseDomain');
  }
  resume(): void {}
  isIntroduced(domid: number): boolean {
    return this.introduced.some((each) => each.domid === domid);
  }
  domainPath(domid: number): string {
    return `/local/domain/${domid}`;
  }
  close(): void {}

  #fire(path: string, isRemoval = false): void {
    for (const watch of this.#watches)
      if (path === watch.path || path.startsWith(`${watch.path}/`) || (isRemoval && watch.path.startsWith(`${path}/`)))
        this.clock.at(this.clock.nowNs, () => watch.handler(path));
  }
}

export interface FakeHostOptions {
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  readonly devices?: readonly SplitDevice<unknown>[];
  /** What the hotplug script says about a backend directory; undefined: nothing ever. */
  readonly hotplug?: (backend: string, store: FakeStore) => void;
  readonly totalPages?: number;
  readonly dom0Pages?: number;
}

/** A host with a xend that is not started yet. */
export function fakeHost(options: FakeHostOptions = {}) {
  const clock = new VirtualClock();
  const xen = new FakeXen(options.totalPages, options.dom0Pages);
  const store = new FakeStore(clock);
  const files = new Map<string, string | Uint8Array>(Object.entries(options.files ?? {}));
  const bytes = (data: string | Uint8Array) => (typeof data === 'string' ? new TextEncoder().encode(data) : data);
  const text = (path: string) => {
    const data = files.get(path);
    return data === undefined ? '' : typeof data === 'string' ? data : new TextDecoder().decode(data);
  };
  const scripts: string[] = [];
  const bugs: unknown[] = [];
  const environment: XendEnvironment = {
    privcmd: xen.privcmd,
    store,
    random: seeded(1),
    devices: options.devices ?? [],
    files: {
      read: (path) => (files.has(path) ? bytes(files.get(path)!) : undefined),
      write: (path, data) => void files.set(path, data),
      append: (path, data) => void files.set(path, text(path) + data),
      exists: (path) => files.has(path),
      isExecutable: (path) => files.has(path),
      deviceNumber: () => undefined,
      size: (path) => (files.has(path) ? bytes(files.get(path)!).length : undefined),
      rename: (from, to) => {
        files.set(to, files.get(from)!);
        files.delete(from);
      },
      remove: (path) => void files.delete(path),
      realPath: (path) => path,
      list: (path) => {
        const below = [...files.keys()].filter((each) => each.startsWith(`${path}/`));
        return below.length > 0
          ? [...new Set(below.map((each) => each.slice(path.length + 1).split('/')[0]!))]
          : undefined;
      },
      kindOf: (path) => (files.has(path) ? 'file' : undefined),
    },
    openFile: (path, mode) => {
      if (mode === 'write') files.set(path, new Uint8Array(0));
      let offset = 0;
      return {
        write: (more) => void files.set(path, Uint8Array.from([...bytes(files.get(path)!), ...more])),
        read: (length) => {
          const part = bytes(files.get(path)!).slice(offset, offset + length);
          offset += part.length;
          return part;
        },
        close: () => {},
      };
    },
    network: {
      connect: () => Promise.reject(new ConnectError('Network is unreachable')),
      listen: () => () => {},
      resolve: () => undefined,
      isPoweredOn: () => false,
    },
    volumeServer: () => undefined,
    uname: () => ({ nodename: 'lab', release: '2.6.18-xen', version: '#1 SMP', machine: 'i686' }),
    runScript: async (path, args) => {
      scripts.push([path, ...args].join(' '));
      return 0;
    },
    after: (ms, action) => clock.at(clock.nowNs + ms * 1e6, action),
    nowUnix: () => 1_225_540_800 + clock.nowNs / 1e9,
    wake: () => {},
    pid: 3021,
  };
  if (options.hotplug)
    store.watch('/local/domain/0/backend', (path) => {
      const match = /^(\/local\/domain\/0\/backend\/[a-z]+\/\d+\/\d+)\/state$/.exec(path);
      if (match) options.hotplug!(match[1]!, store);
    });
  const xend = new Xend(environment, (error) => bugs.push(error));
  /** Lets promises and events take turns until the operation is done. */
  const finish = async <T>(operation: Promise<T>): Promise<T> => {
    let isDone = false;
    const settled = operation.then(
      (value) => {
        isDone = true;
        return { value };
      },
      (error: unknown) => {
        isDone = true;
        return { error };
      },
    );
    for (let i = 0; i < 100_000 && !isDone; i++) {
      for (let k = 0; k < 20; k++) await Promise.resolve();
      if (!isDone && !clock.runNext()) break;
    }
    if (!isDone) throw new Error('the operation waits for something that never comes');
    const result = await settled;
    if ('error' in result) throw result.error;
    return result.value;
  };
  /** Lets that much virtual time pass. */
  const pass = async (ms: number): Promise<void> => {
    const end = clock.nowNs + ms * 1e6;
    for (;;) {
      for (let k = 0; k < 20; k++) await Promise.resolve();
      if (!clock.runNext(end)) break;
    }
    clock.skipTo(end);
  };
  return { clock, xen, store, files, text, scripts, bugs, environment, xend, finish, pass };
}
