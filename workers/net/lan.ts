/**
 * The local network that the hosts' cards are plugged into: a learning switch, and behind it a small router that hands
 * out addresses.
 */
import type { EventQueue } from '../lib/clock';
import { BROADCAST_MAC, macText } from '../lib/packet/addresses';
import { ETHERNET_HEADER } from '../lib/packet/packet';
import { type BulkEnd, BulkLinks, type BulkListener } from './bulk';
import { Bulletins } from './bulletins';
import { Cable, GIGABIT, type LinkModel } from './cable';

/** Time on the wire and in the switch for one frame, ns; a 100 Mbit/s network has 80 ns per byte. A cable may add to both. */
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
  readonly cable: Cable;
  /** When its cable is free again: frames to one port arrive one after the other. */
  freeNs: number;
}

export class Lan {
  readonly bulk = new BulkLinks();
  readonly bulletins = new Bulletins();
  /** Addresses of the machines that are switched on: what their management processors would say. */
  readonly poweredOn = new Set<string>();
  readonly #ports = new Set<Plugged>();
  readonly #where = new Map<string, Plugged>();

  /** Told when a machine's cable has changed. */
  onCableChanged: (cable: Cable) => void = () => {};

  /** Plugs something in; `receive` is called on its own clock when a frame arrives. */
  plug(clock: EventQueue, receive: (frame: Uint8Array) => void, cable = new Cable()): LanPort {
    const port: Plugged = { clock, receive, cable, freeNs: 0 };
    this.#ports.add(port);
    const bulkEnds = new Set<BulkEnd>();
    return {
      send: (frame) => this.#send(port, frame),
      bulk: (name, listener) => {
        const end = this.bulk.join(name, clock, listener, cable);
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

  /** Another cable from now on. One that is pulled out ends what went through it. */
  changeCable(cable: Cable, model: LinkModel): void {
    cable.model = model;
    if (!model.isUp) this.bulk.cut(cable);
    this.onCableChanged(cable);
  }

  #send(from: Plugged, frame: Uint8Array): void {
    if (!this.#ports.has(from) || frame.length < ETHERNET_HEADER || !from.cable.model.isUp) return;
    this.#where.set(macText(frame, 6), from);
    const destination = macText(frame, 0);
    const known = destination === BROADCAST_MAC ? undefined : this.#where.get(destination);
    const copy = frame.slice();
    for (const port of known ? [known] : this.#ports) if (port !== from) this.#deliver(from, port, copy);
  }

  #deliver(from: Plugged, port: Plugged, frame: Uint8Array): void {
    const cables = [from.cable.model, port.cable.model];
    const start = Math.max(port.clock.nowNs, port.freeNs);
    const nsPerByte = Math.max(NS_PER_BYTE, ...cables.map(({ bitsPerSecond }) => 8e9 / bitsPerSecond));
    const extraNs = cables.reduce((sum, { latencyNs }) => sum + Math.max(0, latencyNs - GIGABIT.latencyNs), 0);
    port.freeNs = start + Math.round(frame.length * nsPerByte);
    port.clock.at(port.freeNs + LATENCY_NS + extraNs, () => {
      if (this.#ports.has(port) && port.cable.model.isUp) port.receive(frame);
    });
  }
}
