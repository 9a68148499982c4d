/** The reset that answers a segment nobody is there for, or that a firewall turns away (RFC 793). */
import { encodeTcp, type Ipv4Packet, type TcpSegment } from '../../lib/packet/packet';

/** From the segment's destination to its source. */
export function resetFor(packet: Ipv4Packet, segment: TcpSegment): Uint8Array {
  const { syn, fin, ack } = segment.flags;
  const length = segment.data.length + (syn ? 1 : 0) + (fin ? 1 : 0);
  const answer: TcpSegment = {
    sourcePort: segment.destinationPort,
    destinationPort: segment.sourcePort,
    sequence: ack ? segment.acknowledgement : 0,
    acknowledgement: ack ? 0 : (segment.sequence + length) >>> 0,
    flags: { rst: true, ack: !ack },
    window: 0,
    data: new Uint8Array(0),
  };
  return encodeTcp(answer, packet.destination, packet.source);
}
