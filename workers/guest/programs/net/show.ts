/** How interfaces and routes are printed by ifconfig, route and ip (net-tools 1.60, iproute2 of 2006). */
import { ipText, maskOf } from '../../../lib/packet/addresses';
import type { InterfaceInfo, RouteInfo } from '../../sys';

const size = (bytes: number): string => {
  if (bytes < 1024) return `${bytes}.0 b`;
  if (bytes < 1024 * 1024) return `${(Math.floor((bytes * 10) / 1024) / 10).toFixed(1)} KiB`;
  if (bytes < 1024 ** 3) return `${(Math.floor((bytes * 10) / 1024 ** 2) / 10).toFixed(1)} MiB`;
  return `${(Math.floor((bytes * 10) / 1024 ** 3) / 10).toFixed(1)} GiB`;
};

/** One block of `ifconfig`, with the blank line after it. */
export function ifconfigBlock(device: InterfaceInfo): string {
  const isLoopback = device.kind === 'loopback';
  const lines: string[] = [];
  const link = isLoopback ? 'Link encap:Local Loopback  ' : `Link encap:Ethernet  HWaddr ${device.mac.toUpperCase()}  `;
  lines.push(`${device.name.padEnd(9)} ${link}`);
  if (device.address !== undefined) {
    const broadcast = isLoopback ? '' : `  Bcast:${device.broadcast}`;
    lines.push(`          inet addr:${device.address}${broadcast}  Mask:${ipText(maskOf(device.prefixLength ?? 0))}`);
  }
  const flags = [
    device.up ? 'UP' : '',
    isLoopback ? 'LOOPBACK' : 'BROADCAST',
    device.running ? 'RUNNING' : '',
    device.arp || isLoopback ? '' : 'NOARP',
    device.promiscuous ? 'PROMISC' : '',
    isLoopback ? '' : 'MULTICAST',
  ].filter(Boolean);
  lines.push(`          ${flags.join(' ')}  MTU:${device.mtu}  Metric:1`);
  lines.push(
    `          RX packets:${device.rxPackets} errors:${device.rxErrors} dropped:${device.rxDropped} overruns:0 frame:0`,
    `          TX packets:${device.txPackets} errors:${device.txErrors} dropped:${device.txDropped} overruns:0 carrier:0`,
    `          collisions:0 txqueuelen:${isLoopback || device.kind === 'bridge' ? 0 : device.kind === 'vif' ? 32 : 1000} `,
    `          RX bytes:${device.rxBytes} (${size(device.rxBytes)})  TX bytes:${device.txBytes} (${size(device.txBytes)})`,
  );
  return `${lines.join('\n')}\n\n`;
}

/** The table of `route`; numeric as with -n. */
export function routeTable(routes: readonly RouteInfo[]): string {
  const rows = [...routes]
    .sort((a, b) => b.prefixLength - a.prefixLength)
    .map((route) => {
      const flags = `U${route.gateway === undefined ? '' : 'G'}${route.prefixLength === 32 ? 'H' : ''}`;
      const mask = ipText(maskOf(route.prefixLength));
      return `${route.destination.padEnd(16)}${(route.gateway ?? '0.0.0.0').padEnd(16)}${mask.padEnd(16)}${flags.padEnd(5)} ${String(route.metric).padEnd(6)} ${'0'.padEnd(2)} ${String(0).padStart(7)} ${route.device}\n`;
    });
  return `Kernel IP routing table\nDestination     Gateway         Genmask         Flags Metric Ref    Use Iface\n${rows.join('')}`;
}

/** One line of `ip route`. */
export function ipRouteLine(route: RouteInfo): string {
  const isDefault = route.prefixLength === 0;
  const destination = isDefault
    ? 'default'
    : route.prefixLength === 32
      ? route.destination
      : `${route.destination}/${route.prefixLength}`;
  const via = route.gateway === undefined ? '' : ` via ${route.gateway}`;
  const kernel = route.source === undefined ? '' : `  proto kernel  scope link  src ${route.source}`;
  const link = route.gateway === undefined && route.source === undefined ? '  scope link' : '';
  const metric = route.metric ? `  metric ${route.metric}` : '';
  return `${destination}${via} dev ${route.device}${kernel}${link}${metric} \n`;
}

function linkFlags(device: InterfaceInfo): string {
  const flags = device.kind === 'loopback' ? ['LOOPBACK'] : ['BROADCAST', 'MULTICAST'];
  if (!device.arp && device.kind !== 'loopback') flags.push('NOARP');
  if (device.promiscuous) flags.push('PROMISC');
  if (device.up) flags.push('UP');
  if (device.up && !device.running) flags.unshift('NO-CARRIER');
  else if (device.running) flags.push('LOWER_UP');
  return flags.join(',');
}

/** Two lines of `ip link`. */
export function ipLink(device: InterfaceInfo): string {
  const queue = device.kind === 'loopback' || device.kind === 'bridge' ? 'noqueue' : 'pfifo_fast';
  const length = queue === 'noqueue' ? '' : ` qlen ${device.kind === 'vif' ? 32 : 1000}`;
  const type = device.kind === 'loopback' ? 'loopback' : 'ether';
  const broadcast = device.kind === 'loopback' ? '00:00:00:00:00:00' : 'ff:ff:ff:ff:ff:ff';
  return `${device.index}: ${device.name}: <${linkFlags(device)}> mtu ${device.mtu} qdisc ${device.up ? queue : 'noop'}${length}\n    link/${type} ${device.mac} brd ${broadcast}\n`;
}

/** The `inet` lines of `ip addr`; `oneLine`: as with -o. */
export function ipAddresses(device: InterfaceInfo, oneLine: boolean): string {
  return device.addresses
    .map((own, n) => {
      const broadcast =
        device.kind === 'loopback' || own.prefixLength >= 31
          ? ''
          : ` brd ${ipText((parse(own.address) | ~maskOf(own.prefixLength)) >>> 0)}`;
      const scope = device.kind === 'loopback' ? 'host' : 'global';
      const text = `inet ${own.address}/${own.prefixLength}${broadcast} scope ${scope}${n > 0 ? ' secondary' : ''} ${device.name}`;
      return oneLine ? `${device.index}: ${device.name}    ${text}\n` : `    ${text}\n`;
    })
    .join('');
}

const parse = (text: string) => text.split('.').reduce((value, part) => value * 256 + Number(part), 0);
