/**
 * For tests of drivers: domains with memory, grants, event channels and a common store, without a hypervisor and without
 * time passing. Everything that a driver may ask for behaves as the ABI says, grants and ports are checked, and work is
 * done in the order in which it was asked for.
 */
import { GTF_reading } from '../abi/grantTable';
import type { Domid, Gref, Mfn, Pfn, Port } from '../abi/xen';
import { BlockDevices } from '../guest/block/registry';
import type { BlockDevice, GrantMapping, KernelPage, KernelServices, NetDevice } from '../guest/services';
import { VirtualClock } from '../lib/clock';
import { XenError } from '../lib/errno';

interface GrantEntry {
  domid: Domid;
  mfn: Mfn;
  readonly: boolean;
  mappings: number;
}

interface Channel {
  remote: { domain: TestDomain; port: Port } | undefined;
  forDomid: Domid;
  handler: (() => void) | undefined;
  isPending: boolean;
}

/** A store in one flat map, with watches. */
class TestStore {
  readonly nodes = new Map<string, string>();
  readonly watches = new Map<string, { path: string; fire: (changed: string) => void }>();

  write(path: string, value: string): void {
    this.nodes.set(path, value);
    this.#fire(path, false);
  }

  remove(path: string): void {
    for (const node of [...this.nodes.keys()])
      if (node === path || node.startsWith(`${path}/`)) this.nodes.delete(node);
    this.#fire(path, true);
  }

  list(path: string): string[] {
    const names = new Set<string>();
    for (const node of this.nodes.keys())
      if (node.startsWith(`${path}/`)) names.add(node.slice(path.length + 1).split('/')[0]!);
    return [...names];
  }

  #fire(path: string, removed: boolean): void {
    for (const watch of this.watches.values()) {
      if (path === watch.path || path.startsWith(`${watch.path}/`)) watch.fire(path);
      else if (removed && watch.path.startsWith(`${path}/`)) watch.fire(watch.path);
    }
  }
}

export class TestHost {
  readonly clock = new VirtualClock();
  readonly store = new TestStore();
  readonly frames: Uint8Array[] = [];
  readonly domains: TestDomain[] = [];
  readonly #work: (() => void)[] = [];

  addDomain(): TestDomain {
    const domain = new TestDomain(this, this.domains.length as Domid);
    this.domains.push(domain);
    return domain;
  }

  later(action: () => void): void {
    this.#work.push(action);
  }

  /** Runs until nothing is left to do (timers due within `ns` included). */
  settle(ns = 0): void {
    const end = this.clock.nowNs + ns;
    let rounds = 0;
    for (;;) {
      const action = this.#work.shift();
      if (action) action();
      else if (!this.clock.runNext(end)) return;
      if (++rounds > 100_000) throw new Error('the drivers never come to rest');
    }
  }
}

export class TestDomain {
  readonly services: KernelServices;
  readonly pages = new Map<number, KernelPage>();
  readonly grants = new Map<number, GrantEntry>();
  readonly channels = new Map<number, Channel>();
  readonly uevents: Record<string, string>[] = [];
  readonly log: string[] = [];
  readonly received: Uint8Array[] = [];
  readonly netDevices: NetDevice[] = [];
  readonly images = new Map<string, BlockDevice>();
  /** Mappings of other domains' pages that this one holds. */
  mapped = 0;
  chargedNs = 0;
  #nextPage = 0;
  #nextGref = 8;
  #nextPort = 1;
  #nextToken = 1;

