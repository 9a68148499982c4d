import { describe, expect, it } from 'vitest';
import { BackendBus } from '../../guest/backendBus';
import { FrontendBus } from '../../guest/frontendBus';
import type { BlockDevice } from '../../guest/services';
import { backendClasses, frontendClasses } from '../registry';
import { memoryDevice, TestHost, writeDevice } from '../testHosts.testkind';

function connected(mode = 'w') {
  const host = new TestHost();
  const dom0 = host.addDomain();
  const guest = host.addDomain();
  const disk = memoryDevice('loop0', 7, 0, 4096);
  dom0.services.block.add(disk);
  new BackendBus(dom0.services, backendClasses).start();
  const bus = new FrontendBus(guest.services, frontendClasses);
  bus.start();
  const paths = writeDevice(host, 'vbd', 'vbd', 1, 2049, {
    frontend: { 'virtual-device': '2049', 'device-type': 'disk' },
    backend: { type: 'file', params: '/disk.img', mode, dev: 'sda1' },
  });
  host.settle();
  const hotplug = () => {
    host.store.write(`${paths.back}/physical-device`, '7:0');
    host.store.write(`${paths.back}/hotplug-status`, 'connected');
    host.settle();
  };
  return { host, dom0, guest, disk, bus, paths, hotplug };
}

const node = (host: TestHost, path: string) => host.store.nodes.get(path);

function read(host: TestHost, device: BlockDevice, sector: number, count: number): Uint8Array | undefined {
  let answer: Uint8Array | undefined | null = null;
  device.read(sector, count, (bytes) => {
    answer = bytes;
  });
  host.settle();
  if (answer === null) throw new Error('no answer');
  return answer;
}

function write(host: TestHost, device: BlockDevice, sector: number, bytes: Uint8Array): boolean {
  let answer: boolean | undefined;
  device.write(sector, bytes, (ok) => {
    answer = ok;
  });
  host.settle();
  if (answer === undefined) throw new Error('no answer');
  return answer;
}

