/**
 * The system calls of the mini kernel: all that a program may ask of its kernel, and what a program is.
 *
 * Processes are data. A program is a name and two functions; everything that a running process knows lives in its plain,
 * serialisable state, in its descriptors and in kernel tables. A step never waits: it looks at what is there, does a
 * piece of work, and says how to go on. A guest can therefore be serialised between any two steps and continued
 * somewhere else.
 *
 * Rules for programs
 * - `state` is plain data (objects, arrays, strings, numbers, booleans, Uint8Array, null): no functions, Maps, classes.
 * - Output goes through `print`/`eprint`: the kernel buffers it with the process and writes it out before the next step
 *   (and before the exit takes effect), so that a program is never half way through a write. Back pressure, EPIPE and
 *   SIGPIPE (status 141) are the kernel's business.
 * - Input is asked for with `read`; undefined means "nothing yet": return `wait({ readable: fd })`.
 * - Failures of calls are thrown as SysError; what a program does not catch ends it with status 1 and
 *   `NAME: message` on its standard error.
 */
import type { ErrnoName } from '../lib/errno';
import { strerror } from '../lib/errno';
import type { NbdSettings } from './block/nbdDevice';
import type { ReserveMode } from './block/nbdWire';
import type { FilterTable } from './netfilter';

export class SysError extends Error {
  override readonly name = 'SysError';
  constructor(
    readonly code: ErrnoName,
    /** The path or object it is about; commands print `CMD: PATH: strerror`. */
    readonly subject = '',
  ) {
    super(subject ? `${subject}: ${strerror[code]}` : strerror[code]);
  }
}

// biome-ignore lint/suspicious/noExplicitAny: a registry holds programs of every state type
export interface Program<S = any> {
  /** What the executable file names, e.g. `ls`. */
  readonly name: string;
  /** Called once when the process starts: the initial state. */
  start(sys: Sys): S;
  /** One piece of work. */
  step(sys: Sys, state: S): Step;
  /** A caught signal; false = take the default action. Only programs that define it catch anything. */
  signal?(sys: Sys, state: S, signal: SignalName): boolean;
}

export type Step =
  | { readonly do: 'exit'; readonly status: number }
  /** Run again as soon as the cpu is free. `costNs`: cpu time this step took beyond the table's base cost. */
  | { readonly do: 'again'; readonly costNs?: number }
  /** Run again when any of the conditions holds. */
  | { readonly do: 'wait'; readonly on: readonly Wait[]; readonly costNs?: number };

export type Wait =
  | { readonly readable: number }
  | { readonly writable: number }
  /** A child changed state (exited, stopped). */
  | { readonly child: true }
  /** Kernel monotonic time, ns (see `Sys.nowNs`). */
  | { readonly untilNs: number }
  /** A host operation started with `startOperation` has ended or printed. */
  | { readonly operation: number };

export const exit = (status = 0): Step => ({ do: 'exit', status });
export const again = (costNs?: number): Step => (costNs === undefined ? { do: 'again' } : { do: 'again', costNs });
export const wait = (...on: Wait[]): Step => ({ do: 'wait', on });

export type SignalName =
  | 'HUP'
  | 'INT'
  | 'QUIT'
  | 'ILL'
  | 'TRAP'
  | 'ABRT'
  | 'BUS'
  | 'FPE'
  | 'KILL'
  | 'USR1'
  | 'SEGV'
  | 'USR2'
  | 'PIPE'
  | 'ALRM'
  | 'TERM'
  | 'CHLD'
  | 'CONT'
  | 'STOP'
  | 'TSTP'
  | 'TTIN'
  | 'TTOU'
  | 'URG'
  | 'WINCH';

export interface Stat {
  readonly dev: number;
  readonly ino: number;
  readonly kind: 'file' | 'dir' | 'symlink' | 'char' | 'block' | 'fifo' | 'socket';
  /** Permission bits, 0 … 0o7777. */
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** 512-byte units really allocated. */
  readonly blocks: number;
  readonly rdevMajor: number;
  readonly rdevMinor: number;
  /** Seconds since 1970. */
  readonly atime: number;
  readonly mtime: number;
  readonly ctime: number;
}

export interface OpenFlags {
  readonly read?: boolean;
  readonly write?: boolean;
  readonly append?: boolean;
  readonly create?: boolean;
  /** With `create`: the file must be new. Of a block device: EBUSY while it is mounted or a guest's disk. */
  readonly exclusive?: boolean;
  readonly truncate?: boolean;
  readonly mode?: number;
}

