/**
 * Joins the networks of several tabs into one: frames that no machine here is known for go to the others, and the fast ways
 * for bulk data find their other end there.
 *
 * Every network has a router of its own at the same address: what is said to it, and by it, stays inside.
 */
import type { EventQueue } from '../lib/clock';
import { macText } from '../lib/packet/addresses';
import { decodeEthernet, decodeIpv4, decodeUdp, ETHERTYPE_IPV4, PROTOCOL_UDP } from '../lib/packet/packet';
import type { BulkEnd } from './bulk';
import type { Bulletin } from './bulletins';
import { Cable, type LinkModel } from './cable';
import { GATEWAY_MAC } from './gateway';
import type { Lan } from './lan';

/** What networks tell each other; plain data. */
export type UplinkMessage =
  | { readonly type: 'frame'; readonly frame: Uint8Array }
  | { readonly type: 'join'; readonly name: string; readonly from: string; readonly link: LinkModel }
  | { readonly type: 'link'; readonly from: string; readonly link: LinkModel }
  | { readonly type: 'bulletin'; readonly bulletin: Bulletin }
  | {
      readonly type: 'data';
      readonly name: string;
      readonly from: string;
      /** The network of the pipe's other end; whoever else hears it has no use for it. */
      readonly to: string;
      readonly bytes: Uint8Array;
    }
  | { readonly type: 'taken'; readonly name: string; readonly from: string; readonly bytes: number }
  | { readonly type: 'end'; readonly name: string; readonly from: string };

export interface UplinkChannel {
  /** To all other networks. */
  post(message: UplinkMessage): void;
  /** Names this network among the others. */
  readonly own: string;
}

const DHCP_PORTS: readonly number[] = [67, 68];

export class Uplink {
  readonly #port;
  /** Ends of pipes that stand for a machine of another network, by the pipe's name. */
  readonly #remote = new Map<string, { readonly end: BulkEnd; readonly from: string }>();
  /** Of the other networks' machines. */
  readonly #cables = new Map<string, Cable>();

  constructor(
    private readonly lan: Lan,
    private readonly clock: EventQueue,
    private readonly channel: UplinkChannel,
  ) {
    this.#port = lan.plug(clock, (frame) => {
      if (isShared(frame)) channel.post({ type: 'frame', frame });
    });
    lan.bulk.onJoin = (name, { model }) => channel.post({ type: 'join', name, from: channel.own, link: model });
    lan.onCableChanged = ({ model }) => channel.post({ type: 'link', from: channel.own, link: model });
    lan.bulletins.onPost = (bulletin) => channel.post({ type: 'bulletin', bulletin });
  }

  received(message: UplinkMessage): void {
    switch (message.type) {
      case 'frame':
        this.#port.send(message.frame);
        break;
      case 'join':
        this.#cable(message.from).model = message.link;
        this.#join(message.name, message.from);
        break;
      case 'link':
        this.#cable(message.from).model = message.link;
        break;
      case 'bulletin':
        this.lan.bulletins.received(message.bulletin);
        break;
      case 'data':
        this.#remote.get(message.name)?.end.send(message.bytes, () => {});
        break;
      case 'taken':
        this.#remote.get(message.name)?.end.take(message.bytes);
        break;
      case 'end':
        this.#end(message.name);
    }
  }

  /** A network is there no more: its ends of pipes are not either. */
  lost(from: string): void {
    for (const [name, remote] of this.#remote) {
      if (remote.from !== from) continue;
      this.#end(name);
      // In case that it only seemed so.
      this.channel.post({ type: 'end', name, from: this.channel.own });
    }
  }

  #cable(from: string): Cable {
    const known = this.#cables.get(from) ?? new Cable();
    this.#cables.set(from, known);
    return known;
  }

  #join(name: string, from: string): void {
    if (this.#remote.has(name)) return;
    const listener = {
      received: (bytes: Uint8Array) =>
        this.channel.post({ type: 'data', name, from: this.channel.own, to: from, bytes }),
      taken: (bytes: number) => this.channel.post({ type: 'taken', name, from: this.channel.own, bytes }),
      ended: () => {
        this.#remote.delete(name);
        this.channel.post({ type: 'end', name, from: this.channel.own });
      },
    };
    const end = this.lan.bulk.joinRemote(name, this.clock, listener, this.#cable(from));
    this.#remote.set(name, { end, from });
  }

  #end(name: string): void {
    const remote = this.#remote.get(name);
    this.#remote.delete(name);
    remote?.end.close();
  }
}

function isShared(bytes: Uint8Array): boolean {
  if (macText(bytes, 0) === GATEWAY_MAC || macText(bytes, 6) === GATEWAY_MAC) return false;
  const frame = decodeEthernet(bytes);
  const packet = frame?.type === ETHERTYPE_IPV4 ? decodeIpv4(frame.payload) : undefined;
  if (packet?.protocol !== PROTOCOL_UDP) return true;
  const datagram = decodeUdp(packet.payload, packet.source, packet.destination);
  return !datagram || !DHCP_PORTS.includes(datagram.destinationPort);
}
