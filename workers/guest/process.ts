/**
 * A process: a program's name, its plain state, its descriptors, and what it is waiting for.
 *
 * Everything here is plain data except `sys`, `sleepingOn` and `timer`, which are made again after a restore.
 */
import type { QueuedEvent } from '../lib/clock';
import type { ErrnoName } from '../lib/errno';
import type { OpenFile } from './openFile';
import type { ChildEvent, Program, SignalName, Step, Sys, Wait } from './sys';
import type { WaitQueue } from './waitQueue';

export interface Output {
  readonly fd: number;
  readonly bytes: Uint8Array;
}

/** A program to become, looked up already. */
export interface ExecImage {
  readonly program: string;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Owner of a set-user-id executable. */
  readonly setUid: number | undefined;
}

/** How a call that takes time (mount, umount) ended. */
export type BlockingResult =
  | { readonly ok: true; readonly text?: string }
  | { readonly ok: false; readonly code: ErrnoName; readonly subject: string };

/** The answer to a blocking call of the current step; `call` is what was asked. */
export interface BlockingAnswer {
  readonly call: string;
  readonly result: BlockingResult;
}

export type ProcessState = 'runnable' | 'waiting' | 'stopped' | 'zombie';

/** What is saved of a process; descriptors by the number of their open file. */
export interface ProcessRecord {
  readonly pid: number;
  ppid: number;
  pgid: number;
  sid: number;
  /** Effective and real user. */
  uid: number;
  ruid: number;
  gid: number;
  cwd: string;
  umask: number;
  /** −20 … 19: how much of the cpu it leaves to others. */
  nice: number;
  /** Controlling terminal's number, 0 = none. */
  tty: number;
  program: string;
  argv: readonly string[];
  env: Record<string, string>;
  started: boolean;
  state: unknown;
  runState: ProcessState;
  waits: readonly Wait[];
  /** Order in which sleepers went to sleep, so that a restore wakes them in the same order. */
  sleepSequence: number;
  /** What the last step asked for, held back until its output is written. */
  next: Step | undefined;
  output: Output[];
  pendingSignals: SignalName[];
  ignored: SignalName[];
  exec: ExecImage | undefined;
  /** Answers of this step's blocking calls so far; the step is run again from its start with them. */
  blockingAnswers: BlockingAnswer[];
  /** One such call is on its way. */
  isBlocked: boolean;
  children: number[];
  childEvents: ChildEvent[];
  exit: ChildEvent | undefined;
  vcpu: number;
  sliceNs: number;
  userNs: number;
  systemNs: number;
  childrenNs: number;
  startNs: number;
  /** Guest frames that it has for itself (programMemory.ts). */
  readonly memory: number[];
}

export class Process {
  readonly fds = new Map<number, OpenFile>();
  /** Queues it is entered in while it waits. */
  sleepingOn: WaitQueue[] = [];
  timer: QueuedEvent | undefined;
  sys: Sys | undefined;
  /** The program object that `record.program` names. */
  program: Program;

  constructor(
    readonly record: ProcessRecord,
    program: Program,
    private readonly onRecheck: (process: Process) => void,
  ) {
    this.program = program;
  }

  get pid(): number {
    return this.record.pid;
  }

  get comm(): string {
    return (this.record.argv[0] ?? this.record.program).replace(/^.*\//, '').slice(0, 15);
  }

  recheck(): void {
    this.onRecheck(this);
  }
}

/** A record with everything at its start values. */
export function newRecord(
  given: Pick<
    ProcessRecord,
    'pid' | 'ppid' | 'pgid' | 'sid' | 'uid' | 'gid' | 'cwd' | 'program' | 'argv' | 'env' | 'startNs'
  > &
    Partial<ProcessRecord>,
): ProcessRecord {
  return {
    ruid: given.uid,
    umask: 0o022,
    nice: 0,
    tty: 0,
    started: false,
    state: null,
    runState: 'runnable',
    waits: [],
    sleepSequence: 0,
    next: undefined,
    output: [],
    pendingSignals: [],
    ignored: [],
    exec: undefined,
    blockingAnswers: [],
    isBlocked: false,
    children: [],
    childEvents: [],
    exit: undefined,
    vcpu: 0,
    sliceNs: 0,
    userNs: 0,
    systemNs: 0,
    childrenNs: 0,
    memory: [],
    ...given,
  };
}
