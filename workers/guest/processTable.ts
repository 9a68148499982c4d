/** All processes: birth, exit, waiting for children, signals, groups and sessions. */

import { costs } from './costs';
import type { OpenFiles } from './descriptors';
import type { OpenFile } from './openFile';
import { type ExecImage, newRecord, Process, type ProcessRecord } from './process';
import type { Scheduler } from './scheduler';
import { defaultAction } from './signals';
import { type ChildEvent, type Program, type SignalName, SysError } from './sys';
import { WaitQueue } from './waitQueue';

const PID_MAX = 32768;

export interface ProcessTableDeps {
  readonly scheduler: Scheduler;
  readonly files: OpenFiles;
  readonly programs: ReadonlyMap<string, Program>;
  /** A process ended: terminals, operations and the host's observers are told before its parent is. */
  onExit(process: Process): void;
  /** init died. */
  onInitExit(event: ChildEvent): void;
}

export interface Birth {
  readonly image: ExecImage;
  readonly parent: Process | undefined;
  readonly cwd: string;
  readonly uid: number;
  readonly ruid: number;
  readonly gid: number;
  readonly fds: ReadonlyMap<number, OpenFile>;
  /** 0: a group of its own. */
  readonly pgid: number | undefined;
  readonly newSession: boolean;
  /** State to continue with (a fork) instead of calling `start`. */
  readonly forkedState?: unknown;
  readonly tty?: number;
  /** Only for init. */
  readonly pid?: number;
}

export class ProcessTable {
  readonly processes = new Map<number, Process>();
  readonly #childQueues = new Map<number, WaitQueue>();
  /** Number 1 is init's and nobody else's. */
  nextPid = 2;

  constructor(private readonly deps: ProcessTableDeps) {}

  get(pid: number): Process | undefined {
    return this.processes.get(pid);
  }

  /** Processes in order of their numbers. */
  all(): readonly Process[] {
    return [...this.processes.values()].sort((a, b) => a.pid - b.pid);
  }

  birth(given: Birth): Process {
    const parent = given.parent?.record;
    const pid = given.pid ?? this.#allocatePid();
    const isLeader = given.newSession || !parent;
    const { image } = given;
    const record = newRecord({
      pid,
      ppid: parent?.pid ?? 0,
      sid: isLeader ? pid : parent.sid,
      pgid: isLeader || given.pgid === 0 ? pid : (given.pgid ?? parent.pgid),
      tty: given.tty ?? (isLeader ? 0 : parent.tty),
      uid: image.setUid ?? given.uid,
      ruid: given.ruid,
      gid: given.gid,
      cwd: given.cwd,
      program: image.program,
      argv: [...image.argv],
      env: { ...image.env },
      umask: parent?.umask ?? 0o022,
      nice: parent?.nice ?? 0,
      ignored: [...(parent?.ignored ?? [])],
      vcpu: parent?.vcpu ?? 0,
      startNs: this.deps.scheduler.nowNs,
    });
    if (given.forkedState !== undefined) {
      record.state = given.forkedState;
      record.started = true;
    }
    const process = this.#insert(record);
    for (const [fd, file] of given.fds) this.deps.files.installAt(process, file, fd);
    parent?.children.push(pid);
    this.deps.scheduler.charge(costs.spawnNs);
    this.deps.scheduler.enqueue(process);
    return process;
  }

  /** A process from its saved record; the scheduler is restored afterwards. */
  restore(record: ProcessRecord): Process {
    return this.#insert(record);
  }

