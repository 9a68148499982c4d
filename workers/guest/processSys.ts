/** The system calls of one process: each checks its arguments, charges its cost, and hands over to the part that does it. */

import { NBD_MAJOR, type NbdDevice, type NbdSettings } from './block/nbdDevice';
import type { ReserveMode } from './block/nbdWire';
import type { Core } from './core';
import { costs } from './costs';
import { FileCalls } from './fileCalls';
import type { BlockingResult, Process } from './process';
import { processInfo } from './processInfo';
import { findImage } from './programImage';
import { programPage, setProgramMemory } from './programMemory';
import { RestartStep } from './stepper';
import {
  type ChildEvent,
  type LoopInfo,
  type NetSys,
  type ProcessInfo,
  type SignalName,
  type SpawnOptions,
  type Sys,
  SysError,
} from './sys';

const encoder = new TextEncoder();

export class ProcessSys extends FileCalls implements Sys {
  #net: NetSys | undefined;

  constructor(core: Core, process: Process) {
    super(core, process);
  }

  // --- the process itself

  get argv(): readonly string[] {
    return this.record.argv;
  }
  get env(): Record<string, string> {
    return this.record.env;
  }
  get pid(): number {
    return this.record.pid;
  }
  get ppid(): number {
    return this.record.ppid;
  }
  get uid(): number {
    return this.record.uid;
  }
  get realUid(): number {
    return this.record.ruid;
  }
  get gid(): number {
    return this.record.gid;
  }
  get pgid(): number {
    return this.record.pgid;
  }
  get sid(): number {
    return this.record.sid;
  }

  setIds(uid: number, gid: number): void {
    const { record } = this;
    if (record.uid !== 0 && !(uid === record.ruid && gid === record.gid)) throw new SysError('EPERM');
    record.uid = record.ruid = uid;
    record.gid = gid;
  }

  // --- time

  get nowNs(): number {
    return this.core.scheduler.nowNs;
  }
  get wallClock(): number {
    return this.core.wallClock();
  }
  setWallClock(seconds: number): void {
    this.requireRoot();
    this.core.settings.wallOffset += seconds - this.core.wallClock();
  }
  get cpuNs(): number {
    return this.record.userNs + this.record.systemNs;
  }
  get childrenCpuNs(): number {
    return this.record.childrenNs;
  }
  random(limit: number): number {
    return this.core.machine.random(limit);
  }

  // --- memory

  setMemory(pages: number): void {
    this.charge(costs.syscallNs);
    setProgramMemory(this.core, this.record, pages);
  }
  memoryPage(index: number): Uint8Array {
    return programPage(this.core, this.record, index);
  }

  // --- output

