/**
 * Throughput of the block and the network ring, in bytes per second of real time: both drivers of a device with real
 * ring pages, grants and events between two domains, over a disk in memory.
 */

import { backendClasses, frontendClasses } from '../../workers/devices/registry';
import { memoryDevice, TestHost, writeDevice } from '../../workers/devices/testHosts.testkind';
import { BackendBus } from '../../workers/guest/backendBus';
import { FrontendBus } from '../../workers/guest/frontendBus';

export interface Measurement {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
}

const BLOCK_SECTORS = 2048;
const FRAME_BYTES = 1514;
const MEASURE_MS = 500;

/** Bytes per second that `round` moves; it is repeated for half a second after one round to warm up. */
function throughput(round: () => number): number {
  round();
  const start = performance.now();
  let bytes = 0;
  let elapsed = 0;
  do {
    bytes += round();
    elapsed = performance.now() - start;
  } while (elapsed < MEASURE_MS);
  return Math.round((bytes * 1000) / elapsed);
}

function connectedHost() {
  const host = new TestHost();
  const dom0 = host.addDomain();
  const guest = host.addDomain();
  dom0.services.block.add(memoryDevice('hda1', 3, 1, BLOCK_SECTORS * 2));
  new BackendBus(dom0.services, backendClasses).start();
  new FrontendBus(guest.services, frontendClasses).start();
  writeDevice(host, 'vbd', 'vbd', 1, 2049, {
    frontend: { 'virtual-device': '2049' },
    backend: { mode: 'w', 'physical-device': '3:1' },
  });
  writeDevice(host, 'vif', 'vif', 1, 0, {
    frontend: { handle: '0', mac: '00:16:3e:00:00:01' },
    backend: { handle: '0' },
  });
  host.settle();
  return { host, dom0, guest };
}

export function measureRings(): Measurement[] {
  const { host, dom0, guest } = connectedHost();
  const disk = guest.services.block.find('sda1');
  const eth = guest.netDevices[0];
  const vif = dom0.netDevices[0];
  if (!disk || !eth || !vif) throw new Error('the devices did not connect');
  const data = new Uint8Array(BLOCK_SECTORS * 512).fill(7);
  const frame = new Uint8Array(FRAME_BYTES).fill(9);
  const frames = (transmit: (bytes: Uint8Array) => boolean) => () => {
    let sent = 0;
    for (let i = 0; i < 2000; i++) {
      if (transmit(frame)) sent++;
      if (i % 8 === 7) host.settle();
    }
    host.settle();
    dom0.received.length = 0;
    guest.received.length = 0;
    return sent * FRAME_BYTES;
  };
  const rows: [string, () => number][] = [
    [
      'block ring, write',
      () => {
        disk.write(0, data, () => {});
        host.settle();
        return data.length;
      },
    ],
    [
      'block ring, read',
      () => {
        disk.read(0, BLOCK_SECTORS, () => {});
        host.settle();
        return data.length;
      },
    ],
    ['network ring, guest to bridge', frames((bytes) => eth.transmit(bytes))],
    ['network ring, bridge to guest', frames((bytes) => vif.transmit(bytes))],
  ];
  return rows.map(([name, round]) => ({ name, value: throughput(round), unit: 'bytes/s' }));
}
