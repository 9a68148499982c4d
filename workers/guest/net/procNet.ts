/** The network's files under /proc: counters, tables and switches (Linux 2.6.18). */
import { maskOf } from '../../lib/packet/addresses';
import type { NetStack } from './stack';
import type { NetState, TcpPhase } from './state';

interface ProcFile {
  read(): string;
  write?(text: string): void;
}

/** Paths below /proc/net, and with sys/ in front those below /proc/sys/net → what they hold. */
export function netProcFiles(stack: NetStack): ReadonlyMap<string, ProcFile> {
  return new Map<string, ProcFile>([
    ['dev', { read: () => dev(stack) }],
    ['arp', { read: () => arp(stack) }],
    ['route', { read: () => route(stack) }],
    ['tcp', { read: () => tcp(stack) }],
    ['ip_tables_names', { read: () => (stack.netfilter.isLoaded ? 'filter\n' : '') }],
    ['ip_tables_matches', { read: () => 'icmp\nphysdev\nstate\nudp\ntcp\n' }],
    ['ip_tables_targets', { read: () => 'REJECT\nLOG\n' }],
    ['sys/ipv4/ip_forward', flag(stack.state, 'forwarding')],
    ['sys/bridge/bridge-nf-call-iptables', flag(stack.state, 'bridgeCallsIptables')],
  ]);
}

/** A switch of the kernel: 0 or 1. */
function flag(state: NetState, name: 'forwarding' | 'bridgeCallsIptables'): ProcFile {
  return {
    read: () => (state[name] ? '1\n' : '0\n'),
    write: (text) => {
      state[name] = text.trim() !== '0';
    },
  };
}

function dev(stack: NetStack): string {
  const head =
    'Inter-|   Receive                                                |  Transmit\n' +
    ' face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n';
  const rows = stack.config.interfaces().map((each) => {
    const pad = (value: number, width: number) => String(value).padStart(width);
    const received = `${pad(each.rxBytes, 8)} ${pad(each.rxPackets, 7)} ${pad(each.rxErrors, 4)} ${pad(each.rxDropped, 4)}    0     0          0         0`;
    const sent = `${pad(each.txBytes, 8)} ${pad(each.txPackets, 7)} ${pad(each.txErrors, 4)} ${pad(each.txDropped, 4)}    0     0       0          0`;
    return `${each.name.padStart(6)}:${received} ${sent}\n`;
  });
  return head + rows.join('');
}

function arp(stack: NetStack): string {
  const rows = stack.config.arpTable().map((entry) => {
    const flags = entry.complete ? '0x2' : '0x0';
    return `${entry.address.padEnd(16)} 0x1         ${flags.padEnd(11)} ${entry.mac}     *        ${entry.device}\n`;
  });
  return `IP address       HW type     Flags       HW address            Mask     Device\n${rows.join('')}`;
}

/** An address as the kernel prints it there: the bytes in memory order, read as one little-endian number. */
function hex(address: number): string {
  const swapped = ((address & 255) << 24) | ((address & 0xff00) << 8) | ((address >>> 8) & 0xff00) | (address >>> 24);
  return (swapped >>> 0).toString(16).toUpperCase().padStart(8, '0');
}

function route(stack: NetStack): string {
  const rows = stack.state.routes.map((each) => {
    const device = stack.links.byIndex(each.device)?.name ?? '*';
    const flags = (1 | (each.gateway === undefined ? 0 : 2)).toString(16).padStart(4, '0');
    return `${device}\t${hex(each.destination)}\t${hex(each.gateway ?? 0)}\t${flags}\t0\t0\t${each.metric}\t${hex(maskOf(each.prefixLength))}\t0\t0\t0\n`;
  });
  return `Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n${rows.join('')}`;
}

const STATE_NUMBERS: Readonly<Record<TcpPhase, number>> = {
  established: 1,
  'syn-sent': 2,
  'syn-received': 3,
  'fin-wait-1': 4,
  'fin-wait-2': 5,
  'time-wait': 6,
  closed: 7,
  'close-wait': 8,
  'last-ack': 9,
  listen: 10,
  closing: 11,
};

function tcp(stack: NetStack): string {
  const port = (value: number) => value.toString(16).toUpperCase().padStart(4, '0');
  const rows = stack.state.sockets.flatMap((socket, n) => {
    if (socket.kind !== 'tcp' || socket.phase === 'closed') return [];
    const ends = `${hex(socket.localAddress)}:${port(socket.localPort)} ${hex(socket.remoteAddress)}:${port(socket.remotePort)}`;
    const queues = `${socket.sendBuffer.length.toString(16).padStart(8, '0')}:${socket.receiveBuffer.length.toString(16).padStart(8, '0')}`;
    return [`${String(n).padStart(4)}: ${ends} ${port(STATE_NUMBERS[socket.phase]).slice(2)} ${queues}\n`];
  });
  return `  sl  local_address rem_address   st tx_queue rx_queue\n${rows.join('')}`;
}
