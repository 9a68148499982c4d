/**
 * One interpreter in a worker of its own, with a watchdog: a script that does not end is ended by ending its worker, and
 * the next script gets a fresh one. The hosts say how a worker is made.
 */
import type { MachineFacts, PythonResult, PythonRunner } from '../../xm/python';
import type { ScriptRequest } from './interpreter';

export interface ScriptWorker {
  /** Resolves with the answer to the next request; rejects when the worker died. */
  ask(request: ScriptRequest): Promise<PythonResult>;
  terminate(): void;
}

export interface PoolHost {
  makeWorker(): ScriptWorker;
  /** Wall time: the script is outside of the machine. Answers a function that cancels. */
  after(ms: number, action: () => void): () => void;
}

const WATCHDOG_MS = 2000;
/** The first script of a worker also waits for the interpreter to be loaded. */
const LOAD_MS = 8000;

export class PythonPool implements PythonRunner {
  #worker: ScriptWorker | undefined;
  #isWarm = false;
  #last: Promise<unknown> = Promise.resolve();

  constructor(readonly host: PoolHost) {}

  run(
    source: string,
    path: string,
    scriptVars: Readonly<Record<string, string>>,
    facts: MachineFacts,
  ): Promise<PythonResult> {
    const result = this.#last.then(() => this.#runOne({ source, path, scriptVars, facts }));
    this.#last = result;
    return result;
  }

  dispose(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
  }

  async #runOne(request: ScriptRequest): Promise<PythonResult> {
    if (!this.#worker) {
      this.#worker = this.host.makeWorker();
      this.#isWarm = false;
    }
    if (!this.#isWarm) {
      const loaded = await this.#ask({ ...request, source: '' }, LOAD_MS);
      if ('error' in loaded) return loaded;
      this.#isWarm = true;
    }
    return this.#ask(request, WATCHDOG_MS);
  }

  #ask(request: ScriptRequest, limitMs: number): Promise<PythonResult> {
    const worker = this.#worker!;
    return new Promise((resolve) => {
      const finish = (result: PythonResult, isDead: boolean) => {
        cancel();
        if (isDead && this.#worker === worker) {
          worker.terminate();
          this.#worker = undefined;
        }
        resolve(result);
      };
      const failure = (type: string, message: string): PythonResult => ({
        error: { type, message, line: 0 },
        stdout: '',
      });
      const cancel = this.host.after(limitMs, () => finish(failure('Timeout', 'time limit'), true));
      worker.ask(request).then(
        (result) => finish(result, false),
        (error: unknown) =>
          finish(failure('MemoryError', error instanceof Error ? error.message : 'the script was ended'), true),
      );
    });
  }
}
