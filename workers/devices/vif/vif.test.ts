import { describe, expect, it } from 'vitest';
import { BackendBus } from '../../guest/backendBus';
import { FrontendBus } from '../../guest/frontendBus';
import { backendClasses, frontendClasses } from '../registry';
import { TestHost, writeDevice } from '../testHosts.testkind';
import { completeChecksum } from './checksum';

function connected(rate?: string) {
  const host = new TestHost();
  const dom0 = host.addDomain();
  const guest = host.addDomain();
  new BackendBus(dom0.services, backendClasses).start();
  const bus = new FrontendBus(guest.services, frontendClasses);
  bus.start();
  const paths = writeDevice(host, 'vif', 'vif', 1, 0, {
    frontend: { handle: '0', mac: '00:16:3e:00:00:11' },
    backend: {
      handle: '0',
      mac: '00:16:3e:00:00:11',
      script: '/etc/xen/scripts/vif-bridge',
      ...(rate ? { rate } : {}),
    },
  });
  host.settle();
  const vif = dom0.netDevices[0]!;
  const eth = guest.netDevices[0]!;
  return { host, dom0, guest, bus, paths, vif, eth };
}

const frame = (length: number, seed: number) => Uint8Array.from({ length }, (_, i) => i * seed + seed);

describe('a virtual network interface', () => {
  it('connects: eth0 with the configured MAC here, vif1.0 with fe:ff:ff:ff:ff:ff there', () => {
    const { host, dom0, paths, vif, eth, bus } = connected();
    expect(eth).toMatchObject({ name: 'eth0', mac: '00:16:3e:00:00:11', carrier: true });
    expect(vif).toMatchObject({ name: 'vif1.0', mac: 'fe:ff:ff:ff:ff:ff', kind: 'vif', carrier: true });
    expect([host.store.nodes.get(`${paths.back}/state`), host.store.nodes.get(`${paths.front}/state`)]).toEqual([
      '4',
      '4',
    ]);
    expect(dom0.uevents).toMatchObject([
      { ACTION: 'add' },
      { ACTION: 'online', vif: 'vif1.0', script: '/etc/xen/scripts/vif-bridge', XENBUS_PATH: 'backend/vif/1/0' },
    ]);
    expect(bus.isSettled).toBe(true);
  });

  it('carries frames both ways, many more than the rings hold', () => {
    const { host, dom0, guest, vif, eth } = connected();
    for (let i = 1; i <= 600; i++) {
      expect(eth.transmit(frame(60 + i, i))).toBe(true);
      expect(vif.transmit(frame(1514 - i, i))).toBe(true);
      host.settle();
    }
    expect(dom0.received).toHaveLength(600);
    expect(dom0.received[599]).toEqual(frame(660, 600));
    expect(guest.received).toHaveLength(600);
    expect(guest.received[9]).toEqual(frame(1504, 10));
  });

  it('drops when the guest has posted no more buffers, and posts more next time', () => {
    const { host, guest, vif } = connected();
    const sent = Array.from({ length: 40 }, (_, i) => vif.transmit(frame(100, i)));
    expect(sent.filter((ok) => ok)).toHaveLength(16);
    host.settle();
    expect(guest.received).toHaveLength(16);
    expect(Array.from({ length: 40 }, (_, i) => vif.transmit(frame(100, i))).filter((ok) => ok)).toHaveLength(32);
  });

  it('lets a packet larger than a page through in several slots', () => {
    const { host, guest, vif } = connected();
    expect(vif.transmit(frame(9000, 3))).toBe(true);
    host.settle();
    expect(guest.received[0]).toEqual(frame(9000, 3));
  });

  it('holds the guest to its rate', () => {
    const { host, dom0, eth } = connected('10000,50000');
    for (let i = 0; i < 30; i++) eth.transmit(frame(1000, i));
    host.settle();
    expect(dom0.received).toHaveLength(10);
    host.settle(50_000_000);
    expect(dom0.received).toHaveLength(20);
    host.settle(50_000_000);
    expect(dom0.received).toHaveLength(30);
  });

  it('goes offline and leaves nothing when it is detached', () => {
    const { host, dom0, guest, paths } = connected();
    host.store.write(`${paths.back}/online`, '0');
    host.store.write(`${paths.back}/state`, '5');
    host.settle(1e9);
    expect(dom0.uevents.map((event) => event['ACTION'])).toEqual(['add', 'online', 'offline', 'remove']);
    expect([dom0.mapped, dom0.channels.size, guest.channels.size, guest.pages.size, guest.grants.size]).toEqual([
      0, 0, 0, 0, 0,
    ]);
    expect([dom0.netDevices, guest.netDevices]).toEqual([[], []]);
  });
});

it('completes a TCP checksum that the sender left open', () => {
  const packet = new Uint8Array(54);
  const view = new DataView(packet.buffer);
  view.setUint16(12, 0x0800);
  packet.set([0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2], 14);
  packet.set([0, 80, 0, 81, 0, 0, 0, 1, 0, 0, 0, 2, 0x50, 0x10, 0x10, 0], 34);
  completeChecksum(packet);
  let sum = 6 + 20;
  for (let at = 26; at < 54; at += 2) sum += view.getUint16(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  expect(sum).toBe(0xffff);
});
