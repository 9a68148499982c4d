/**
 * The local network that the hosts' cards are plugged into: a learning switch, and behind it a small router that hands
 * out addresses.
 */
import type { EventQueue } from '../lib/clock';
import { BROADCAST_MAC, macText } from '../lib/packet/addresses';
import { ETHERNET_HEADER } from '../lib/packet/packet';
import { type BulkEnd, BulkLinks, type BulkListener } from './bulk';

/** Time on the wire and in the switch for one frame, ns; a 100 Mbit/s network has 80 ns per byte. */
const LATENCY_NS = 30_000;
const NS_PER_BYTE = 80;

export interface LanPort {
  /** Puts a frame on the wire. */
  send(frame: Uint8Array): void;
  /** One end of a fast way for the data of a connection; see bulk.ts. */
  bulk(name: string, listener: BulkListener): BulkEnd;
  unplug(): void;
}

interface Plugged {
  readonly receive: (frame: Uint8Array) => void;
  readonly clock: EventQueue;
  /** When its cable is free again: frames to one port arrive one after the other. */
  freeNs: number;
}

export class Lan {
  readonly bulk = new BulkLinks();
  /** Addresses of the machines that are switched on: what their management processors would say. */
  readonly poweredOn = new Set<string>();
  readonly #ports = new Set<Plugged>();
  readonly #where = new Map<string, Plugged>();

  /** Plugs something in; `receive` is called on its own clock when a frame arrives. */
  plug(clock: EventQueue, receive: (frame: Uint8Array) => void): LanPort {
    const port: Plugged = { clock, receive, freeNs: 0 };
    this.#ports.add(port);
    const bulkEnds = new Set<BulkEnd>();
    return {
      send: (frame) => this.#send(port, frame),
      bulk: (name, listener) => {
        const end = this.bulk.join(name, clock, listener);
        bulkEnds.add(end);
        return end;
      },
      unplug: () => {
        for (const end of bulkEnds) end.close();
        this.#ports.delete(port);
        for (const [mac, at] of this.#where) if (at === port) this.#where.delete(mac);
      },
    };
  }

  #send(from: Plugged, frame: Uint8Array): void {
    if (!this.#ports.has(from) || frame.length < ETHERNET_HEADER) return;
    this.#where.set(macText(frame, 6), from);
    const destination = macText(frame, 0);
    const known = destination === BROADCAST_MAC ? undefined : this.#where.get(destination);
    const copy = frame.slice();
    for (const port of known ? [known] : this.#ports) if (port !== from) this.#deliver(port, copy);
  }

  #deliver(port: Plugged, frame: Uint8Array): void {
    const start = Math.max(port.clock.nowNs, port.freeNs);
    port.freeNs = start + frame.length * NS_PER_BYTE;
    port.clock.at(port.freeNs + LATENCY_NS, () => {
      if (this.#ports.has(port)) port.receive(frame);
    });
  }
}
