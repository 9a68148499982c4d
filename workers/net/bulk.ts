/**
 * A way for much data beside the frames of the network: two ends that name the same connection are joined by a pipe that
 * has the speed of a link and costs one message for many frames. It lasts as long as both ends are on the network.
 */
import type { EventQueue } from '../lib/clock';
import { Cable, type LinkModel, wayThrough } from './cable';

/** How one end learns what happens; called on its own clock. */
export interface BulkListener {
  received(bytes: Uint8Array): void;
  /** The other end has closed, or is on the network no more. */
  ended(): void;
  /** So many of the bytes that were sent have been used at the other end. */
  taken?(bytes: number): void;
}

export interface BulkEnd {
  /**
   * Puts bytes on the link; `sent` is called when the link has taken them and the other end is not too far behind. Nothing
   * happens after the end. What is large is given away: its buffer may be moved to another tab.
   */
  send(bytes: Uint8Array, sent: () => void): void;
  /** So many of the bytes that were received have been used. */
  take(bytes: number): void;
  close(): void;
}

/** What may be on its way or wait at the other end before the sender waits too, bytes. */
const WINDOW = 6 << 20;

/** The time of the link has passed already. */
const NO_TIME: LinkModel = { bitsPerSecond: Number.POSITIVE_INFINITY, latencyNs: 0, isUp: true };

interface Side {
  readonly clock: EventQueue;
  readonly cable: Cable;
  readonly listener: BulkListener;
  /** When its half of the link is free. */
  freeNs: number;
  isClosed: boolean;
  /** Stands for an end on another network: what it sends has had its time on the link already. */
  readonly isRemote: boolean;
  /** Sent before the other end was there. */
  readonly early: (() => void)[];
  /** Sent and not yet used at the other end, bytes. */
  outstanding: number;
  /** Senders that wait until there is less of it. */
  readonly waiting: (() => void)[];
}

export class BulkLinks {
  readonly #waiting = new Map<string, Side>();
  readonly #pairs = new Map<Side, Side>();
  readonly #answers = new Set<{ readonly prefix: string; accept(name: string): boolean }>();

  /** Told when somebody here has joined a pipe whose other end may not be here. */
  onJoin: (name: string, cable: Cable) => void = () => {};

  /** One end of the pipe that both sides call `name`, behind this machine's cable. */
  join(name: string, clock: EventQueue, listener: BulkListener, cable = new Cable()): BulkEnd {
    const end = this.#join(name, clock, listener, cable, false);
    this.onJoin(name, cable);
    return end;
  }

  /** The same for an end on another network, whose data has had its time on the link already. */
  joinRemote(name: string, clock: EventQueue, listener: BulkListener, cable = new Cable()): BulkEnd {
    return this.#join(name, clock, listener, cable, true);
  }

  /**
   * Whoever joins a pipe whose name begins like this, and finds nobody at its other end, is answered: `accept` joins that end,
   * or returns false when it does not want to. Returns what ends this.
   */
  answer(prefix: string, accept: (name: string) => boolean): () => void {
    const answer = { prefix, accept };
    this.#answers.add(answer);
    return () => this.#answers.delete(answer);
  }

  #join(name: string, clock: EventQueue, listener: BulkListener, cable: Cable, isRemote: boolean): BulkEnd {
    const side: Side = {
      clock,
      cable,
      listener,
      freeNs: 0,
      isClosed: false,
      isRemote,
      early: [],
      outstanding: 0,
      waiting: [],
    };
    const other = this.#waiting.get(name);
    if (other) {
      this.#waiting.delete(name);
      this.#pairs.set(side, other).set(other, side);
      for (const action of other.early.splice(0)) action();
    } else {
      this.#waiting.set(name, side);
      [...this.#answers].some(({ prefix, accept }) => name.startsWith(prefix) && accept(name));
    }
    return {
      send: (bytes, sent) => {
        const action = () => this.#send(side, bytes, sent);
        if (this.#pairs.has(side)) action();
        else if (!side.isClosed) side.early.push(action);
      },
      take: (bytes) => this.#take(side, bytes),
      close: () => {
        if (this.#waiting.get(name) === side) this.#waiting.delete(name);
        this.#close(side);
      },
    };
  }

  /** A link is lost, by default every one: its pipes end for both sides, and what was on its way does not arrive. */
  cut(cable?: Cable): void {
    const isCut = (side: Side) => cable === undefined || side.cable === cable || this.#pairs.get(side)?.cable === cable;
    const sides = [...this.#pairs.keys()].filter(isCut);
    for (const [name, side] of this.#waiting) {
      if (!isCut(side)) continue;
      this.#waiting.delete(name);
      sides.push(side);
    }
    for (const side of sides) this.#pairs.delete(side);
    for (const side of sides) {
      if (side.isClosed) continue;
      side.isClosed = true;
      side.clock.at(side.clock.nowNs, () => side.listener.ended());
    }
  }

  #send(from: Side, bytes: Uint8Array, sent: () => void): void {
    const to = this.#pairs.get(from);
    if (!to || from.isClosed) return;
    const way = from.isRemote ? NO_TIME : wayThrough(from.cable, to.cable);
    // It was pulled out before this pipe was there, or nobody would have joined it.
    if (!way.isUp) return;
    const { bitsPerSecond, latencyNs } = way;
    const start = Math.max(from.clock.nowNs, from.freeNs);
    const durationNs = Math.round((bytes.length * 8e9) / bitsPerSecond);
    from.freeNs = start + durationNs;
    const delayNs = from.freeNs - from.clock.nowNs + latencyNs;
    from.outstanding += bytes.length;
    from.clock.at(from.freeNs, () => {
      if (from.outstanding <= WINDOW) sent();
      else from.waiting.push(sent);
    });
    to.clock.at(to.clock.nowNs + delayNs, () => {
      if (!to.isClosed && this.#pairs.get(to) === from) to.listener.received(bytes);
    });
  }

  #take(by: Side, bytes: number): void {
    const sender = this.#pairs.get(by);
    if (!sender) return;
    sender.outstanding -= bytes;
    sender.listener.taken?.(bytes);
    if (sender.outstanding > WINDOW) return;
    const { latencyNs } = sender.isRemote || by.isRemote ? NO_TIME : wayThrough(sender.cable, by.cable);
    for (const sent of sender.waiting.splice(0)) sender.clock.at(sender.clock.nowNs + latencyNs, sent);
  }

  #close(side: Side): void {
    if (side.isClosed) return;
    side.isClosed = true;
    const other = this.#pairs.get(side);
    if (!other) return;
    this.#pairs.delete(side);
    // What is on its way still arrives: the end comes behind it.
    const { latencyNs } = side.isRemote ? NO_TIME : wayThrough(side.cable, other.cable);
    const behindNs = Math.max(0, side.freeNs - side.clock.nowNs) + latencyNs;
    other.clock.at(other.clock.nowNs + behindNs, () => {
      this.#pairs.delete(other);
      if (other.isClosed) return;
      other.isClosed = true;
      other.listener.ended();
    });
  }
}
