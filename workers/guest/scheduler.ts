/**
 * The process scheduler: one run queue for each vcpu, round robin with a quantum; an idle vcpu takes work from the longest
 * queue, so that as many vcpus are busy as there are runnable processes. Also the kernel's timers and its load average.
 */
import { type QueuedEvent, VirtualClock } from '../lib/clock';
import { quantumNs } from './costs';
import type { KernelMachine } from './machine';
import type { Process } from './process';
import type { Wait } from './sys';
import type { WaitQueue } from './waitQueue';

/** What the scheduler asks of the rest of the kernel. */
export interface SchedulerHooks {
  /** Whether the condition holds now. */
  holds(process: Process, wait: Wait): boolean;
  /** The queue whose wake-ups may make it hold; undefined for time. */
  queueOf(process: Process, wait: Wait): WaitQueue | undefined;
  /** Runs one step; the cost in ns is what `charge` collected meanwhile. */
  runStep(process: Process): void;
  /** Interrupt work that was put off (drivers' `defer`). */
  runDeferred(): void;
}

export interface SchedulerState {
  readonly queues: readonly (readonly number[])[];
  readonly idle: readonly boolean[];
  readonly busyNs: readonly number[];
  readonly timersNowNs: number;
  readonly sleepSequence: number;
  readonly load: readonly number[];
  readonly loadAtNs: number;
  readonly switches: number;
  readonly armedNs: number | undefined;
}

const LOAD_PERIODS_NS = [60e9, 300e9, 900e9];

export class Scheduler {
  readonly #queues: Process[][] = [];
  readonly #idle: boolean[] = [];
  readonly #busyNs: number[] = [];
  #timers = new VirtualClock();
  #sleepSequence = 0;
  #load = [0, 0, 0];
  #loadAtNs = 0;
  #switches = 0;
  #armedNs: number | undefined;
  /** The vcpu whose `runVcpu` is active; undefined outside of it. */
  #running: number | undefined;
  #runStartNs = 0;
  #usedNs = 0;
  isHalted = false;

  constructor(
    private readonly machine: KernelMachine,
    private readonly hooks: SchedulerHooks,
  ) {
    for (let vcpu = 0; vcpu < machine.vcpus; vcpu++) {
      this.#queues.push([]);
      this.#idle.push(true);
      this.#busyNs.push(0);
    }
  }

  /** The guest's time; moves on while a step is charged. */
  get nowNs(): number {
    const machineNow = this.machine.nowNs;
    return this.#running === undefined ? machineNow : Math.max(machineNow, this.#runStartNs + Math.floor(this.#usedNs));
  }

  get runningVcpu(): number {
    return this.#running ?? 0;
  }

  get switches(): number {
    return this.#switches;
  }

  busyNs(vcpu: number): number {
    return this.#busyNs[vcpu] ?? 0;
  }

  /** cpu time spent by what runs now; outside of `runVcpu` the machine charges its own interrupt work. */
  charge(ns: number): void {
    if (this.#running !== undefined) this.#usedNs += ns;
  }

  /** Runs work of this vcpu for about `budgetNs` (a step is never cut). `idle`: nothing is left to run. */
  runVcpu(vcpu: number, budgetNs: number): { usedNs: number; idle: boolean } {
    if (this.isHalted || !this.machine.isOnline(vcpu)) return { usedNs: 0, idle: true };
    this.#running = vcpu;
    this.#runStartNs = this.machine.nowNs;
    this.#usedNs = 0;
    const queue = this.#queues[vcpu]!;
    this.#idle[vcpu] = false;
    try {
      this.runTimers();
      while (this.#usedNs < budgetNs && !this.isHalted) {
        this.hooks.runDeferred();
        const process = queue[0] ?? this.#steal(vcpu);
        if (!process) break;
        this.#runOne(queue, process);
        this.runTimers();
      }
    } finally {
      this.#running = undefined;
    }
    const usedNs = Math.floor(this.#usedNs);
    this.#busyNs[vcpu]! += usedNs;
    const idle = this.isHalted || queue.length === 0;
    this.#idle[vcpu] = idle;
    this.#arm();
    return { usedNs, idle };
  }

  #runOne(queue: Process[], process: Process): void {
    const { record } = process;
    const before = this.#usedNs;
    this.hooks.runStep(process);
    record.sliceNs += this.#usedNs - before;
    if (record.runState !== 'runnable') {
      record.sliceNs = 0;
      this.#switches++;
    } else if (record.sliceNs >= quantumNs(record.nice)) {
      record.sliceNs = 0;
      if (queue.length > 1 && queue[0] === process) {
        queue.push(queue.shift()!);
        this.#switches++;
      }
    }
  }

  /** Takes a waiting process from the longest queue, or anything from a vcpu that went offline. */
  #steal(vcpu: number): Process | undefined {
    let from: Process[] | undefined;
    for (let other = 0; other < this.#queues.length; other++) {
      const queue = this.#queues[other]!;
      const least = this.machine.isOnline(other) ? 2 : 1;
      if (other !== vcpu && queue.length >= least && queue.length > (from?.length ?? 0)) from = queue;
    }
    const stolen = from?.pop();
    if (stolen) {
      stolen.record.vcpu = vcpu;
      this.#queues[vcpu]!.push(stolen);
    }
    return stolen;
  }