  constructor(
    private readonly host: TestHost,
    readonly domid: Domid,
  ) {
    const home = `/local/domain/${domid}`;
    const absolute = (path: string) => (path.startsWith('/') ? path : `${home}/${path}`);
    const { store } = host;
    this.services = {
      time: {
        get nowNs() {
          return host.clock.nowNs;
        },
        at: (timeNs, action) => host.clock.at(timeNs, action),
      },
      events: {
        allocUnbound: (remote) =>
          this.#open({ remote: undefined, forDomid: remote, handler: undefined, isPending: false }),
        bindInterdomain: (remote, remotePort) => this.#bind(remote, remotePort),
        bindVirq: () => this.#open({ remote: undefined, forDomid: domid, handler: undefined, isPending: false }),
        handle: (port, handler) => this.#handle(port, handler),
        notify: (port) => this.#notify(port),
        setMasked: () => {},
        close: (port) => this.#close(port),
      },
      pages: {
        alloc: () => this.#alloc(),
        free: (page) => void this.pages.delete(page.pfn),
        at: (pfn) => this.pages.get(pfn)!,
      },
      grants: {
        grantAccess: (remote, mfn, readonly) => {
          const gref = this.#nextGref++ as Gref;
          this.grants.set(gref, { domid: remote, mfn, readonly, mappings: 0 });
          return gref;
        },
        endAccess: (gref) => {
          if ((this.grants.get(gref)?.mappings ?? 0) > 0) return false;
          return this.grants.delete(gref);
        },
        map: (remote, gref, readonly) => this.#map(remote, gref, readonly),
        unmap: (mapping) => this.#unmap(mapping),
        copyFrom: (remote, gref, offset, length) => {
          if (offset + length > 4096) throw new XenError('EINVAL', 'copy arguments cross page boundary');
          return this.#granted(remote, gref, true).slice(offset, offset + length);
        },
        copyTo: (remote, gref, offset, bytes) => {
          if (offset + bytes.length > 4096) throw new XenError('EINVAL', 'copy arguments cross page boundary');
          this.#granted(remote, gref, false).set(bytes, offset);
        },
      },
      xenbus: {
        read: (path, done) => host.later(() => done(store.nodes.get(absolute(path)))),
        list: (path, done) => host.later(() => done(store.list(absolute(path)))),
        write: (pairs, done) =>
          host.later(() => {
            for (const [path, value] of Object.entries(pairs)) store.write(absolute(path), value);
            done?.(true);
          }),
        remove: (path, done) =>
          host.later(() => {
            store.remove(absolute(path));
            done?.(true);
          }),
        watch: (path, handler) => {
          const token = `${domid}-${this.#nextToken++}`;
          const prefix = path.startsWith('/') ? '' : `${home}/`;
          const fire = (changed: string) =>
            host.later(() => store.watches.has(token) && handler(changed.slice(prefix.length)));
          store.watches.set(token, { path: absolute(path), fire });
          fire(absolute(path));
          return token;
        },
        unwatch: (token) => void store.watches.delete(token),
      },
      block: new BlockDevices(),
      net: {
        add: (device) => {
          this.netDevices.push(device);
          return (frame) => void this.received.push(frame);
        },
        remove: (name) =>
          void this.netDevices.splice(
            this.netDevices.findIndex((d) => d.name === name),
            1,
          ),
        nameOf: (device) => device.name,
      },
      images: {
        open: (path) => {
          const device = this.images.get(path);
          if (!device) throw Object.assign(new Error('No such file or directory'), { name: 'SysError' });
          return { device, close: () => {} };
        },
      },
      log: { printk: (line) => void this.log.push(line) },
      charge: (ns) => {
        this.chargedNs += ns;
      },
      defer: (action) => host.later(action),
      privcmd: undefined,
      uevent: (variables) => void this.uevents.push({ ...variables }),
    };
  }

