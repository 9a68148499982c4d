/**
 * Virtual time: one clock and one event queue for a whole host.
 *
 * Times are nanoseconds since the host was switched on, held as safe integers (exact for 104 days of uptime);
 * only ABI structures, whose fields are 64 bits wide, carry them as bigint. Events at equal times run in the order
 * in which they were queued, so that a host with the same seed and inputs runs the same way every time.
 */
export interface Clock {
  /** Nanoseconds since the host was switched on. */
  readonly nowNs: number;
}

export interface QueuedEvent {
  /** Takes the event out of the queue; harmless when it has run already. */
  cancel(): void;
}

export interface EventQueue extends Clock {
  /** Runs `action` at the given time; a time in the past means now, after what is queued for now. */
  at(timeNs: number, action: () => void): QueuedEvent;
  /** When the next event is due; Infinity when there is none. */
  readonly nextNs: number;
}

class Entry implements QueuedEvent {
  constructor(
    readonly timeNs: number,
    readonly sequence: number,
    /** Undefined: it has run, or never will. */
    public action: (() => void) | undefined,
  ) {}

  cancel(): void {
    this.action = undefined;
  }
}

/** A clock that moves only when told to: a binary heap keyed by (time, sequence). */
export class VirtualClock implements EventQueue {
  #nowNs = 0;
  #sequence = 0;
  #heap: Entry[] = [];

  get nowNs(): number {
    return this.#nowNs;
  }

  get nextNs(): number {
    this.#dropCancelled();
    return this.#heap[0]?.timeNs ?? Number.POSITIVE_INFINITY;
  }

  at(timeNs: number, action: () => void): QueuedEvent {
    const entry = new Entry(Math.max(timeNs, this.#nowNs), this.#sequence++, action);
    this.#push(entry);
    return entry;
  }

  /** Moves to the next event due at or before `limitNs` and runs it; false (and time unchanged) when there is none. */
  runNext(limitNs = Number.POSITIVE_INFINITY): boolean {
    this.#dropCancelled();
    const entry = this.#heap[0];
    if (!entry || entry.timeNs > limitNs) return false;
    this.#pop();
    this.#nowNs = entry.timeNs;
    const action = entry.action!;
    entry.action = undefined;
    action();
    return true;
  }

  /** Runs everything due up to `timeNs` and stands there afterwards. For tests without asynchronous parts. */
  advanceTo(timeNs: number): void {
    while (this.runNext(timeNs));
    if (timeNs > this.#nowNs) this.#nowNs = timeNs;
  }

  /** Moves the time forward without running anything; refuses to step over a queued event. */
  skipTo(timeNs: number): void {
    if (timeNs > this.nextNs) throw new Error(`an event is due at ${this.nextNs}, before ${timeNs}`);
    if (timeNs > this.#nowNs) this.#nowNs = timeNs;
  }

  #dropCancelled(): void {
    while (this.#heap.length > 0 && this.#heap[0]!.action === undefined) this.#pop();
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(entry, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.timeNs < b.timeNs || (a.timeNs === b.timeNs && a.sequence < b.sequence);
}

/** The part of a queue that belongs to one thing which can be switched off: nothing that it has queued happens afterwards. */
export class SwitchedQueue implements EventQueue {
  #isOn = true;

  constructor(readonly queue: EventQueue) {}

  get nowNs(): number {
    return this.queue.nowNs;
  }

  get nextNs(): number {
    return this.queue.nextNs;
  }

  at(timeNs: number, action: () => void): QueuedEvent {
    return this.queue.at(timeNs, () => {
      if (this.#isOn) action();
    });
  }

  switchOff(): void {
    this.#isOn = false;
  }
}
