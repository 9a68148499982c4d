/**
 * The router of the local network: answers at its address, and gives one to everybody who asks by DHCP.
 *
 * A client with the same MAC always gets the same address, so that a guest keeps it over reboots and migrations.
 */
import type { EventQueue } from '../lib/clock';
import { BROADCAST_MAC, ipText, maskOf, parseIp } from '../lib/packet/addresses';
import { DHCP_CLIENT_PORT, DHCP_SERVER_PORT, type DhcpMessage, decodeDhcp, encodeDhcp } from '../lib/packet/dhcp';
import {
  decodeArp,
  decodeEthernet,
  decodeIcmp,
  decodeIpv4,
  decodeTcp,
  decodeUdp,
  ETHERTYPE_ARP,
  ETHERTYPE_IPV4,
  type EthernetFrame,
  encodeArp,
  encodeEthernet,
  encodeIcmp,
  encodeIpv4,
  encodeTcp,
  encodeUdp,
  ICMP_ECHO,
  ICMP_ECHO_REPLY,
  ICMP_UNREACHABLE,
  type Ipv4Packet,
  PROTOCOL_ICMP,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
} from '../lib/packet/packet';
import type { Lan, LanPort } from './lan';

export const LAN_PREFIX = 24;
export const GATEWAY_ADDRESS = '192.0.2.1';
/** Last numbers of the addresses that are given out. */
export interface LeaseRange {
  readonly first: number;
  readonly last: number;
}

const ALL_LEASES: LeaseRange = { first: 100, last: 254 };
/** Routers of networks that are joined into one share the addresses: so many for each of this number of routers. */
const SHARED_LEASES = 22;
const SHARERS = 7;

/** The addresses that the n-th of several joined routers gives out, from 1; those beyond the last share its range. */
export function sharedLeases(n: number): LeaseRange {
  const first = ALL_LEASES.first + SHARED_LEASES * (Math.min(n, SHARERS) - 1);
  return { first, last: first + SHARED_LEASES - 1 };
}

const LEASE_SECONDS = 86_400;
/** The router's own; every network has one. */
export const GATEWAY_MAC = '00:0c:29:00:00:01';
const BROADCAST = 0xffff_ffff;

export class Gateway {
  readonly #address = parseIp(GATEWAY_ADDRESS)!;
  readonly #leases = new Map<string, number>();
  /** Leased addresses whose owners were asked for a sign of life and have not given one. */
  readonly #silent = new Set<number>();
  readonly #names = new Map<string, number>();
  readonly #port: LanPort;

  constructor(
    lan: Lan,
    clock: EventQueue,
    private readonly range = ALL_LEASES,
  ) {
    this.#port = lan.plug(clock, (bytes) => this.#receive(bytes));
  }

  /** A fixed name on this network, for the hosts themselves. */
  setName(name: string, address: string): void {
    this.#names.set(name, parseIp(address)!);
  }

  /** What a name server here would answer; undefined: no such name. */
  resolve(name: string): string | undefined {
    const address = this.#names.get(name);
    return address === undefined ? undefined : ipText(address);
  }

  #receive(bytes: Uint8Array): void {
    const frame = decodeEthernet(bytes);
    if (!frame || (frame.destination !== GATEWAY_MAC && frame.destination !== BROADCAST_MAC)) return;
    if (frame.type === ETHERTYPE_ARP) this.#hearArp(frame);
    if (frame.type !== ETHERTYPE_IPV4) return;
    const packet = decodeIpv4(frame.payload);
    if (!packet) return;
    if (packet.protocol === PROTOCOL_ICMP && packet.destination === this.#address) this.#answerEcho(frame, packet);
    if (packet.protocol === PROTOCOL_TCP && packet.destination === this.#address) this.#refuse(frame, packet);
    if (packet.protocol !== PROTOCOL_UDP) return;
    if (!this.#serveDhcp(packet) && packet.destination === this.#address) this.#sayUnreachable(frame, packet);
  }

  #hearArp(frame: EthernetFrame): void {
    const message = decodeArp(frame.payload);
    if (!message) return;
    this.#silent.delete(message.senderIp);
    if (message.operation === 'request' && message.targetIp === this.#address)
      this.#sendArp('reply', message.senderMac, message.senderMac, message.senderIp);
  }

  #sendArp(operation: 'request' | 'reply', destination: string, targetMac: string, targetIp: number): void {
    const payload = encodeArp({ operation, senderMac: GATEWAY_MAC, senderIp: this.#address, targetMac, targetIp });
    this.#port.send(encodeEthernet({ destination, source: GATEWAY_MAC, type: ETHERTYPE_ARP, payload }));
  }

  #answerEcho(frame: EthernetFrame, packet: Ipv4Packet): void {
    const icmp = packet.fragmentOffset === 0 && !packet.moreFragments ? decodeIcmp(packet.payload) : undefined;
    if (icmp?.type !== ICMP_ECHO) return;
    this.#send(frame.source, packet.source, PROTOCOL_ICMP, encodeIcmp({ ...icmp, type: ICMP_ECHO_REPLY }));
  }

  /** Nobody listens on any port here: a connection is refused, not left to time out. */
  #refuse(frame: EthernetFrame, packet: Ipv4Packet): void {
    const segment = decodeTcp(packet.payload, packet.source, packet.destination);
    if (!segment || segment.flags.rst) return;
    const { sequence, acknowledgement, flags } = segment;
    const length = segment.data.length + (flags.syn ? 1 : 0) + (flags.fin ? 1 : 0);
    const reset = {
      sourcePort: segment.destinationPort,
      destinationPort: segment.sourcePort,
      sequence: flags.ack ? acknowledgement : 0,
      acknowledgement: flags.ack ? 0 : (sequence + length) >>> 0,
      flags: { rst: true, ack: !flags.ack },
      window: 0,
      data: new Uint8Array(0),
    };
    this.#send(frame.source, packet.source, PROTOCOL_TCP, encodeTcp(reset, this.#address, packet.source));
  }

  /** ICMP port unreachable, with the header and the first eight bytes of what it is about. */
  #sayUnreachable(frame: EthernetFrame, packet: Ipv4Packet): void {
    const data = encodeIpv4({ ...packet, payload: packet.payload.subarray(0, 8) });
    const payload = encodeIcmp({ type: ICMP_UNREACHABLE, code: 3, rest: 0, data });
    this.#send(frame.source, packet.source, PROTOCOL_ICMP, payload);
  }