describe('a virtual block device', () => {
  it('waits for the hotplug script, then both ends reach Connected', () => {
    const { host, dom0, guest, bus, paths, hotplug } = connected();
    expect([node(host, `${paths.back}/state`), node(host, `${paths.front}/state`)]).toEqual(['2', '3']);
    expect(bus.isSettled).toBe(false);
    expect(dom0.uevents).toMatchObject([{ ACTION: 'add', XENBUS_PATH: 'backend/vbd/1/2049', XENBUS_TYPE: 'vbd' }]);
    hotplug();
    expect([node(host, `${paths.back}/state`), node(host, `${paths.front}/state`)]).toEqual(['4', '4']);
    expect(node(host, `${paths.back}/sectors`)).toBe('4096');
    expect(node(host, `${paths.back}/info`)).toBe('0');
    expect(bus.isSettled).toBe(true);
    expect(guest.services.block.find('sda1')).toMatchObject({ major: 8, minor: 1, sectors: 4096, readonly: false });
  });

  it('moves data of any length in both directions', () => {
    const { host, guest, disk, hotplug } = connected();
    hotplug();
    const device = guest.services.block.find('sda1')!;
    const bytes = Uint8Array.from({ length: 512 * 2000 }, (_, i) => (i * 7) >>> 3);
    expect(write(host, device, 100, bytes)).toBe(true);
    expect(Buffer.compare(disk.bytes.slice(100 * 512, 2100 * 512), bytes)).toBe(0);
    expect(Buffer.compare(read(host, device, 100, 2000)!, bytes)).toBe(0);
    expect(read(host, device, 100, 3)).toEqual(bytes.slice(0, 1536));
    expect(read(host, device, 4096, 1)).toBeUndefined();
  });

  it('comes to rest when the toolstack wants it: nothing is under way, everything is flushed, and the rest waits', () => {
    const { host, guest, disk, paths, hotplug } = connected();
    hotplug();
    const device = guest.services.block.find('sda1')!;
    const events: string[] = [];
    let answer = () => {};
    Object.assign(disk, {
      write: (sector: number, _bytes: Uint8Array, done: (ok: boolean) => void) => {
        events.push(`write ${sector}`);
        answer = () => done(true);
      },
      flush: (done: (ok: boolean) => void) => {
        events.push('flush');
        done(true);
      },
    });
    const store = (sector: number) =>
      device.write(sector, new Uint8Array(512), () => events.push(`answered ${sector}`));
    store(3);
    host.settle();
    host.store.write(`${paths.back}/pause`, '1');
    host.settle();
    store(9);
    host.settle();
    expect(node(host, `${paths.back}/pause-done`)).toBeUndefined();
    answer();
    host.settle();
    expect(events).toEqual(['write 3', 'flush', 'answered 3']);
    expect(node(host, `${paths.back}/pause-done`)).toBe('1');
    host.store.remove(`${paths.back}/pause`);
    host.settle();
    expect(events.at(-1)).toBe('write 9');
    expect(node(host, `${paths.back}/pause-done`)).toBeUndefined();
  });

  it('says so when what was written cannot be flushed', () => {
    const { host, disk, paths, hotplug } = connected();
    hotplug();
    Object.assign(disk, { flush: (done: (ok: boolean) => void) => done(false) });
    host.store.write(`${paths.back}/pause`, '1');
    host.settle();
    expect(node(host, `${paths.back}/pause-done`)).toBe('Input/output error');
  });

  it('gives back every page and grant of a finished request', () => {
    const { host, guest, hotplug } = connected();
    hotplug();
    const device = guest.services.block.find('sda1')!;
    const before = [guest.pages.size, guest.grants.size];
    write(host, device, 0, new Uint8Array(512 * 500));
    expect([guest.pages.size, guest.grants.size]).toEqual(before);
  });

  it('refuses to write in mode r and tells the guest so', () => {
    const { host, guest, disk, paths, hotplug } = connected('r');
    hotplug();
    const device = guest.services.block.find('sda1')!;
    expect(device.readonly).toBe(true);
    expect(node(host, `${paths.back}/info`)).toBe('4');
    expect(write(host, device, 0, new Uint8Array(512).fill(1))).toBe(false);
    expect(disk.bytes[0]).toBe(0);
  });

  it('closes in order on detach and leaves neither mapping nor port nor page', () => {
    const { host, dom0, guest, paths, hotplug } = connected();
    hotplug();
    host.store.write(`${paths.back}/online`, '0');
    host.store.write(`${paths.back}/state`, '5');
    host.settle(1e9);
    expect([node(host, `${paths.back}/state`), node(host, `${paths.front}/state`)]).toEqual(['6', '6']);
    expect(dom0.uevents.map((event) => event['ACTION'])).toEqual(['add', 'remove']);
    expect([dom0.mapped, dom0.channels.size, guest.channels.size, guest.pages.size, guest.grants.size]).toEqual([
      0, 0, 0, 0, 0,
    ]);
    expect(guest.services.block.find('sda1')).toBeUndefined();
  });

  it('lets go of everything when the guest dies', () => {
    const { host, dom0, paths, hotplug } = connected();
    hotplug();
    host.store.remove('/local/domain/1');
    host.settle();
    expect([dom0.mapped, dom0.channels.size]).toEqual([0, 0]);
    expect(dom0.uevents.at(-1)).toMatchObject({ ACTION: 'remove', XENBUS_PATH: 'backend/vbd/1/2049' });
    expect(dom0.services.block.usersOf('loop0')).toEqual([]);
    // The cleanup script removes the directory; nothing is attached again meanwhile.
    host.store.write(`${paths.back}/hotplug-status`, 'x');
    host.settle();
    expect(dom0.uevents).toHaveLength(2);
  });

  it('counts as a user of the device while it is attached', () => {
    const { dom0, hotplug } = connected();
    hotplug();
    expect(dom0.services.block.usersOf('loop0')).toEqual(['backend/vbd/1/2049']);
  });

  it('charges file: more than phy:', () => {
    const { host, dom0, guest, hotplug } = connected();
    hotplug();
    const device = guest.services.block.find('sda1')!;
    const before = dom0.chargedNs;
    read(host, device, 0, 88);
    expect(dom0.chargedNs - before).toBe(6_000 + 9_000 + 11 * (700 + 1_100));
  });
});

describe('tap:aio:', () => {
  const start = (hasImage: boolean) => {
    const host = new TestHost();
    const dom0 = host.addDomain();
    const guest = host.addDomain();
    if (hasImage) dom0.images.set('/d.img', memoryDevice('d.img', 0, 0, 64));
    new BackendBus(dom0.services, backendClasses).start();
    new FrontendBus(guest.services, frontendClasses).start();
    const paths = writeDevice(host, 'tap', 'vbd', 1, 51712, {
      frontend: { 'virtual-device': '51712', 'device-type': 'disk' },
      backend: { type: 'tap', params: 'aio:/d.img', mode: 'w', dev: 'xvda' },
    });
    host.settle();
    return { host, guest, paths };
  };

  it('opens the file itself and connects', () => {
    const { host, guest, paths } = start(true);
    expect(node(host, `${paths.back}/hotplug-status`)).toBe('connected');
    expect(guest.services.block.find('xvda')?.sectors).toBe(64);
  });

  it('reports a file that does not exist as a hotplug error', () => {
    const { host, guest, paths } = start(false);
    expect(node(host, `${paths.back}/hotplug-status`)).toBe('error');
    expect(node(host, `${paths.back}/hotplug-error`)).toBe('/d.img does not exist.');
    expect(guest.services.block.find('xvda')).toBeUndefined();
  });
});