  #insert(record: ProcessRecord): Process {
    const program = this.deps.programs.get(record.program);
    if (!program) throw new Error(`no program named ${record.program}`);
    const process = new Process(record, program, (it) => this.deps.scheduler.recheck(it));
    this.processes.set(record.pid, process);
    return process;
  }

  #allocatePid(): number {
    while (this.processes.has(this.nextPid)) this.nextPid = this.nextPid >= PID_MAX ? 2 : this.nextPid + 1;
    const pid = this.nextPid;
    this.nextPid = pid >= PID_MAX ? 2 : pid + 1;
    return pid;
  }

  // --- exit and wait

  /** Ends a process; what it leaves is an entry for its parent to collect. */
  exit(process: Process, how: { status: number } | { signal: SignalName }): void {
    const { record } = process;
    if (record.runState === 'zombie') return;
    const event: ChildEvent =
      'status' in how
        ? { pid: record.pid, kind: 'exited', status: how.status & 0xff }
        : { pid: record.pid, kind: 'signaled', signal: how.signal };
    this.deps.scheduler.charge(costs.exitNs);
    this.deps.scheduler.forget(process);
    record.runState = 'zombie';
    record.exit = event;
    record.output = [];
    record.state = null;
    record.pendingSignals = [];
    this.deps.files.closeAll(process);
    this.deps.onExit(process);
    this.#leaveChildren(process);
    this.#hangUpOrphans(process);
    if (record.pid === 1) this.deps.onInitExit(event);
    const parent = this.processes.get(record.ppid);
    if (parent) this.#report(parent, event);
    else this.#remove(process);
  }

  #report(parent: Process, event: ChildEvent): void {
    const { record } = parent;
    record.childEvents = [...record.childEvents.filter((old) => old.pid !== event.pid), event];
    this.childQueue(parent).wake();
    this.signal(parent, 'CHLD');
  }

  /** Children go to init; without init, the dead ones just go. */
  #leaveChildren(process: Process): void {
    const init = process.pid === 1 ? undefined : this.processes.get(1);
    for (const pid of process.record.children) {
      const child = this.processes.get(pid);
      if (!child) continue;
      if (init) {
        child.record.ppid = 1;
        init.record.children.push(pid);
        if (child.record.exit) this.#report(init, child.record.exit);
      } else {
        child.record.ppid = 0;
        if (child.record.exit) this.#remove(child);
      }
    }
    process.record.children = [];
    process.record.childEvents = [];
    this.#childQueues.delete(process.pid);
  }

  /** POSIX: a stopped group that nobody could ever continue gets HUP and CONT. */
  #hangUpOrphans(leaver: Process): void {
    const { sid } = leaver.record;
    const groups = new Set<number>();
    for (const process of this.processes.values())
      if (process.record.sid === sid && process.record.runState === 'stopped') groups.add(process.record.pgid);
    for (const pgid of groups) {
      if (!this.isOrphaned(pgid)) continue;
      this.signalGroup(pgid, 'HUP');
      this.signalGroup(pgid, 'CONT');
    }
  }

  /** No member has a parent in the same session but outside of the group. */
  isOrphaned(pgid: number): boolean {
    for (const { record } of this.processes.values()) {
      if (record.pgid !== pgid || record.runState === 'zombie') continue;
      const parent = this.processes.get(record.ppid)?.record;
      if (parent && parent.runState !== 'zombie' && parent.sid === record.sid && parent.pgid !== pgid) return false;
    }
    return true;
  }

  #remove(process: Process): void {
    this.processes.delete(process.pid);
    this.#childQueues.delete(process.pid);
  }

  childQueue(process: Process): WaitQueue {
    let queue = this.#childQueues.get(process.pid);
    if (!queue) {
      queue = new WaitQueue();
      this.#childQueues.set(process.pid, queue);
    }
    return queue;
  }

  /** The next event of a child (of any, or of one); ended children leave the table. ECHILD. */
  waitChild(parent: Process, pid?: number): ChildEvent | undefined {
    const { record } = parent;
    if (pid === undefined ? record.children.length === 0 : !record.children.includes(pid)) throw new SysError('ECHILD');
    const event = record.childEvents.find((it) => pid === undefined || it.pid === pid);
    if (!event) return undefined;
    record.childEvents = record.childEvents.filter((it) => it !== event);
    if (event.kind === 'stopped') return event;
    const child = this.processes.get(event.pid)!;
    record.childrenNs += child.record.userNs + child.record.systemNs + child.record.childrenNs;
    record.children = record.children.filter((it) => it !== event.pid);
    this.#remove(child);
    return event;
  }

  // --- signals

  /** Sends a signal to one process; what it does happens when the process next runs, STOP and CONT and KILL soon. */
  signal(process: Process, signal: SignalName): void {
    const { record } = process;
    if (record.runState === 'zombie') return;
    if (signal === 'CONT' || signal === 'KILL') this.#resume(process);
    if (!this.#matters(process, signal)) return;
    if (!record.pendingSignals.includes(signal)) record.pendingSignals.push(signal);
    if (record.runState === 'waiting') this.deps.scheduler.enqueue(process);
  }

  #matters(process: Process, signal: SignalName): boolean {
    if (signal === 'KILL' || signal === 'STOP') return process.pid !== 1;
    if (process.record.ignored.includes(signal)) return false;
    if (process.program.signal) return true;
    return process.pid !== 1 && defaultAction(signal) !== 'ignore';
  }

  #resume(process: Process): void {
    const { record } = process;
    record.pendingSignals = record.pendingSignals.filter((it) => defaultAction(it) !== 'stop');
    if (record.runState !== 'stopped') return;
    const parent = this.processes.get(record.ppid);
    if (parent) parent.record.childEvents = parent.record.childEvents.filter((it) => it.pid !== process.pid);
    this.deps.scheduler.enqueue(process);
  }

  /** The default action of STOP, TSTP, TTIN and TTOU. */
  stop(process: Process, signal: SignalName): void {
    this.deps.scheduler.forget(process);
    process.record.runState = 'stopped';
    process.record.waits = [];
    const parent = this.processes.get(process.record.ppid);
    if (parent) this.#report(parent, { pid: process.pid, kind: 'stopped', signal });
  }

  /** To every member of a process group. Returns how many there were. */
  signalGroup(pgid: number, signal: SignalName): number {
    const members = this.all().filter((it) => it.record.pgid === pgid && it.record.runState !== 'zombie');
    for (const member of members) this.signal(member, signal);
    return members.length;
  }

  /** kill(2) with its permission check: root, or the same user. EPERM, ESRCH. */
  kill(sender: Process, pid: number, signal: SignalName): void {
    const targets = this.all().filter(({ record }) => {
      if (record.runState === 'zombie' && pid <= 0) return false;
      if (pid > 0) return record.pid === pid;
      if (pid === -1) return record.pid > 1 && record.pid !== sender.pid;
      return record.pgid === (pid === 0 ? sender.record.pgid : -pid);
    });
    if (targets.length === 0) throw new SysError('ESRCH');
    const { uid, ruid } = sender.record;
    const allowed = targets.filter(({ record }) => uid === 0 || uid === record.uid || ruid === record.ruid);
    if (allowed.length === 0) throw new SysError('EPERM');
    for (const target of allowed) this.signal(target, signal);
  }

  // --- groups and sessions

  /** ESRCH, EPERM: only oneself and own children, within the session, and not a session leader. */
  setpgid(caller: Process, pid: number, pgid: number): void {
    const target = pid === 0 ? caller : this.processes.get(pid);
    if (!target || (target !== caller && target.record.ppid !== caller.pid)) throw new SysError('ESRCH');
    const group = pgid === 0 ? target.pid : pgid;
    if (target.record.sid !== caller.record.sid || target.record.sid === target.pid) throw new SysError('EPERM');
    const exists =
      group === target.pid || this.all().some((it) => it.record.pgid === group && it.record.sid === caller.record.sid);
    if (!exists) throw new SysError('EPERM');
    target.record.pgid = group;
  }

  /** A new session without a terminal. EPERM for a group leader. */
  setsid(process: Process): void {
    const { record } = process;
    const leads = this.all().some((it) => it.record.pgid === record.pid && it !== process);
    if (leads || record.sid === record.pid) throw new SysError('EPERM');
    record.sid = record.pid;
    record.pgid = record.pid;
    record.tty = 0;
  }
}
