/** The kernel's terminals: the console, pseudo-terminals, and the sessions that the page opens on one of those. */
import type { OpenFiles } from './descriptors';
import type { Volume } from './fs/volume';
import type { KernelMachine } from './machine';
import type { FileOps, OpenFile } from './openFile';
import type { ProcessTable } from './processTable';
import { SysError } from './sys';
import { Tty, TtyFiles, type TtyState } from './tty';
import type { WaitQueue } from './waitQueue';

export const CONSOLE_TTY = 1;
/** Terminal number of /dev/pts/0. */
export const PTS_BASE = 1000;
const PTS_MAX = 256;
const PTS_MAJOR = 136;

/** Who reads a pseudo-terminal's master side outside of the guest. Not part of the guest's state. */
export interface HostSide {
  onOutput(bytes: Uint8Array): void;
  onClose(): void;
  /** A daemon's terminal: it stays when the last process has closed it. */
  readonly keepsOpen?: boolean;
}

export interface TerminalsDeps {
  readonly machine: KernelMachine;
  readonly processes: ProcessTable;
  /** Where /dev/pts is: nodes appear here. */
  readonly ptsVolume: Volume;
  nowSeconds(): number;
}

interface Entry {
  readonly tty: Tty;
  /** Open files on the process side, and whether the other side is still there. */
  slaves: number;
  hasMaster: boolean;
}

export class Terminals {
  readonly #entries = new Map<number, Entry>();
  readonly #hosts = new Map<number, HostSide>();

  constructor(
    private readonly deps: TerminalsDeps,
    files: OpenFiles,
  ) {
    this.#entries.set(CONSOLE_TTY, { tty: this.#newTty(CONSOLE_TTY, '/dev/console'), slaves: 0, hasMaster: true });
    files.register(new SlaveFiles(this));
    files.register(new MasterFiles(this));
  }

  get console(): Tty {
    return this.get(CONSOLE_TTY);
  }

  get(id: number): Tty {
    return this.entry(id).tty;
  }

  /** The terminal of a process's number; undefined when it is gone. */
  find(id: number): Tty | undefined {
    return this.#entries.get(id)?.tty;
  }

  entry(id: number): Entry {
    const entry = this.#entries.get(id);
    if (!entry) throw new SysError('ENXIO');
    return entry;
  }

