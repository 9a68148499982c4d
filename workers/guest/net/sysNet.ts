/** The network's files under /sys/class/net, one directory for each interface (Linux 2.6.18). */
import type { NetStack } from './stack';

/** Paths below /sys/class/net → what they hold. */
export function netSysFiles(stack: NetStack): ReadonlyMap<string, { read(): string }> {
  const files = new Map<string, { read(): string }>();
  const bridges = new Map(stack.config.bridges().map((bridge) => [bridge.name, bridge]));
  for (const device of stack.config.interfaces()) {
    const add = (name: string, value: string | number) =>
      files.set(`${device.name}/${name}`, { read: () => `${value}\n` });
    add('address', device.mac);
    add('mtu', device.mtu);
    add('ifindex', device.index);
    add('carrier', device.running ? 1 : 0);
    add('operstate', device.up ? 'up' : 'down');
    add('type', device.kind === 'loopback' ? 772 : 1);
    add('statistics/rx_bytes', device.rxBytes);
    add('statistics/rx_packets', device.rxPackets);
    add('statistics/rx_dropped', device.rxDropped);
    add('statistics/tx_bytes', device.txBytes);
    add('statistics/tx_packets', device.txPackets);
    add('statistics/tx_dropped', device.txDropped);
    const bridge = bridges.get(device.name);
    if (bridge) {
      add('bridge/bridge_id', bridge.id);
      add('bridge/stp_state', bridge.stp ? 1 : 0);
    }
    const master = [...bridges.values()].find(({ ports }) => ports.includes(device.name));
    if (master) add('brport/port_no', master.ports.indexOf(device.name) + 1);
  }
  return files;
}
