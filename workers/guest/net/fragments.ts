/** IPv4 packets in pieces: cut to what a device carries, and put together again (RFC 791). */
import type { Ipv4Packet } from '../../lib/packet/packet';
import type { NetState } from './state';

const FRAGMENT_LIFE_NS = 30e9;

/** The whole packet once its last missing piece is here. */
export function reassemble(state: NetState, packet: Ipv4Packet, nowNs: number): Ipv4Packet | undefined {
  const key = `${packet.source}/${packet.destination}/${packet.protocol}/${packet.id}`;
  let entry = state.fragments.find((candidate) => candidate.key === key);
  if (!entry) {
    entry = { key, expiresNs: nowNs + FRAGMENT_LIFE_NS, parts: [], total: undefined };
    state.fragments.push(entry);
    if (state.fragments.length > 64) state.fragments.shift();
  }
  if (!entry.parts.some((part) => part.offset === packet.fragmentOffset)) {
    entry.parts.push({ offset: packet.fragmentOffset, data: packet.payload.slice() });
  }
  if (!packet.moreFragments) entry.total = packet.fragmentOffset + packet.payload.length;
  const have = entry.parts.reduce((sum, part) => sum + part.data.length, 0);
  if (entry.total === undefined || have < entry.total) return undefined;
  state.fragments = state.fragments.filter((candidate) => candidate !== entry);
  const payload = new Uint8Array(entry.total);
  for (const part of entry.parts) {
    if (part.offset + part.data.length > entry.total) return undefined;
    payload.set(part.data, part.offset);
  }
  return { ...packet, fragmentOffset: 0, moreFragments: false, payload };
}

/** A packet cut to the device's MTU; one piece when it fits. */
export function fragment(packet: Ipv4Packet, mtu: number): readonly Ipv4Packet[] {
  if (packet.payload.length + 20 <= mtu) return [packet];
  const size = (mtu - 20) & ~7;
  const pieces: Ipv4Packet[] = [];
  for (let at = 0; at < packet.payload.length; at += size) {
    const payload = packet.payload.subarray(at, at + size);
    pieces.push({
      ...packet,
      payload,
      fragmentOffset: packet.fragmentOffset + at,
      moreFragments: packet.moreFragments || at + size < packet.payload.length,
    });
  }
  return pieces;
}