  print(text: string | Uint8Array): void {
    this.#queueOutput(1, text);
  }
  eprint(text: string | Uint8Array): void {
    this.#queueOutput(2, text);
  }
  #queueOutput(fd: number, text: string | Uint8Array): void {
    if (text.length === 0) return;
    const bytes = typeof text === 'string' ? encoder.encode(text) : text;
    const { output } = this.record;
    const last = output[output.length - 1];
    if (last && last.fd === fd && last.bytes.length + bytes.length <= 4096) {
      const joined = new Uint8Array(last.bytes.length + bytes.length);
      joined.set(last.bytes);
      joined.set(bytes, last.bytes.length);
      output[output.length - 1] = { fd, bytes: joined };
    } else output.push({ fd, bytes: bytes.slice() });
  }

  // --- processes

  spawn(options: SpawnOptions): number {
    const { record, core } = this;
    const cwd = options.cwd === undefined ? record.cwd : core.vfs.locate(record.cwd, options.cwd, record).path;
    if ((options.uid !== undefined || options.gid !== undefined) && record.uid !== 0 && options.uid !== record.ruid)
      throw new SysError('EPERM');
    const uid = options.uid ?? record.uid;
    const gid = options.gid ?? record.gid;
    const env = options.env ?? record.env;
    const { fork } = options;
    if (fork && !core.programs.has(fork.program)) throw new SysError('ENOEXEC', fork.program);
    const image = fork
      ? { program: fork.program, argv: options.argv, env, setUid: undefined }
      : findImage(core, cwd, { uid, gid }, options.argv, env, options.path);
    const fds = new Map(
      Object.entries(options.fds ?? this.#inherited()).map(([fd, from]) => [Number(fd), this.file(from)] as const),
    );
    const child = core.processes.birth({
      image,
      parent: this.process,
      cwd,
      uid,
      ruid: options.uid ?? record.ruid,
      gid,
      fds,
      pgid: options.pgid,
      newSession: options.newSession ?? false,
      ...(fork ? { forkedState: structuredClone(fork.state) ?? null } : {}),
    });
    return child.pid;
  }

  #inherited(): Record<number, number> {
    return Object.fromEntries([0, 1, 2].filter((fd) => this.process.fds.has(fd)).map((fd) => [fd, fd]));
  }

  exec(argv: readonly string[], env?: Readonly<Record<string, string>>, path?: string): void {
    const { record, core } = this;
    record.exec = findImage(core, record.cwd, record, argv, env ?? record.env, path);
  }

  waitChild(pid?: number): ChildEvent | undefined {
    this.charge(costs.syscallNs);
    return this.core.processes.waitChild(this.process, pid);
  }

  kill(pid: number, signal: SignalName): void {
    this.charge(costs.syscallNs);
    this.core.processes.kill(this.process, pid, signal);
  }

  setpgid(pid: number, pgid: number): void {
    this.core.processes.setpgid(this.process, pid, pgid);
  }

  setsid(): void {
    this.core.processes.setsid(this.process);
  }

  get nice(): number {
    return this.record.nice;
  }

  setNice(pid: number, nice: number): void {
    this.charge(costs.syscallNs);
    const target = this.core.processes.get(pid)?.record;
    if (!target || target.runState === 'zombie') throw new SysError('ESRCH');
    const { uid, ruid } = this.record;
    if (uid !== 0 && uid !== target.uid && uid !== target.ruid && ruid !== target.uid) throw new SysError('EPERM');
    const wanted = Math.max(-20, Math.min(19, nice));
    if (uid !== 0 && wanted < target.nice) throw new SysError('EACCES');
    target.nice = wanted;
  }

  ignoreSignal(signal: SignalName, ignored: boolean): void {
    const { record } = this;
    record.ignored = record.ignored.filter((it) => it !== signal);
    if (!ignored || signal === 'KILL' || signal === 'STOP') return;
    record.ignored.push(signal);
    record.pendingSignals = record.pendingSignals.filter((it) => it !== signal);
  }

  processes(): readonly ProcessInfo[] {
    const all = this.core.processes.all();
    this.charge(costs.syscallNs + all.length * costs.lookupNs);
    return all.map((process) => processInfo(this.core, process));
  }

  // --- machine

  uname() {
    return this.core.uname();
  }

  setHostname(name: string): void {
    this.requireRoot();
    if (name.length > 64) throw new SysError('EINVAL');
    this.core.settings.hostname = name;
  }

  kernelLog(): string {
    return this.core.log.text();
  }

  shutdownSystem(how: 'halt' | 'poweroff' | 'reboot'): void {
    this.requireRoot();
    this.core.shutdown(how);
  }

  sysctl(name: string): string {
    return this.readText(`/proc/sys/${name.replaceAll('.', '/')}`).trim();
  }

  setSysctl(name: string, value: string): void {
    this.writeFile(`/proc/sys/${name.replaceAll('.', '/')}`, value);
  }

  get net(): NetSys {
    const { net } = this.core;
    if (!net) throw new SysError('ENOSYS');
    this.#net ??= net.sysFor({
      uid: this.record.uid,
      installSocket: (object) => this.install({ kind: 'socket', object }),
      socketOf: (fd) => {
        const file = this.file(fd);
        if (file.kind !== 'socket') throw new SysError('ENOTSOCK');
        return file.object;
      },
    });
    return this.#net;
  }

  // --- mounts and loop devices

  mount(source: string, target: string, type: string, options: string): void {
    this.requireRoot();
    const call = `mount ${source} ${target} ${type} ${options}`;
    this.#blocking(call, (done) => this.core.mounting.mount(this.record.cwd, source, target, type, options, done));
  }

  umount(target: string): void {
    this.requireRoot();
    this.#blocking(`umount ${target}`, (done) => this.core.mounting.umount(this.record.cwd, target, done));
  }

  /** See RestartStep: asks once, lets the process wait, and answers when the step is run again. */
  #blocking(call: string, start: (done: (result: BlockingResult) => void) => void): string {
    const { record, core } = this;
    const answer = () => record.blockingAnswers.find((it) => it.call === call)?.result;
    if (!answer() && !record.isBlocked) {
      record.isBlocked = true;
      try {
        start((result) => {
          record.isBlocked = false;
          record.blockingAnswers.push({ call, result });
          if (record.runState === 'waiting') core.scheduler.enqueue(this.process);
        });
      } catch (error) {
        record.isBlocked = false;
        throw error;
      }
    }
    const result = answer();
    if (!result) {
      core.scheduler.block(this.process);
      throw new RestartStep();
    }
    if (!result.ok) throw new SysError(result.code, result.subject);
    return result.text ?? '';
  }

  sync(): boolean {
    return this.core.mounting.sync();
  }

  loopDevices(): readonly LoopInfo[] {
    return this.core.loops
      .list()
      .map(({ name, path, offset, readonly }) => ({ device: `/dev/${name}`, path, offset, readonly }));
  }

  attachLoop(device: string, path: string, options: { readonly?: boolean; offset?: number } = {}): void {
    this.requireRoot();
    const { record, core } = this;
    const location = core.vfs.locate(record.cwd, path, record);
    if (!location.inode) throw new SysError('ENOENT', path);
    core.loops.attach(
      this.#loopNumber(device),
      location.inode,
      location.path,
      options.offset ?? 0,
      options.readonly ?? false,
    );
  }

  detachLoop(device: string): void {
    this.requireRoot();
    this.core.loops.detach(this.#loopNumber(device));
  }

  #loopNumber(device: string): number {
    const stat = this.stat(device);
    if (stat.kind !== 'block' || stat.rdevMajor !== 7) throw new SysError('ENOTBLK', device);
    return stat.rdevMinor;
  }

  // --- network block devices

  nbdConnect(device: string, socket: number, settings: NbdSettings): void {
    this.requireRoot();
    const file = this.file(socket);
    if (file.kind !== 'socket') throw new SysError('ENOTSOCK');
    this.core.nbd.connect(this.#nbdNumber(device), file, settings, this.pid);
  }

  nbdDoIt(device: string): void {
    this.requireRoot();
    const minor = this.#nbdNumber(device);
    this.#blocking(`nbd ${minor}`, (done) =>
      this.core.nbd.doIt(minor, this.pid, (code) => done(code ? { ok: false, code, subject: '' } : { ok: true })),
    );
  }

  nbdDisconnect(device: string): void {
    this.requireRoot();
    this.core.nbd.disconnect(this.#nbdNumber(device));
  }

  nbdClient(device: string): number | undefined {
    return this.core.nbd.clientOf(this.#nbdNumber(device));
  }

  nbdReserve(device: string, key: Uint8Array, mode: ReserveMode): void {
    this.requireRoot();
    const nbd = this.#nbd(device);
    this.#blocking(`reserve ${nbd.name} ${key.join()} ${mode}`, (done) =>
      nbd.reserve(key, mode, (code) => done(code ? { ok: false, code, subject: device } : { ok: true })),
    );
  }

  nbdReport(device: string): string {
    this.requireRoot();
    const nbd = this.#nbd(device);
    return this.#blocking(`report ${nbd.name}`, (done) =>
      nbd.report((code, text) => done(code ? { ok: false, code, subject: device } : { ok: true, text })),
    );
  }

  #nbd(device: string): NbdDevice {
    const nbd = this.core.nbd.find(this.#nbdNumber(device));
    if (!nbd) throw new SysError('ENOTCONN', device);
    return nbd;
  }

  #nbdNumber(device: string): number {
    const stat = this.stat(device);
    if (stat.kind !== 'block') throw new SysError('ENOTBLK', device);
    if (stat.rdevMajor !== NBD_MAJOR) throw new SysError('ENOTTY', device);
    return stat.rdevMinor;
  }

  // --- host operations

  startOperation(name: string, argument: unknown): number {
    if (!this.core.operations.isRegistered(name)) throw new SysError('ENOSYS', name);
    return this.core.operations.start(name, argument, this.process);
  }

  operationResult(id: number) {
    return this.core.operations.result(id);
  }

  cancelOperation(id: number): void {
    this.core.operations.cancel(id);
  }
}