  #newTty(id: number, name: string): Tty {
    const { processes } = this.deps;
    return new Tty(id, name, {
      signalGroup: (pgid, signal) => void processes.signalGroup(pgid, signal),
      signal: (process, signal) => processes.signal(process, signal),
      isOrphaned: (pgid) => processes.isOrphaned(pgid),
      outputReady: (tty) => this.pump(tty),
    });
  }

  /** A new pseudo-terminal with its node in /dev/pts. ENOSPC when there are too many. */
  createPty(uid: number): Tty {
    let number = 0;
    while (this.#entries.has(PTS_BASE + number)) number++;
    if (number >= PTS_MAX) throw new SysError('ENOSPC');
    const id = PTS_BASE + number;
    const tty = this.#newTty(id, `/dev/pts/${number}`);
    this.#entries.set(id, { tty, slaves: 0, hasMaster: true });
    const { ptsVolume } = this.deps;
    const inode = ptsVolume.createInode('char', 0o620);
    inode.uid = uid;
    inode.gid = 5;
    inode.rdevMajor = PTS_MAJOR;
    inode.rdevMinor = number;
    inode.atime = inode.mtime = inode.ctime = this.deps.nowSeconds();
    ptsVolume.root.entries!.set(String(number), inode);
    return tty;
  }

  /** Connects the other side of a pseudo-terminal to the host. */
  attachHost(id: number, host: HostSide): void {
    this.#hosts.set(id, host);
    this.pump(this.get(id));
  }

  detachHost(id: number): void {
    this.#hosts.delete(id);
    this.masterClosed(id);
  }

  masterClosed(id: number): void {
    const entry = this.#entries.get(id);
    if (!entry) return;
    entry.hasMaster = false;
    entry.tty.hangUp();
    this.#dropIfUnused(id, entry);
  }

  /** The leader of the host's session ended: the terminal is closed even if others have it open. */
  sessionEnded(id: number): void {
    const host = this.#hosts.get(id);
    if (!host) return;
    const entry = this.entry(id);
    this.pump(entry.tty);
    this.#hosts.delete(id);
    this.masterClosed(id);
    host.onClose();
  }

  slaveOpened(id: number): void {
    const entry = this.entry(id);
    entry.slaves++;
    entry.tty.masterQueue.wake();
  }

  slaveClosed(id: number): void {
    const entry = this.#entries.get(id);
    if (!entry) return;
    entry.slaves--;
    entry.tty.masterQueue.wake();
    if (entry.slaves === 0 && id !== CONSOLE_TTY) {
      const host = this.#hosts.get(id);
      if (host?.keepsOpen) return;
      this.#hosts.delete(id);
      if (host) entry.hasMaster = false;
      host?.onClose();
    }
    this.#dropIfUnused(id, entry);
  }

  #dropIfUnused(id: number, entry: Entry): void {
    if (id === CONSOLE_TTY || entry.hasMaster || entry.slaves > 0) return;
    this.#entries.delete(id);
    this.deps.ptsVolume.root.entries!.delete(String(id - PTS_BASE));
  }

  /** Hands waiting output to the console or to the host; a master inside of the guest reads by itself. */
  pump(tty: Tty): void {
    if (tty.id === CONSOLE_TTY) {
      while (tty.outputLength > 0) {
        const bytes = tty.takeOutput(4096);
        const taken = this.deps.machine.consoleWrite(bytes);
        if (taken < bytes.length) {
          tty.returnOutput(bytes.subarray(taken));
          return;
        }
      }
      return;
    }
    const host = this.#hosts.get(tty.id);
    while (host && tty.outputLength > 0) host.onOutput(tty.takeOutput(65536));
  }

  save(): { tty: TtyState; hasMaster: boolean }[] {
    return [...this.#entries.values()].map(({ tty, hasMaster }) => ({ tty: tty.save(), hasMaster }));
  }

  /** Before the open files, which count the slaves again. */
  restore(states: readonly { tty: TtyState; hasMaster: boolean }[]): void {
    for (const { tty: state, hasMaster } of states) {
      if (state.id !== CONSOLE_TTY)
        this.#entries.set(state.id, { tty: this.#newTty(state.id, state.name), slaves: 0, hasMaster });
      this.get(state.id).restore(state);
    }
  }
}

class SlaveFiles extends TtyFiles {
  constructor(private readonly terminals: Terminals) {
    super((id) => terminals.get(id));
  }

  opened(file: OpenFile): void {
    this.terminals.slaveOpened(file.object);
  }

  release(file: OpenFile): void {
    this.terminals.slaveClosed(file.object);
  }
}

/** /dev/ptmx: the master side. It reads what processes write, and writes what they read. */
class MasterFiles implements FileOps {
  readonly kind = 'ptmx';

  constructor(private readonly terminals: Terminals) {}

  read(file: OpenFile, max: number): Uint8Array | undefined {
    const { tty, slaves } = this.terminals.entry(file.object);
    if (tty.outputLength > 0) return tty.takeOutput(max);
    return slaves === 0 && file.data === 'used' ? new Uint8Array(0) : this.#remember(file, slaves);
  }

  /** Before the first process opened the slave, an empty terminal is not at its end. */
  #remember(file: OpenFile, slaves: number): undefined {
    if (slaves > 0) file.data = 'used';
  }

  write(file: OpenFile, bytes: Uint8Array): number {
    this.terminals.get(file.object).input(bytes);
    return bytes.length;
  }

  isReadable(file: OpenFile): boolean {
    const { tty, slaves } = this.terminals.entry(file.object);
    if (slaves > 0) file.data = 'used';
    return tty.outputLength > 0 || (slaves === 0 && file.data === 'used');
  }

  isWritable(): boolean {
    return true;
  }

  queue(file: OpenFile): WaitQueue {
    return this.terminals.get(file.object).masterQueue;
  }

  release(file: OpenFile): void {
    this.terminals.masterClosed(file.object);
  }
}