export interface SpawnOptions {
  /** argv[0] is looked up in PATH unless it contains a slash. */
  readonly argv: readonly string[];
  /** The file to run when it is not what argv[0] names (`-sh` for a login shell); looked up in the same way. */
  readonly path?: string;
  /** Start this program with this state instead of looking a file up: how a shell forks itself (state is cloned). */
  readonly fork?: { readonly program: string; readonly state: unknown };
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Child descriptor → one of the parent's; default inherits 0, 1 and 2. */
  readonly fds?: Readonly<Record<number, number>>;
  /** 0 = a new process group led by the child; a number = join it; undefined = the parent's. */
  readonly pgid?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** Start a new session (daemons, getty). */
  readonly newSession?: boolean;
}

export type ChildEvent = { readonly pid: number } & (
  | { readonly kind: 'exited'; readonly status: number }
  | { readonly kind: 'signaled'; readonly signal: SignalName }
  | { readonly kind: 'stopped'; readonly signal: SignalName }
);

export interface Termios {
  /** Line mode with erase, kill, EOF. */
  icanon: boolean;
  echo: boolean;
  /** Ctrl-C, Ctrl-\, Ctrl-Z raise signals. */
  isig: boolean;
  /** CR in → NL. */
  icrnl: boolean;
  /** NL out → CR NL. */
  onlcr: boolean;
}

export interface Sys {
  // --- the process itself
  readonly argv: readonly string[];
  readonly env: Record<string, string>;
  readonly pid: number;
  readonly ppid: number;
  readonly uid: number;
  /** Who started a set-user-id program (su); otherwise the same as `uid`. */
  readonly realUid: number;
  readonly gid: number;
  readonly cwd: string;
  umask: number;
  chdir(path: string): void;
  setIds(uid: number, gid: number): void;
  /** Process group, and the session it belongs to. */
  readonly pgid: number;
  readonly sid: number;

  // --- time (guest clock; ns since the guest booted / seconds since 1970 with fraction)
  readonly nowNs: number;
  readonly wallClock: number;
  setWallClock(seconds: number): void;
  /** cpu time of this process and its waited-for children, ns. */
  readonly cpuNs: number;
  readonly childrenCpuNs: number;
  random(limit: number): number;

  // --- memory of its own, beside its state; what is in it moves with the guest, but a fork does not get a copy
  /** Grows or shrinks it to so many pages of 4 KiB; new ones are zeroed. ENOMEM changes nothing. */
  setMemory(pages: number): void;
  /** Page `index` of it, as it stands in the guest's memory: what is written there is written. */
  memoryPage(index: number): Uint8Array;

  // --- output and input
  print(text: string | Uint8Array): void;
  eprint(text: string | Uint8Array): void;
  /** Up to `max` bytes; empty at end of file; undefined when nothing is there yet. */
  read(fd: number, max?: number): Uint8Array | undefined;
  /** Direct write for programs that manage their own flow: bytes taken (0 = would block). */
  write(fd: number, bytes: Uint8Array): number;
  open(path: string, flags: OpenFlags): number;
  close(fd: number): void;
  dup(fd: number, to?: number): number;
  /** [read end, write end]. */
  pipe(): readonly [number, number];
  /** File offset; SysError ESPIPE on pipes and ttys. whence as lseek. */
  seek(fd: number, offset: number, whence: 'set' | 'cur' | 'end'): number;
  /** Positioned I/O on files and block devices; `undefined` while the data is being fetched. */
  pread(fd: number, length: number, offset: number): Uint8Array | undefined;
  pwrite(fd: number, bytes: Uint8Array, offset: number): number;
  fstat(fd: number): Stat;
  isatty(fd: number): boolean;
  ttyName(fd: number): string | undefined;
  getTermios(fd: number): Termios;
  setTermios(fd: number, termios: Termios): void;
  winsize(fd: number): { readonly rows: number; readonly cols: number };
  setWinsize(fd: number, rows: number, cols: number): void;
  /** Foreground process group of the terminal; setting it is how a shell hands the terminal to a job. */
  getForeground(fd: number): number;
  setForeground(fd: number, pgid: number): void;
  /** A new pseudo-terminal: master descriptor and the slave's path. */
  openpty(): { readonly master: number; readonly slavePath: string };

