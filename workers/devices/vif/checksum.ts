/**
 * Fills in the TCP or UDP checksum of a frame whose sender has left it to the network (`csum_blank`): an Internet
 * checksum over the pseudo header and the segment (RFC 793, RFC 768).
 */
const ETHERTYPE_IPV4 = 0x0800;
const PROTOCOL_TCP = 6;
const PROTOCOL_UDP = 17;

/** Changes the frame; one that carries no whole IPv4 TCP or UDP header is left as it is. */
export function completeChecksum(frame: Uint8Array): void {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  if (frame.length < 34 || view.getUint16(12) !== ETHERTYPE_IPV4) return;
  const header = (view.getUint8(14) & 15) * 4;
  const protocol = view.getUint8(23);
  const start = 14 + header;
  const end = Math.min(14 + view.getUint16(16), frame.length);
  const field = start + (protocol === PROTOCOL_TCP ? 16 : 6);
  if ((protocol !== PROTOCOL_TCP && protocol !== PROTOCOL_UDP) || header < 20 || field + 2 > end) return;
  view.setUint16(field, 0);
  let sum = protocol + (end - start);
  for (let at = 26; at < 34; at += 2) sum += view.getUint16(at);
  for (let at = start; at + 1 < end; at += 2) sum += view.getUint16(at);
  if ((end - start) % 2 === 1) sum += view.getUint8(end - 1) << 8;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  const checksum = ~sum & 0xffff;
  view.setUint16(field, checksum === 0 && protocol === PROTOCOL_UDP ? 0xffff : checksum);
}
