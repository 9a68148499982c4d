/**
 * Drives a machine: takes events off the queue and runs them, in slices, either as fast as it can or paced to wall time.
 *
 * The toolstack is ordinary asynchronous code, but it only ever waits for things of this machine. So that the order of
 * things never depends on how fast the real computer is, the loop lets every promise settle before it runs the next
 * event ("settling"): whoever resolves a promise of the toolstack calls `wake()`.
 */
import type { VirtualClock } from '../lib/clock';

/** The outside world of a run loop; the only part that differs between the page and Node. */
export interface RunLoopPlatform {
  /** Monotonic wall clock, ms. */
  nowMs(): number;
  /** Resolves in a new macrotask: messages have been delivered and all settled promises have run on. */
  yield(): Promise<void>;
  /** Resolves after about `ms` of wall time, or earlier when `interrupt` was called. */
  sleep(ms: number): Promise<void>;
  /** Ends a running sleep early. */
  interrupt(): void;
}

/** How long a slice may keep the worker from answering messages, ms of wall time. */
const SLICE_MS = 6;
/** When paced time has fallen further behind than this, the debt is forgiven (the machine just ran slower). */
const MAX_LAG_MS = 250;
/** Time that keeps up for this long owes nothing any more, ms of wall time. */
const RECOVERED_MS = 1000;

/** Somebody who lets time pass until something has happened, or a moment has come. */
interface Wait {
  isDone(): boolean;
  readonly limitNs: number;
}

export class RunLoop {
  /** 1 is wall time, 0 stands still, Infinity as fast as possible. */
  #speed = 1;
  #stopped = false;
  #awake = false;
  #holds = 0;
  readonly #waits = new Set<Wait>();
  #lagMs = 0;
  /** Lag that was forgiven since time last kept up, ms. */
  #forgivenMs = 0;
  #lastBehindMs = 0;
  #wallAtAnchor = 0;
  #virtualAtAnchor = 0;

  constructor(
    readonly clock: VirtualClock,
    readonly platform: RunLoopPlatform,
    /** Called when an event threw: a bug of ours, shown at the worker's edge. The loop goes on. */
    readonly onError: (error: unknown) => void,
  ) {
    this.#anchor();
  }

  get speed(): number {
    return this.#speed;
  }

  set speed(speed: number) {
    this.#speed = speed;
    this.#lagMs = 0;
    this.#forgivenMs = 0;
    this.#anchor();
    this.platform.interrupt();
  }

  /** How far virtual time has fallen behind since it last kept up with wall time × speed, ms of virtual time. */
  get lagMs(): number {
    return this.#forgivenMs + this.#lagMs;
  }

  /** A promise that asynchronous code of this machine waits for has been settled: let it run before the next event. */
  wake(): void {
    this.#awake = true;
    this.platform.interrupt();
  }

  /**
   * Something outside of the machine (a script interpreter, storage) works for it. While time runs as fast as it can
   * it stands still for that long; paced time goes on.
   */
  async hold<T>(work: Promise<T>): Promise<T> {
    this.#holds++;
    try {
      return await work;
    } finally {
      this.#holds--;
      this.wake();
    }
  }