  // --- files
  stat(path: string): Stat;
  lstat(path: string): Stat;
  exists(path: string): boolean;
  access(path: string, how: 'r' | 'w' | 'x'): boolean;
  readdir(path: string): readonly string[];
  /** Whole small files, for configuration and the like (throws EISDIR, ENOENT …). */
  readFile(path: string): Uint8Array;
  readText(path: string): string;
  writeFile(path: string, data: string | Uint8Array, options?: { mode?: number; append?: boolean }): void;
  mkdir(path: string, mode?: number): void;
  rmdir(path: string): void;
  unlink(path: string): void;
  rename(from: string, to: string): void;
  link(target: string, path: string): void;
  symlink(target: string, path: string): void;
  readlink(path: string): string;
  realpath(path: string): string;
  chmod(path: string, mode: number): void;
  chown(path: string, uid: number, gid: number): void;
  utime(path: string, atime: number, mtime: number): void;
  truncate(path: string, size: number): void;
  mknod(path: string, kind: 'char' | 'block' | 'fifo', mode: number, major: number, minor: number): void;
  /**
   * A blocking call, like `umount`: while the device is read, only this process waits. The step is then run again from
   * its start, and the call returns (or throws) at once; what the step had printed before is dropped. So make such calls
   * before the step changes anything else (several of them in a row are fine). Option `remount` changes ro/rw.
   */
  mount(source: string, target: string, type: string, options: string): void;
  umount(target: string): void;
  mounts(): readonly { source: string; target: string; type: string; options: string }[];
  statfs(path: string): { blockSize: number; blocks: number; free: number; inodes: number; freeInodes: number };
  /** Starts write-back of everything dirty; true when all of it is on disk. */
  sync(): boolean;
  /** The same for what was written through one descriptor; EIO when a part of it could not be written. */
  fsync(fd: number): boolean;
  /** Loop devices in use. */
  loopDevices(): readonly LoopInfo[];
  /** Makes a file the content of /dev/loopN; EBUSY when that device is in use. Root only. */
  attachLoop(device: string, path: string, options?: { readonly?: boolean; offset?: number }): void;
  /** EBUSY while it is mounted or open, ENXIO when it is not attached. */
  detachLoop(device: string): void;

  // --- network block devices (ioctls of /dev/nbdN; SysError ENOTBLK, ENXIO for other nodes)
  /** Hands a connected socket over, whose server has said how large the volume is. EBUSY when the device has one. */
  nbdConnect(device: string, socket: number, settings: NbdSettings): void;
  /** A blocking call, like `mount`: comes back when the connection is over, with a SysError when it was lost. */
  nbdDoIt(device: string): void;
  /** ENOTCONN when there is no connection. */
  nbdDisconnect(device: string): void;
  /** The process that keeps the connection, by its number. */
  nbdClient(device: string): number | undefined;
  /** A blocking call: tells the server what is going to be done with the volume, under a key of 16 bytes. EBUSY. */
  nbdReserve(device: string, key: Uint8Array, mode: ReserveMode): void;
  /** A blocking call: who has reserved the volume, as the server tells it. */
  nbdReport(device: string): string;

  // --- processes
  spawn(options: SpawnOptions): number;
  /** Replaces this process by another program (same pid); takes effect when the step returns `again()`. */
  exec(argv: readonly string[], env?: Readonly<Record<string, string>>, path?: string): void;
  /** A child that changed state, taken off the list; undefined when there is none yet. ECHILD without children. */
  waitChild(pid?: number): ChildEvent | undefined;
  /** pid < 0: the process group −pid. */
  kill(pid: number, signal: SignalName): void;
  setpgid(pid: number, pgid: number): void;
  setsid(): void;
  /** Niceness of the process itself, −20 … 19; children inherit it. */
  readonly nice: number;
  /** Of any process; out of range is cut. EPERM for another's, EACCES when it would get less nice and is not root's. */
  setNice(pid: number, nice: number): void;
  /** Signals this process ignores (`trap ''`, nohup). */
  ignoreSignal(signal: SignalName, ignored: boolean): void;
  processes(): readonly ProcessInfo[];

  // --- machine
  uname(): { sysname: string; nodename: string; release: string; version: string; machine: string };
  setHostname(name: string): void;
  /** Kernel messages, as `dmesg` prints them. */
  kernelLog(): string;
  /** Ends this system: halt and poweroff shut the domain down with reason 0, reboot with 1. Root only. */
  shutdownSystem(how: 'halt' | 'poweroff' | 'reboot'): void;
  sysctl(name: string): string;
  setSysctl(name: string, value: string): void;
  readonly net: NetSys;

  // --- host operations (toolstack commands in Domain-0: ordinary asynchronous code)
  /** Starts one that the machine has registered under `name`; its output arrives as this process's own. */
  startOperation(name: string, argument: unknown): number;
  /** undefined while it runs; afterwards its result (plain data). */
  operationResult(id: number): { readonly status: number; readonly value?: unknown } | undefined;
  /** Ctrl-C: asks it to stop. */
  cancelOperation(id: number): void;
}

export interface LoopInfo {
  /** `/dev/loop0`. */
  readonly device: string;
  readonly path: string;
  readonly offset: number;
  readonly readonly: boolean;
}

export interface ProcessInfo {
  readonly pid: number;
  readonly ppid: number;
  readonly pgid: number;
  readonly sid: number;
  readonly uid: number;
  readonly comm: string;
  readonly argv: readonly string[];
  /** R running or runnable, S sleeping, T stopped, Z zombie. */
  readonly state: 'R' | 'S' | 'T' | 'Z';
  readonly tty: string | undefined;
  readonly cpuNs: number;
  readonly startNs: number;
  readonly vcpu: number;
  /** Resident memory, KiB. */
  readonly rssKiB: number;
  readonly nice: number;
}