  #alloc(): KernelPage {
    const mfn = this.host.frames.length as Mfn;
    const bytes = new Uint8Array(4096);
    this.host.frames.push(bytes);
    const pfn = this.#nextPage++ as Pfn;
    const page = { pfn, mfn, va: 0x4000_0000 + pfn * 4096, bytes };
    this.pages.set(pfn, page);
    return page;
  }

  #granted(remote: Domid, gref: number, readonly: boolean): Uint8Array {
    const entry = this.host.domains[remote]?.grants.get(gref);
    if (!entry || entry.domid !== this.domid || (entry.readonly && !readonly))
      throw new XenError('EINVAL', 'undefined error');
    return this.host.frames[entry.mfn]!;
  }

  #map(remote: Domid, gref: Gref, readonly: boolean): GrantMapping {
    const bytes = this.#granted(remote, gref, readonly);
    this.host.domains[remote]!.grants.get(gref)!.mappings++;
    this.mapped++;
    return { handle: remote * 0x10000 + gref, va: GTF_reading, bytes };
  }

  #unmap(mapping: GrantMapping): void {
    this.mapped--;
    const entry = this.host.domains[mapping.handle >>> 16]?.grants.get(mapping.handle & 0xffff);
    if (entry) entry.mappings--;
  }

  #open(channel: Channel): Port {
    const port = this.#nextPort++ as Port;
    this.channels.set(port, channel);
    return port;
  }

  #bind(remote: Domid, remotePort: Port): Port {
    const domain = this.host.domains[remote];
    const other = domain?.channels.get(remotePort);
    if (!domain || !other || other.remote || other.forDomid !== this.domid) throw new XenError('EINVAL', 'port');
    const port = this.#open({
      remote: { domain, port: remotePort },
      forDomid: remote,
      handler: undefined,
      isPending: true,
    });
    other.remote = { domain: this, port };
    return port;
  }

  #handle(port: Port, handler: () => void): void {
    const channel = this.channels.get(port)!;
    channel.handler = handler;
    if (channel.isPending) this.#deliver(channel);
  }

  #notify(port: Port): void {
    const channel = this.channels.get(port);
    if (!channel) throw new XenError('EINVAL', 'port');
    const other = channel.remote?.domain.channels.get(channel.remote.port);
    if (!other || other.isPending) return;
    other.isPending = true;
    if (other.handler) channel.remote!.domain.#deliver(other);
  }

  #deliver(channel: Channel): void {
    this.host.later(() => {
      if (!channel.isPending) return;
      channel.isPending = false;
      channel.handler?.();
    });
  }

  #close(port: Port): void {
    const channel = this.channels.get(port);
    if (!channel) throw new XenError('EINVAL', 'port');
    const other = channel.remote?.domain.channels.get(channel.remote.port);
    if (other) other.remote = undefined;
    this.channels.delete(port);
  }
}

/** A block device over an array. */
export function memoryDevice(
  name: string,
  major: number,
  minor: number,
  sectors: number,
): BlockDevice & { bytes: Uint8Array } {
  const bytes = new Uint8Array(sectors * 512);
  return {
    name,
    major,
    minor,
    sectors,
    readonly: false,
    bytes,
    read: (sector, count, done) => done(bytes.slice(sector * 512, (sector + count) * 512)),
    write: (sector, data, done) => {
      bytes.set(data, sector * 512);
      done(true);
    },
    flush: (done) => done(true),
  };
}

/** Writes the two directories of a device as xend does. */
export function writeDevice(
  host: TestHost,
  className: string,
  frontendClass: string,
  domid: number,
  devid: number,
  keys: { frontend: Record<string, string>; backend: Record<string, string> },
): { front: string; back: string } {
  const front = `/local/domain/${domid}/device/${frontendClass}/${devid}`;
  const back = `/local/domain/0/backend/${className}/${domid}/${devid}`;
  const frontend = { backend: back, 'backend-id': '0', state: '1', ...keys.frontend };
  const backend = { frontend: front, 'frontend-id': String(domid), online: '1', state: '1', ...keys.backend };
  for (const [key, value] of Object.entries(backend)) host.store.nodes.set(`${back}/${key}`, value);
  for (const [key, value] of Object.entries(frontend)) host.store.nodes.set(`${front}/${key}`, value);
  host.store.write(back, '');
  host.store.write(front, '');
  return { front, back };
}