  /** Runs paced by `speed` until `stop`. */
  async run(): Promise<void> {
    this.#anchor();
    while (!this.#stopped) {
      const target = this.#targetNs();
      await this.#slice(target);
      if (this.#stopped) return;
      const waitMs = this.#waitMs();
      if (waitMs > 0) await this.platform.sleep(waitMs);
      else await this.platform.yield();
    }
  }

  stop(): void {
    this.#stopped = true;
    this.platform.interrupt();
  }

  get isStopped(): boolean {
    return this.#stopped;
  }

  /**
   * Runs as fast as it can until `isDone`, or until `limitNs` has been reached; true when done. For headless requests. Several
   * may wait at a time: none of them runs the machine past the moment for which another waits.
   */
  async runUntil(isDone: () => boolean, limitNs = Number.POSITIVE_INFINITY): Promise<boolean> {
    const wait = { isDone, limitNs };
    this.#waits.add(wait);
    try {
      // Whoever begins to wait at the same time is one of them.
      await this.platform.yield();
      return await this.#runFor(wait);
    } finally {
      this.#waits.delete(wait);
    }
  }

  async #runFor(wait: Wait): Promise<boolean> {
    const { isDone, limitNs } = wait;
    let sliceEnd = this.platform.nowMs() + SLICE_MS;
    while (!this.#stopped) {
      if (this.#awake || this.#holds > 0) {
        this.#awake = false;
        await this.platform.yield();
        continue;
      }
      if (isDone()) return true;
      if (this.#isOverForAnother(wait)) {
        await this.platform.yield();
        continue;
      }
      if (!this.#step(limitNs)) {
        // Nothing left to happen: whatever we wait for cannot come any more.
        if (limitNs !== Number.POSITIVE_INFINITY) this.clock.skipTo(limitNs);
        await this.platform.yield();
        if (this.#awake || this.#holds > 0) continue;
        return isDone();
      }
      if (this.platform.nowMs() >= sliceEnd) {
        await this.platform.yield();
        sliceEnd = this.platform.nowMs() + SLICE_MS;
      }
    }
    return isDone();
  }

  #isOverForAnother(wait: Wait): boolean {
    if (this.#waits.size < 2) return false;
    for (const { isDone, limitNs } of this.#waits)
      if (isDone() || (limitNs < wait.limitNs && this.clock.nextNs > limitNs)) return true;
    return false;
  }

  async #slice(targetNs: number): Promise<void> {
    const end = this.platform.nowMs() + SLICE_MS;
    for (;;) {
      if (this.#awake) {
        this.#awake = false;
        await this.platform.yield();
      }
      if (this.#stopped) return;
      if (this.#speed === Number.POSITIVE_INFINITY && this.#holds > 0) break;
      if (!this.#step(targetNs)) {
        if (targetNs !== Number.POSITIVE_INFINITY && targetNs > this.clock.nowNs) this.clock.skipTo(targetNs);
        break;
      }
      if (this.platform.nowMs() >= end) break;
    }
    this.#lagMs = targetNs === Number.POSITIVE_INFINITY ? 0 : Math.max(0, (targetNs - this.clock.nowNs) / 1e6);
    this.#forgive();
  }

  #forgive(): void {
    const nowMs = this.platform.nowMs();
    const limitMs = MAX_LAG_MS * Math.max(1, this.#speed);
    if (this.#lagMs > limitMs / 2) this.#lastBehindMs = nowMs;
    else if (nowMs - this.#lastBehindMs > RECOVERED_MS) this.#forgivenMs = 0;
    if (this.#lagMs <= limitMs) return;
    this.#forgivenMs += this.#lagMs;
    this.#lagMs = 0;
    this.#anchor();
  }

  #step(limitNs: number): boolean {
    try {
      return this.clock.runNext(limitNs);
    } catch (error) {
      this.onError(error);
      return true;
    }
  }

  #anchor(): void {
    this.#wallAtAnchor = this.platform.nowMs();
    this.#virtualAtAnchor = this.clock.nowNs;
  }

  /** Virtual time at which the machine should be now. */
  #targetNs(): number {
    if (this.#speed === 0) return this.clock.nowNs;
    if (this.#speed === Number.POSITIVE_INFINITY) return Number.POSITIVE_INFINITY;
    return this.#virtualAtAnchor + Math.floor((this.platform.nowMs() - this.#wallAtAnchor) * 1e6 * this.#speed);
  }

  /** How long nothing has to be done, ms of wall time. */
  #waitMs(): number {
    if (this.#awake) return 0;
    if (this.#speed === 0) return 50;
    const next = this.clock.nextNs;
    if (this.#speed === Number.POSITIVE_INFINITY) return next === Number.POSITIVE_INFINITY || this.#holds > 0 ? 20 : 0;
    return Math.min(20, (next - this.#targetNs()) / 1e6 / this.#speed);
  }
}