// ---------------------------------------------------------------------------------------------------------- network

/** IPv4 addresses travel as dotted text in this interface, MACs as aa:bb:cc:dd:ee:ff. */
export interface NetSys {
  interfaces(): readonly InterfaceInfo[];
  /** SysError ENODEV for an unknown name. */
  setUp(name: string, up: boolean): void;
  /** Replaces all its addresses; undefined removes them; without a length, that of the address class. */
  setAddress(name: string, address: string | undefined, prefixLength?: number): void;
  addAddress(name: string, address: string, prefixLength: number): void;
  removeAddress(name: string, address: string): void;
  setArp(name: string, on: boolean): void;
  setMac(name: string, mac: string): void;
  setMtu(name: string, mtu: number): void;
  rename(name: string, to: string): void;
  setPromiscuous(name: string, on: boolean): void;
  routes(): readonly RouteInfo[];
  addRoute(route: RouteInfo): void;
  deleteRoute(route: Partial<RouteInfo> & { destination: string; prefixLength: number }): void;
  arpTable(): readonly { address: string; mac: string; device: string; complete: boolean }[];
  deleteArp(address: string): void;
  bridges(): readonly { name: string; id: string; stp: boolean; ports: readonly string[] }[];
  addBridge(name: string): void;
  deleteBridge(name: string): void;
  addBridgePort(bridge: string, device: string): void;
  deleteBridgePort(bridge: string, device: string): void;
  setBridgeOption(name: string, change: { stp?: boolean; forwardDelay?: number }): void;

  /**
   * A copy of netfilter's table of that name, which is there from the first time on that somebody asks for it. SysError
   * EPERM; ENOENT when the kernel has none of that name.
   */
  filterTable(name: string): FilterTable;
  /** Puts another in its place, counters and all. SysError EPERM, ENOENT, EINVAL (a rule makes no sense), ELOOP. */
  replaceFilterTable(name: string, table: FilterTable): void;

  /**
   * Sockets are descriptors: `read`, `write`, `close` and wait({readable|writable}) work on connected ones.
   * packet: whole Ethernet frames on one interface; icmp: raw ICMP; udp and tcp as usual.
   */
  socket(kind: 'tcp' | 'udp' | 'icmp' | 'packet' | 'raw-tcp'): number;
  bind(fd: number, address: string, port: number, device?: string): void;
  /** TCP: starts connecting; wait({writable}) then `socketError`. */
  connect(fd: number, address: string, port: number): void;
  listen(fd: number): void;
  /** A connected descriptor with its peer; undefined when nobody waits. */
  accept(fd: number): { fd: number; address: string; port: number } | undefined;
  sendTo(fd: number, bytes: Uint8Array, address: string, port: number): void;
  receiveFrom(fd: number): { bytes: Uint8Array; address: string; port: number; ttl: number } | undefined;
  /** Undefined: connected; 'pending'; or the failure. */
  socketError(fd: number): ErrnoName | 'pending' | undefined;
  /** A peer that is gone without a word is found out (SO_KEEPALIVE): the connection then fails with ETIMEDOUT. */
  keepAlive(fd: number): void;
  /** No more data from this side (TCP FIN); reading goes on. */
  shutdownWrite(fd: number): void;
  /** From /etc/hosts and the names that the LAN's name server knows. Undefined: unknown host. */
  resolve(name: string): string | undefined;
}

export interface InterfaceInfo {
  readonly name: string;
  readonly index: number;
  readonly mac: string;
  readonly mtu: number;
  readonly up: boolean;
  /** Carrier: the other end is there. */
  readonly running: boolean;
  readonly promiscuous: boolean;
  readonly kind: 'loopback' | 'ethernet' | 'bridge' | 'vif';
  readonly address?: string;
  readonly prefixLength?: number;
  readonly broadcast?: string;
  readonly addresses: readonly { readonly address: string; readonly prefixLength: number }[];
  /** Whether it answers and asks by ARP. */
  readonly arp: boolean;
  readonly rxPackets: number;
  readonly rxBytes: number;
  readonly rxErrors: number;
  readonly rxDropped: number;
  readonly txPackets: number;
  readonly txBytes: number;
  readonly txErrors: number;
  readonly txDropped: number;
  /** The bridge this is a port of. */
  readonly master?: string;
}

export interface RouteInfo {
  /** '0.0.0.0' with prefix 0 is the default route. */
  readonly destination: string;
  readonly prefixLength: number;
  readonly gateway?: string;
  readonly device: string;
  readonly source?: string;
  readonly metric: number;
}
