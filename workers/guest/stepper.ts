/** How one process goes on by one step: signals first, then what it printed, then what its last step asked for, then the next step. */
import { costs } from './costs';
import type { OpenFiles } from './descriptors';
import type { Process } from './process';
import type { ProcessTable } from './processTable';
import type { Scheduler } from './scheduler';
import { defaultAction } from './signals';
import { type Program, type SignalName, type Step, type Sys, SysError } from './sys';

/**
 * Thrown through a program's step by a blocking call that has to wait: the kernel drops what the step printed, lets the
 * process wait, and runs the step again when the answer is there (`blockingAnswers`).
 */
export class RestartStep extends Error {
  override readonly name = 'RestartStep';
}

export interface StepperDeps {
  readonly scheduler: Scheduler;
  readonly processes: ProcessTable;
  readonly files: OpenFiles;
  readonly programs: ReadonlyMap<string, Program>;
  sysOf(process: Process): Sys;
  printk(line: string): void;
}

export class Stepper {
  /** Position in `blockingAnswers` of the next blocking call of the running step. */
  blockingCall = 0;
  /** The process whose step runs (/proc/self). */
  current: Process | undefined;

  constructor(private readonly deps: StepperDeps) {}

  run(process: Process): void {
    const { record } = process;
    const { scheduler } = this.deps;
    const nowNs = scheduler.nowNs;
    scheduler.charge(costs.stepNs);
    const startedNs = scheduler.nowNs;
    this.current = process;
    if (this.#deliverSignals(process)) this.#goOn(process);
    this.current = undefined;
    record.systemNs += startedNs - nowNs;
    record.userNs += scheduler.nowNs - startedNs;
  }

  #goOn(process: Process): void {
    const { record } = process;
    if (!this.#flush(process)) return;
    if (record.next) {
      this.#apply(process);
      // A process that may go on gets its step in the same turn.
      if (record.next || record.runState !== 'runnable' || record.pendingSignals.length > 0) return;
    }
    const before = record.output.length;
    try {
      record.next = this.#step(process);
      record.blockingAnswers = [];
    } catch (error) {
      if (error instanceof RestartStep) {
        record.output.length = before;
        return;
      }
      if (error instanceof SysError) this.#fail(process, error);
      else {
        this.#crash(process, error);
        return;
      }
    }
    if (record.runState === 'zombie') return;
    const cost = record.next?.do === 'exit' ? 0 : (record.next?.costNs ?? 0);
    this.deps.scheduler.charge(cost);
    if (record.next && this.#flush(process)) this.#apply(process);
  }

  #step(process: Process): Step {
    const { record } = process;
    const sys = this.deps.sysOf(process);
    if (!record.started) {
      record.state = process.program.start(sys) ?? null;
      record.started = true;
    }
    return process.program.step(sys, record.state);
  }

  /** A failure that the program did not catch. */
  #fail(process: Process, error: SysError): void {
    this.deps.sysOf(process).eprint(`${process.comm}: ${error.message}\n`);
    process.record.blockingAnswers = [];
    process.record.next = { do: 'exit', status: 1 };
  }

  /** A broken program must not take the host down: it dies as from a bad memory access, and the kernel log says why. */
  #crash(process: Process, error: unknown): void {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const lines = text
      .split('\n')
      .slice(0, 6)
      .map((line) => line.trim());
    this.deps.printk(`${process.comm}[${process.pid}]: segfault: ${lines.join(' ')}`);
    this.deps.processes.exit(process, { signal: 'SEGV' });
  }

  /** Carries out what the step asked for. */
  #apply(process: Process): void {
    const { record } = process;
    const step = record.next!;
    record.next = undefined;
    switch (step.do) {
      case 'exit':
        this.deps.processes.exit(process, { status: step.status });
        return;
      case 'wait':
        if (record.pendingSignals.length === 0) this.deps.scheduler.sleep(process, step.on);
        return;
      case 'again':
        if (record.exec) this.#exec(process);
    }
  }

  #exec(process: Process): void {
    const { record } = process;
    const image = record.exec!;
    record.exec = undefined;
    this.deps.sysOf(process).setMemory(0);
    record.program = image.program;
    record.argv = [...image.argv];
    record.env = { ...image.env };
    record.started = false;
    record.state = null;
    if (image.setUid !== undefined) record.uid = image.setUid;
    process.program = this.deps.programs.get(image.program)!;
    process.sys = undefined;
    this.deps.scheduler.charge(costs.execNs);
  }

  /** Writes out what the process printed; false when it has to wait, or died of it. */
  #flush(process: Process): boolean {
    const { record } = process;
    while (record.output.length > 0) {
      const { fd, bytes } = record.output[0]!;
      const file = process.fds.get(fd);
      let taken = bytes.length;
      if (file) {
        const ops = this.deps.files.opsOf(file);
        try {
          taken = file.canWrite ? ops.write(file, bytes, process) : bytes.length;
        } catch (error) {
          if (!(error instanceof SysError)) throw error;
          if (!this.#outputFailed(process, fd, error)) return false;
          continue;
        }
        this.deps.scheduler.charge(taken * costs.byteNs);
        if (taken === 0 && bytes.length > 0) {
          this.deps.scheduler.sleep(process, [{ writable: fd }]);
          return false;
        }
      }
      if (taken === bytes.length) record.output.shift();
      else record.output[0] = { fd, bytes: bytes.subarray(taken) };
    }
    return true;
  }

  /** EPIPE is SIGPIPE; anything else (a full disk) is reported once and makes the status 1. */
  #outputFailed(process: Process, fd: number, error: SysError): boolean {
    const { record } = process;
    record.output = record.output.filter((piece) => piece.fd !== fd);
    if (error.code === 'EPIPE' && !record.ignored.includes('PIPE')) {
      this.deps.processes.signal(process, 'PIPE');
      this.#deliverSignals(process);
      return process.record.runState === 'runnable';
    }
    if (fd !== 2) {
      this.deps.sysOf(process).eprint(`${process.comm}: write error: ${error.message}\n`);
      if (record.next?.do === 'exit' && record.next.status === 0) record.next = { do: 'exit', status: 1 };
    }
    return true;
  }

  /** Handles pending signals; false when the process is not runnable afterwards. */
  #deliverSignals(process: Process): boolean {
    const { record } = process;
    const { processes, scheduler } = this.deps;
    while (record.pendingSignals.length > 0) {
      const signal = record.pendingSignals.shift()!;
      scheduler.charge(costs.signalNs);
      if (this.#isCaught(process, signal)) continue;
      const action = process.pid === 1 ? 'ignore' : defaultAction(signal);
      if (action === 'terminate') processes.exit(process, { signal });
      // The terminal's stop signals do nothing to an orphaned group: nobody could continue it.
      else if (action === 'stop' && (signal === 'STOP' || !processes.isOrphaned(record.pgid)))
        processes.stop(process, signal);
      if (record.runState !== 'runnable') return false;
    }
    return true;
  }

  #isCaught(process: Process, signal: SignalName): boolean {
    if (signal === 'KILL' || signal === 'STOP') return false;
    const { record, program } = process;
    if (!program.signal || !record.started || record.exec) return false;
    try {
      return program.signal(this.deps.sysOf(process), record.state, signal);
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      return true;
    }
  }
}