  /** Puts a process that can go on into a run queue and sees to it that a vcpu runs it. */
  enqueue(process: Process): void {
    this.#decayLoad();
    this.#wakeUp(process);
    process.record.runState = 'runnable';
    process.record.waits = [];
    const vcpu = this.#chooseVcpu(process.record.vcpu);
    process.record.vcpu = vcpu;
    this.#queues[vcpu]!.push(process);
    if (this.#idle[vcpu] && this.#running !== vcpu) {
      this.#idle[vcpu] = false;
      this.machine.kick(vcpu);
    }
  }

  #chooseVcpu(last: number): number {
    const isFree = (vcpu: number) =>
      this.machine.isOnline(vcpu) && (this.#idle[vcpu]! || this.#running === vcpu) && this.#queues[vcpu]!.length === 0;
    if (isFree(last)) return last;
    for (let vcpu = 0; vcpu < this.#queues.length; vcpu++) if (isFree(vcpu)) return vcpu;
    return this.machine.isOnline(last) ? last : 0;
  }

  /** Takes a process off the run queue (it waits, is stopped, or ended). */
  dequeue(process: Process): void {
    const queue = this.#queues[process.record.vcpu]!;
    const at = queue.indexOf(process);
    if (at < 0) return;
    this.#decayLoad();
    queue.splice(at, 1);
  }

  /** Lets a process wait; it stays runnable when one of the conditions holds already. */
  sleep(process: Process, waits: readonly Wait[]): void {
    if (waits.some((wait) => this.hooks.holds(process, wait))) return;
    this.dequeue(process);
    process.record.runState = 'waiting';
    process.record.waits = waits;
    process.record.sleepSequence = this.#sleepSequence++;
    this.#enterQueues(process);
  }

  /** Lets a process wait for whoever calls `enqueue`: a blocking call. */
  block(process: Process): void {
    this.dequeue(process);
    process.record.runState = 'waiting';
    process.record.waits = [];
    process.record.sleepSequence = this.#sleepSequence++;
  }

  #enterQueues(process: Process): void {
    let untilNs = Number.POSITIVE_INFINITY;
    for (const wait of process.record.waits) {
      if ('untilNs' in wait) untilNs = Math.min(untilNs, wait.untilNs);
      const queue = this.hooks.queueOf(process, wait);
      if (!queue || process.sleepingOn.includes(queue)) continue;
      queue.add(process);
      process.sleepingOn.push(queue);
    }
    if (Number.isFinite(untilNs)) process.timer = this.#timers.at(Math.ceil(untilNs), () => this.enqueue(process));
    if (this.#running === undefined) this.#arm();
  }

  /** Something happened to an object the process waits for. */
  recheck(process: Process): void {
    const { record } = process;
    if (record.runState !== 'waiting') return;
    if (record.waits.some((wait) => this.hooks.holds(process, wait))) this.enqueue(process);
  }

  /** Leaves all wait queues without becoming runnable. */
  #wakeUp(process: Process): void {
    for (const queue of process.sleepingOn) queue.remove(process);
    process.sleepingOn = [];
    process.timer?.cancel();
    process.timer = undefined;
  }

