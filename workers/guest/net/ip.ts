/**
 * IPv4 of a guest: addresses, routes, ARP, fragments, forwarding, and the answers that a host gives by itself
 * (echo replies, port unreachable).
 *
 * Behaviour: RFC 791, 792, 826, 1122 as Linux 2.6.18 shows them to ping, arp and route.
 */
import { BROADCAST_MAC, broadcastOf, maskOf, networkOf } from '../../lib/packet/addresses';
import {
  decodeArp,
  decodeEthernet,
  decodeIcmp,
  decodeIpv4,
  ETHERTYPE_ARP,
  ETHERTYPE_IPV4,
  encodeArp,
  encodeEthernet,
  encodeIcmp,
  encodeIpv4,
  ICMP_ECHO,
  ICMP_ECHO_REPLY,
  ICMP_TIME_EXCEEDED,
  ICMP_UNREACHABLE,
  type Ipv4Packet,
  PROTOCOL_ICMP,
} from '../../lib/packet/packet';
import { SysError } from '../sys';
import { fragment, reassemble } from './fragments';
import type { Links } from './links';
import type { Netfilter, Way } from './netfilter/netfilter';
import type { ArpEntry, DeviceState, NetState, RouteState } from './state';

const ARP_RETRY_NS = 1e9;
const ARP_TRIES = 3;
const ARP_FRESH_NS = 60e9;
const ARP_QUEUE = 16;
const BROADCAST = 0xffff_ffff;

export interface IpEnv {
  readonly nowNs: number;
  /** A packet for this guest; `ttl` and addresses are in it. False: nobody wanted it. */
  deliver(packet: Ipv4Packet, device: DeviceState): boolean;
  /** Nobody answered ARP for this destination: the packet is lost. */
  unreachable(packet: Ipv4Packet): void;
}

/** The device and the neighbour through which a packet goes on. */
interface Hop {
  readonly device: DeviceState;
  readonly address: number;
}

export interface SendOptions {
  readonly ttl?: number;
  /** Send through this device whatever the routes say (DHCP, packets to a broadcast address). */
  readonly device?: DeviceState | undefined;
}

export class Ip {
  constructor(
    readonly state: NetState,
    readonly links: Links,
    readonly netfilter: Netfilter,
    readonly env: IpEnv,
  ) {}

  // ---------------------------------------------------------------------------------------------- sending

  /** Which of our addresses a packet to `destination` carries; SysError ENETUNREACH. */
  sourceFor(destination: number, device?: DeviceState): number {
    if (this.isLocal(destination)) return destination;
    const via = device ?? this.#routeOf(destination);
    return via.addresses[0]?.address ?? 0;
  }

  isLocal(address: number): boolean {
    return (
      address >>> 24 === 127 ||
      this.state.devices.some((device) => device.up && device.addresses.some((own) => own.address === address))
    );
  }

  isBroadcast(address: number): boolean {
    return (
      address === BROADCAST ||
      this.state.devices.some((device) =>
        device.addresses.some((own) => own.prefixLength < 31 && broadcastOf(own.address, own.prefixLength) === address),
      )
    );
  }

  /** Sends one packet, in fragments if need be. SysError ENETUNREACH, ENETDOWN, or EPERM: a rule of netfilter forbids it. */
  send(source: number, destination: number, protocol: number, payload: Uint8Array, options: SendOptions = {}): void {
    const packet: Ipv4Packet = {
      source,
      destination,
      protocol,
      ttl: options.ttl ?? 64,
      id: this.state.nextIpId++ & 0xffff,
      fragmentOffset: 0,
      moreFragments: false,
      dontFragment: false,
      payload,
    };
    const hop = this.#hopTo(destination, options.device);
    if (this.netfilter.isLoaded && !this.netfilter.passes('OUTPUT', packet, { out: hop.device }))
      throw new SysError('EPERM');
    this.#sendThrough(hop, packet);
  }

