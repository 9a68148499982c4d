/**
 * netfilter in a guest's network stack: the table `filter` at the hooks of IPv4 and, for what a bridge passes on, of the
 * bridge.
 *
 * There is no table until a program asks for it (as iptable_filter is a module that iptables loads), so that a packet costs
 * nothing more in a guest that has none.
 * Behaviour: Linux 2.6.18, net/ipv4/netfilter and net/bridge/br_netfilter.c.
 */
import { decodeIpv4, ETHERNET_HEADER, ETHERTYPE_IPV4, type Ipv4Packet } from '../../../lib/packet/packet';
import { type BuiltinChain, emptyFilterTable, type FilterTable, type RejectType } from '../../netfilter';
import { SysError } from '../../sys';
import type { DeviceState, NetState } from '../state';
import { checkTable } from './checkTable';
import { confirm, noConnections, type Tracked, track } from './connections';
import { logLine } from './logLine';
import { type Passing, traverse } from './traverse';

export interface NetfilterEnv {
  readonly nowNs: number;
  printk(line: string): void;
  /** Tells the sender of a packet that it was turned away. */
  reject(packet: Ipv4Packet, how: RejectType): void;
}

/** Where a packet comes from and goes to, as far as a hook knows. */
export interface Way {
  readonly in?: DeviceState | undefined;
  readonly out?: DeviceState | undefined;
  readonly portIn?: DeviceState | undefined;
  readonly portOut?: DeviceState | undefined;
  readonly frame?: Uint8Array | undefined;
}

export class Netfilter {
  constructor(
    readonly state: NetState,
    readonly env: NetfilterEnv,
  ) {}

  // ----------------------------------------------------------------------------------------------- the table

  get isLoaded(): boolean {
    return this.state.filter !== undefined;
  }

  /** A copy; SysError ENOENT for a table that there is not. */
  table(name: string): FilterTable {
    if (name !== 'filter') throw new SysError('ENOENT');
    this.state.filter ??= emptyFilterTable();
    return structuredClone(this.state.filter);
  }

  /** SysError ENOENT, EINVAL, ELOOP; the old one stays then. */
  replace(name: string, table: FilterTable): void {
    if (name !== 'filter') throw new SysError('ENOENT');
    checkTable(table);
    this.state.filter = structuredClone(table);
    // From the first rule that asks for a state on, as ip_conntrack is loaded for it and stays.
    const asks = table.chains.some(({ rules }) =>
      rules.some(({ matches }) => matches.some((match) => match.name === 'state')),
    );
    if (asks) this.state.connections ??= noConnections();
  }

  // ----------------------------------------------------------------------------------------------- the hooks

  /** May the packet go on? One that may not has been answered, if a rule says so. */
  passes(chain: BuiltinChain, packet: Ipv4Packet, way: Way): boolean {
    const table = this.state.filter;
    if (!table) return true;
    const { connections } = this.state;
    const tracked: Tracked = connections ? track(connections, packet, this.env.nowNs) : { state: 'UNTRACKED' };
    const passing: Passing = {
      packet,
      in: way.in?.name ?? '',
      out: way.out?.name ?? '',
      portIn: way.portIn?.name ?? '',
      portOut: way.portOut?.name ?? '',
      state: tracked.state,
      frame: way.frame,
    };
    const verdict = traverse(table, chain, passing, (target, at) => this.env.printk(logLine(target, at)));
    if (verdict === 'ACCEPT') {
      if (!connections || confirm(connections, tracked, this.env.nowNs)) return true;
      this.env.printk('ip_conntrack: table full, dropping packet.');
      return false;
    }
    if (verdict !== 'DROP') this.env.reject(packet, verdict);
    return false;
  }

  /** May a bridge pass the frame on? Asked for each port that it would leave by. */
  passesBridge(frame: Uint8Array, bridge: DeviceState, portIn: DeviceState, portOut: DeviceState): boolean {
    if (!this.state.filter || !this.state.bridgeCallsIptables) return true;
    if (((frame[12]! << 8) | frame[13]!) !== ETHERTYPE_IPV4) return true;
    const packet = decodeIpv4(frame.subarray(ETHERNET_HEADER));
    return packet !== undefined && this.passes('FORWARD', packet, { in: bridge, out: bridge, portIn, portOut, frame });
  }
}