  /** Neither runs nor waits any more. */
  forget(process: Process): void {
    this.dequeue(process);
    this.#wakeUp(process);
  }

  /** A timer of the kernel itself or of a driver; not saved: its owner sets it again after a restore. */
  at(timeNs: number, action: () => void): QueuedEvent {
    const event = this.#timers.at(timeNs, action);
    if (this.#running === undefined) this.#arm();
    return event;
  }

  /** Runs the timers that are due. */
  runTimers(): void {
    if (this.#timers.nextNs <= this.nowNs) this.#timers.advanceTo(this.nowNs);
  }

  /** The machine's timer fired, or time has passed: runs what is due and sets the next one. */
  timerInterrupt(): void {
    this.#armedNs = undefined;
    this.runTimers();
    this.#arm();
  }

  #arm(): void {
    const next = this.#timers.nextNs;
    const wanted = Number.isFinite(next) ? next : undefined;
    if (wanted === this.#armedNs) return;
    this.#armedNs = wanted;
    this.machine.setTimer(wanted);
  }

  /** Vcpus were plugged or unplugged: nothing stays in the queue of one that is offline. */
  vcpusChanged(): void {
    for (let vcpu = 0; vcpu < this.#queues.length; vcpu++) {
      if (this.machine.isOnline(vcpu)) continue;
      this.#idle[vcpu] = true;
      for (const process of this.#queues[vcpu]!.splice(0)) this.enqueue(process);
    }
    // A new vcpu takes its share of what waits elsewhere.
    const isCrowded = this.#queues.some((queue) => queue.length > 1);
    for (let vcpu = 0; vcpu < this.#queues.length && isCrowded; vcpu++)
      if (this.#idle[vcpu] && this.machine.isOnline(vcpu)) this.machine.kick(vcpu);
  }

  get runnableCount(): number {
    return this.#queues.reduce((sum, queue) => sum + queue.length, 0);
  }

  /** Exponentially decayed mean of the runnable processes over 1, 5 and 15 minutes. */
  loadAverage(): readonly number[] {
    this.#decayLoad();
    return this.#load;
  }

  #decayLoad(): void {
    const nowNs = this.nowNs;
    const elapsed = nowNs - this.#loadAtNs;
    if (elapsed <= 0) return;
    this.#loadAtNs = nowNs;
    const runnable = this.runnableCount;
    this.#load = this.#load.map((load, i) => {
      const keep = Math.exp(-elapsed / LOAD_PERIODS_NS[i]!);
      return load * keep + runnable * (1 - keep);
    });
  }

  save(): SchedulerState {
    return {
      queues: this.#queues.map((queue) => queue.map((process) => process.pid)),
      idle: [...this.#idle],
      busyNs: [...this.#busyNs],
      timersNowNs: this.#timers.nowNs,
      sleepSequence: this.#sleepSequence,
      load: [...this.#load],
      loadAtNs: this.#loadAtNs,
      switches: this.#switches,
      armedNs: this.#armedNs,
    };
  }

  /** After the processes and open files are back; `sleepers` in the order in which they went to sleep. */
  restore(state: SchedulerState, processOf: (pid: number) => Process, sleepers: readonly Process[]): void {
    state.queues.forEach((pids, vcpu) => {
      this.#queues[vcpu]?.push(...pids.map(processOf));
    });
    state.idle.forEach((idle, vcpu) => {
      this.#idle[vcpu] = idle;
    });
    state.busyNs.forEach((ns, vcpu) => {
      this.#busyNs[vcpu] = ns;
    });
    this.#timers.advanceTo(state.timersNowNs);
    this.#sleepSequence = state.sleepSequence;
    this.#load = [...state.load];
    this.#loadAtNs = state.loadAtNs;
    this.#switches = state.switches;
    for (const process of sleepers) this.#enterQueues(process);
    // Whoever waits for a disk asks it again: the first question was not saved.
    for (const process of sleepers) this.recheck(process);
    this.#armedNs = undefined;
    this.#arm();
  }
}