  /** False when it is not for this server. */
  #serveDhcp(packet: Ipv4Packet): boolean {
    const datagram = decodeUdp(packet.payload, packet.source, packet.destination);
    if (datagram?.destinationPort !== DHCP_SERVER_PORT) return false;
    const request = decodeDhcp(datagram.data);
    if (!request) return true;
    if (request.type === 'discover') this.#answerDhcp(request, 'offer', this.#leaseFor(request));
    else if (request.type === 'request') {
      const lease = this.#leaseFor(request);
      const isRight = request.requestedAddress === undefined || request.requestedAddress === lease;
      this.#answerDhcp(request, isRight ? 'ack' : 'nak', isRight ? lease : 0);
      if (isRight && request.hostName) this.#names.set(request.hostName, lease!);
    }
    return true;
  }

  #leaseFor(request: DhcpMessage): number | undefined {
    const known = this.#leases.get(request.clientMac);
    if (known !== undefined) {
      this.#silent.delete(known);
      return known;
    }
    const base = (this.#address & maskOf(LAN_PREFIX)) >>> 0;
    const used = new Set(this.#leases.values());
    for (let host = this.range.first; host <= this.range.last; host++) {
      if (used.has(base + host)) continue;
      this.#leases.set(request.clientMac, base + host);
      return base + host;
    }
    return this.#reclaim(request.clientMac);
  }

  /**
   * All addresses are given out: everybody is asked whether he is still there, and who asks for an address again gets one
   * of those that nobody answered for.
   */
  #reclaim(mac: string): number | undefined {
    for (const [owner, address] of this.#leases) {
      if (!this.#silent.delete(address)) continue;
      this.#leases.delete(owner);
      this.#leases.set(mac, address);
      return address;
    }
    for (const address of this.#leases.values()) {
      this.#silent.add(address);
      this.#sendArp('request', BROADCAST_MAC, '00:00:00:00:00:00', address);
    }
    return undefined;
  }

  #answerDhcp(request: DhcpMessage, type: 'offer' | 'ack' | 'nak', address: number | undefined): void {
    if (address === undefined) return; // all addresses are given out: the client gets no answer
    const message = encodeDhcp({
      type,
      transaction: request.transaction,
      clientMac: request.clientMac,
      yourAddress: address,
      serverAddress: this.#address,
      ...(type === 'nak'
        ? {}
        : {
            subnetMask: maskOf(LAN_PREFIX),
            router: this.#address,
            nameServer: this.#address,
            leaseSeconds: LEASE_SECONDS,
          }),
    });
    const udp = { sourcePort: DHCP_SERVER_PORT, destinationPort: DHCP_CLIENT_PORT, data: message };
    this.#send(BROADCAST_MAC, BROADCAST, PROTOCOL_UDP, encodeUdp(udp, this.#address, BROADCAST));
  }

  #send(mac: string, destination: number, protocol: number, payload: Uint8Array): void {
    const packet = encodeIpv4({
      source: this.#address,
      destination,
      protocol,
      ttl: 64,
      id: 0,
      fragmentOffset: 0,
      moreFragments: false,
      dontFragment: false,
      payload,
    });
    this.#port.send(encodeEthernet({ destination: mac, source: GATEWAY_MAC, type: ETHERTYPE_IPV4, payload: packet }));
  }
}