  /** Where a packet goes next; through `given` whatever the routes say. SysError ENETUNREACH. */
  #hopTo(destination: number, given?: DeviceState): Hop {
    if (given) return { device: given, address: destination };
    if (this.isLocal(destination)) {
      const lo = this.state.devices.find((device) => device.kind === 'loopback')!;
      if (!lo.up) throw new SysError('ENETUNREACH');
      return { device: lo, address: destination };
    }
    const route = this.routeTo(destination);
    const device = route && this.links.byIndex(route.device);
    if (!route || !device) throw new SysError('ENETUNREACH');
    return { device, address: route.gateway ?? destination };
  }

  #sendThrough({ device, address }: Hop, packet: Ipv4Packet): void {
    if (!device.up) throw new SysError('ENETDOWN');
    // A packet to ourselves stays whole: it never meets a wire.
    if (device.kind === 'loopback') {
      this.#sendTo(device, device.mac, encodeIpv4(packet));
      return;
    }
    for (const piece of fragment(packet, device.mtu)) {
      const bytes = encodeIpv4(piece);
      if (this.isBroadcast(address)) this.#sendTo(device, BROADCAST_MAC, bytes);
      else this.#resolve(device, address, bytes);
    }
  }

  #sendTo(device: DeviceState, mac: string, ipv4: Uint8Array): void {
    this.links.output(
      device,
      encodeEthernet({ destination: mac, source: device.mac, type: ETHERTYPE_IPV4, payload: ipv4 }),
    );
  }

  // ---------------------------------------------------------------------------------------------- routes

  routeTo(destination: number): RouteState | undefined {
    let best: RouteState | undefined;
    for (const route of this.state.routes) {
      if (((destination ^ route.destination) & maskOf(route.prefixLength)) !== 0) continue;
      if (!this.links.byIndex(route.device)?.up) continue;
      if (
        !best ||
        route.prefixLength > best.prefixLength ||
        (route.prefixLength === best.prefixLength && route.metric < best.metric)
      ) {
        best = route;
      }
    }
    return best;
  }

  #routeOf(destination: number): DeviceState {
    const route = this.routeTo(destination);
    const device = route && this.links.byIndex(route.device);
    if (!device) throw new SysError('ENETUNREACH');
    return device;
  }

  /** Adds an address with the route to its network, as the kernel does. */
  addAddress(device: DeviceState, address: number, prefixLength: number): void {
    if (device.addresses.some((own) => own.address === address)) throw new SysError('EEXIST');
    device.addresses.push({ address, prefixLength });
    if (device.up && prefixLength < 32 && device.kind !== 'loopback') {
      this.state.routes.push({
        destination: networkOf(address, prefixLength),
        prefixLength,
        gateway: undefined,
        device: device.index,
        source: address,
        metric: 0,
      });
    }
    if (device.up) this.#announce(device, address);
  }

  removeAddress(device: DeviceState, address: number): void {
    device.addresses = device.addresses.filter((own) => own.address !== address);
    this.state.routes = this.state.routes.filter(
      (route) => !(route.device === device.index && route.source === address),
    );
  }

  /** Going down drops the routes through a device, coming up brings back those of its own networks. */
  setUp(device: DeviceState, up: boolean): void {
    if (device.up === up) return;
    device.up = up;
    this.state.arp = this.state.arp.filter((entry) => entry.device !== device.index);
    if (!up) {
      this.state.routes = this.state.routes.filter((route) => route.device !== device.index);
      return;
    }
    const addresses = device.addresses;
    device.addresses = [];
    for (const { address, prefixLength } of addresses) this.addAddress(device, address, prefixLength);
  }

  announceAll(device: DeviceState): void {
    for (const { address } of device.addresses) this.#announce(device, address);
  }

  /** Gratuitous ARP: switches learn where the address is now. */
  #announce(device: DeviceState, address: number): void {
    if (!device.arp || device.kind === 'loopback') return;
    this.#sendArp(device, 'request', address, BROADCAST_MAC, address, '00:00:00:00:00:00');
  }

  // ---------------------------------------------------------------------------------------------- ARP

  #resolve(device: DeviceState, address: number, ipv4: Uint8Array): void {
    const entry = this.state.arp.find((known) => known.address === address && known.device === device.index);
    if (entry?.mac !== undefined) {
      this.#sendTo(device, entry.mac, ipv4);
      if (this.env.nowNs > entry.untilNs) {
        // Stale: still used, but asked for again.
        entry.untilNs = this.env.nowNs + ARP_FRESH_NS;
        this.#ask(device, address);
      }
      return;
    }
    if (entry) {
      if (entry.waiting.length < ARP_QUEUE) entry.waiting.push(ipv4);
      return;
    }
    this.state.arp.push({
      address,
      device: device.index,
      mac: undefined,
      tries: 1,
      untilNs: this.env.nowNs + ARP_RETRY_NS,
      waiting: [ipv4],
    });
    this.#ask(device, address);
  }

  #ask(device: DeviceState, address: number): void {
    const network = device.addresses.find(
      (own) => networkOf(own.address, own.prefixLength) === networkOf(address, own.prefixLength),
    );
    const own = network?.address ?? device.addresses[0]?.address ?? 0;
    this.#sendArp(device, 'request', own, BROADCAST_MAC, address, '00:00:00:00:00:00');
  }

  #sendArp(
    device: DeviceState,
    operation: 'request' | 'reply',
    senderIp: number,
    to: string,
    targetIp: number,
    targetMac: string,
  ): void {
    const payload = encodeArp({ operation, senderMac: device.mac, senderIp, targetMac, targetIp });
    this.links.output(device, encodeEthernet({ destination: to, source: device.mac, type: ETHERTYPE_ARP, payload }));
  }

  #receiveArp(device: DeviceState, payload: Uint8Array): void {
    const packet = decodeArp(payload);
    if (!packet || !device.arp) return;
    const isForUs = device.addresses.some((own) => own.address === packet.targetIp);
    let entry = this.state.arp.find((known) => known.address === packet.senderIp && known.device === device.index);
    if (!entry && isForUs && packet.operation === 'request' && packet.senderIp !== 0) {
      entry = { address: packet.senderIp, device: device.index, mac: undefined, tries: 0, untilNs: 0, waiting: [] };
      this.state.arp.push(entry);
    }
    if (entry && packet.senderIp !== 0) this.#learn(device, entry, packet.senderMac);
    if (isForUs && packet.operation === 'request' && packet.senderIp !== packet.targetIp) {
      this.#sendArp(device, 'reply', packet.targetIp, packet.senderMac, packet.senderIp, packet.senderMac);
    }
  }

  #learn(device: DeviceState, entry: ArpEntry, mac: string): void {
    entry.mac = mac;
    entry.tries = 0;
    entry.untilNs = this.env.nowNs + ARP_FRESH_NS;
    for (const bytes of entry.waiting.splice(0)) this.#sendTo(device, mac, bytes);
  }

  // ---------------------------------------------------------------------------------------------- receiving

  /** A frame that the link layer hands up; on a bridge, with the port that it came in by. */
  receive(device: DeviceState, bytes: Uint8Array, port?: DeviceState): void {
    const frame = decodeEthernet(bytes)!;
    if (frame.type === ETHERTYPE_ARP) {
      this.#receiveArp(device, frame.payload);
      return;
    }
    if (frame.type !== ETHERTYPE_IPV4) return;
    const packet = decodeIpv4(frame.payload);
    if (!packet) {
      device.rxErrors++;
      return;
    }
    // Without an address yet (DHCP), everything that the link layer gave us is for us.
    const isOurs =
      this.isLocal(packet.destination) || this.isBroadcast(packet.destination) || device.addresses.length === 0;
    if (!isOurs) {
      if (this.state.forwarding) this.#forward(packet, { in: device, portIn: port, frame: bytes });
      return;
    }
    const whole =
      packet.moreFragments || packet.fragmentOffset > 0 ? reassemble(this.state, packet, this.env.nowNs) : packet;
    if (!whole) return;
    if (this.netfilter.isLoaded) {
      const way = { in: device, portIn: port, frame: bytes };
      if (!this.netfilter.passes('INPUT', whole, way)) return;
    }
    this.#handle(whole, device);
  }

  #handle(packet: Ipv4Packet, device: DeviceState): void {
    if (packet.protocol === PROTOCOL_ICMP) this.#answerEcho(packet);
    const wanted = this.env.deliver(packet, device);
    if (!wanted && packet.protocol !== PROTOCOL_ICMP && !this.isBroadcast(packet.destination)) {
      this.sendError(packet, ICMP_UNREACHABLE, packet.protocol === 17 ? 3 : 2);
    }
  }

  #answerEcho(packet: Ipv4Packet): void {
    const icmp = decodeIcmp(packet.payload);
    if (icmp?.type !== ICMP_ECHO || this.isBroadcast(packet.destination)) return;
    const reply = encodeIcmp({ ...icmp, type: ICMP_ECHO_REPLY });
    this.trySend(packet.destination, packet.source, PROTOCOL_ICMP, reply);
  }

  #forward(packet: Ipv4Packet, way: Way): void {
    if (packet.ttl <= 1) {
      this.sendError(packet, ICMP_TIME_EXCEEDED, 0);
      return;
    }
    try {
      const hop = this.#hopTo(packet.destination);
      const onward = { ...packet, ttl: packet.ttl - 1 };
      if (this.netfilter.isLoaded && !this.netfilter.passes('FORWARD', onward, { ...way, out: hop.device })) return;
      this.#sendThrough(hop, onward);
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      this.sendError(packet, ICMP_UNREACHABLE, 0);
    }
  }

  /** An ICMP error about a packet: its header and first eight bytes go back to the sender. */
  sendError(about: Ipv4Packet, type: number, code: number): void {
    const original = encodeIpv4({ ...about, payload: about.payload.slice(0, 8) });
    const data = encodeIcmp({ type, code, rest: 0, data: original });
    this.trySend(this.isLocal(about.destination) ? about.destination : undefined, about.source, PROTOCOL_ICMP, data);
  }

  /** Nobody hears of it when it cannot be sent. `source` is chosen by the route when it is left open. */
  trySend(source: number | undefined, destination: number, protocol: number, payload: Uint8Array): void {
    try {
      this.send(source ?? this.sourceFor(destination), destination, protocol, payload);
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
    }
  }

  // ---------------------------------------------------------------------------------------------- timers

  get nextTimerNs(): number | undefined {
    let next: number | undefined;
    for (const entry of this.state.arp)
      if (entry.mac === undefined) next = Math.min(next ?? entry.untilNs, entry.untilNs);
    for (const entry of this.state.fragments) next = Math.min(next ?? entry.expiresNs, entry.expiresNs);
    return next;
  }

  runTimers(): void {
    const now = this.env.nowNs;
    this.state.fragments = this.state.fragments.filter((entry) => entry.expiresNs > now);
    for (const entry of [...this.state.arp]) {
      if (entry.mac !== undefined || entry.untilNs > now) continue;
      const device = this.links.byIndex(entry.device);
      if (device && entry.tries < ARP_TRIES) {
        entry.tries++;
        entry.untilNs = now + ARP_RETRY_NS;
        this.#ask(device, entry.address);
        continue;
      }
      this.state.arp = this.state.arp.filter((other) => other !== entry);
      for (const bytes of entry.waiting) {
        const packet = decodeIpv4(bytes);
        if (packet) this.env.unreachable(packet);
      }
    }
  }
}
