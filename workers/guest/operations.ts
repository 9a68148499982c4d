/**
 * Host operations: ordinary asynchronous code of the toolstack that runs on behalf of a process of Domain-0. The only
 * thing a process can have that does not survive a snapshot; a machine waits for `inFlight` to reach 0 first.
 */
import type { Process } from './process';
import { WaitQueue } from './waitQueue';

/** What a running operation may use; an abort signal in the small. */
export interface Cancellation {
  readonly isCancelled: boolean;
  /** Called once when the process asks it to stop or dies; at once when that has happened already. */
  onCancel(listener: () => void): void;
}

export interface OperationIo {
  print(text: string | Uint8Array): void;
  eprint(text: string | Uint8Array): void;
  readonly cwd: string;
  readonly uid: number;
  readonly env: Readonly<Record<string, string>>;
  readonly pid: number;
  readonly cancelled: Cancellation;
}

export interface OperationResult {
  readonly status: number;
  /** Plain data. */
  readonly value?: unknown;
}

export type Operation = (argument: unknown, io: OperationIo) => Promise<OperationResult>;

interface Running {
  readonly pid: number;
  readonly queue: WaitQueue;
  result: OperationResult | undefined;
  /** It has printed since the process last ran. */
  hasNews: boolean;
  readonly listeners: (() => void)[];
  isCancelled: boolean;
}

export class Operations {
  readonly #registered = new Map<string, Operation>();
  readonly #running = new Map<number, Running>();
  #nextId = 1;

  /** `fail` reports an operation that threw, which is a defect of ours. */
  constructor(private readonly fail: (name: string, error: unknown) => void) {}

  register(name: string, run: Operation): void {
    this.#registered.set(name, run);
  }

  isRegistered(name: string): boolean {
    return this.#registered.has(name);
  }

  get inFlight(): number {
    return [...this.#running.values()].filter((it) => it.result === undefined).length;
  }

  start(name: string, argument: unknown, process: Process): number {
    const run = this.#registered.get(name)!;
    const id = this.#nextId++;
    const { record } = process;
    const running: Running = {
      pid: record.pid,
      queue: new WaitQueue(),
      result: undefined,
      hasNews: false,
      listeners: [],
      isCancelled: false,
    };
    this.#running.set(id, running);
    const print = (fd: number) => (text: string | Uint8Array) => {
      if (record.runState === 'zombie') return;
      record.output.push({ fd, bytes: typeof text === 'string' ? new TextEncoder().encode(text) : text.slice() });
      running.hasNews = true;
      running.queue.wake();
    };
    const io: OperationIo = {
      print: print(1),
      eprint: print(2),
      cwd: record.cwd,
      uid: record.uid,
      env: { ...record.env },
      pid: record.pid,
      cancelled: {
        get isCancelled() {
          return running.isCancelled;
        },
        onCancel: (listener) => {
          if (running.isCancelled) listener();
          else running.listeners.push(listener);
        },
      },
    };
    const finish = (result: OperationResult) => {
      running.result = result;
      running.queue.wake();
      if (!this.#running.has(id) || record.runState === 'zombie') this.#running.delete(id);
    };
    run(argument, io).then(finish, (error: unknown) => {
      this.fail(name, error);
      io.eprint(`${name}: ${error instanceof Error ? error.message : String(error)}\n`);
      finish({ status: 1 });
    });
    return id;
  }

  /** An operation that was lost (it was in flight when the state was taken) counts as failed. */
  result(id: number): OperationResult | undefined {
    const running = this.#running.get(id);
    if (!running) return { status: 1 };
    running.hasNews = false;
    return running.result;
  }

  isNewsworthy(id: number): boolean {
    const running = this.#running.get(id);
    return !running || running.result !== undefined || running.hasNews;
  }

  queueOf(id: number): WaitQueue | undefined {
    return this.#running.get(id)?.queue;
  }

  cancel(id: number): void {
    const running = this.#running.get(id);
    if (!running || running.isCancelled) return;
    running.isCancelled = true;
    for (const listener of running.listeners.splice(0)) listener();
  }

  /** The process ended: what it started is asked to stop, what has ended is forgotten. */
  abandon(process: Process): void {
    for (const [id, running] of this.#running) {
      if (running.pid !== process.pid) continue;
      this.cancel(id);
      if (running.result) this.#running.delete(id);
    }
  }
}
