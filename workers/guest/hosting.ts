/** What the machine runs inside the guest on its own account: a command without a terminal, a login session for the page. */
import type { Core } from './core';
import type { HostedOutput } from './fs/regularFiles';
import type { Process } from './process';
import { DEFAULT_PATH, findImage } from './programImage';
import { signalNumber } from './signals';
import type { SignalName } from './sys';

export interface HostedOptions {
  readonly argv: readonly string[];
  /** File to run when argv[0] does not name it. */
  readonly path?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly stdin?: Uint8Array;
  readonly onStdout?: (bytes: Uint8Array) => void;
  readonly onStderr?: (bytes: Uint8Array) => void;
  /** 128 + number when a signal ended it. */
  readonly onExit?: (status: number) => void;
}

export interface SessionOptions {
  readonly rows: number;
  readonly cols: number;
  readonly onOutput: (bytes: Uint8Array) => void;
  readonly onClose: () => void;
  /** What runs on the terminal; without it root's login shell. */
  readonly argv?: readonly string[];
}

export interface Session {
  readonly ttyId: number;
  input(bytes: Uint8Array): void;
  resize(rows: number, cols: number): void;
  close(): void;
}

const ROOT_ENV = { HOME: '/root', USER: 'root', LOGNAME: 'root', SHELL: '/bin/sh', PATH: DEFAULT_PATH };

export class Hosting {
  readonly #onExit = new Map<number, (status: number) => void>();

  constructor(
    private readonly core: Core,
    private readonly output: HostedOutput,
  ) {}

  /** Starts a process of root without a terminal. Throws SysError when the program cannot be found. */
  spawn(options: HostedOptions): { readonly pid: number; kill(signal: SignalName): void } {
    const { core } = this;
    const env = options.env ?? ROOT_ENV;
    const cwd = this.#directory(options.cwd ?? '/root');
    const image = findImage(core, cwd, { uid: 0, gid: 0 }, options.argv, env, options.path);
    const { files } = core;
    const stdin = options.stdin ?? new Uint8Array(0);
    const fds = new Map([
      [0, files.create({ kind: 'bytes', canWrite: false, data: stdin.slice() })],
      [1, this.#outputFile(options.onStdout)],
      [2, this.#outputFile(options.onStderr)],
    ]);
    const process = core.processes.birth({
      image,
      parent: undefined,
      cwd,
      uid: 0,
      ruid: 0,
      gid: 0,
      fds,
      pgid: 0,
      newSession: true,
    });
    if (options.onExit) this.#onExit.set(process.pid, options.onExit);
    return {
      pid: process.pid,
      kill: (signal) => {
        if (core.processes.get(process.pid) === process) core.processes.signalGroup(process.pid, signal);
      },
    };
  }

  #outputFile(listener: ((bytes: Uint8Array) => void) | undefined) {
    return this.core.files.create({
      kind: 'hosted',
      canRead: false,
      object: this.output.listen(listener ?? (() => {})),
    });
  }

  #directory(path: string): string {
    const location = this.core.vfs.locate('/', path, { uid: 0, gid: 0 });
    return location.inode?.kind === 'dir' ? location.path : '/';
  }

  /** A login shell of root on a new pseudo-terminal. */
  openSession(options: SessionOptions): Session {
    const { core } = this;
    const tty = core.terminals.createPty(0);
    tty.resize(options.rows, options.cols);
    const env = { ...ROOT_ENV, TERM: 'xterm' };
    const cwd = this.#directory('/root');
    const argv = options.argv ?? ['-sh'];
    const path = options.argv ? undefined : '/bin/sh';
    let image: ReturnType<typeof findImage>;
    try {
      image = findImage(core, cwd, { uid: 0, gid: 0 }, argv, env, path);
    } catch (error) {
      core.terminals.masterClosed(tty.id);
      throw error;
    }
    const file = core.files.create({ kind: 'tty', object: tty.id, path: tty.name });
    const fds = new Map([0, 1, 2].map((fd) => [fd, file] as const));
    const process = core.processes.birth({
      image,
      parent: undefined,
      cwd,
      uid: 0,
      ruid: 0,
      gid: 0,
      fds,
      pgid: 0,
      newSession: true,
      tty: tty.id,
    });
    tty.session = process.pid;
    tty.foreground = process.pid;
    core.terminals.attachHost(tty.id, options);
    return this.#session(tty.id);
  }

  /** The session of a terminal that was open when the state was taken, with new listeners; undefined when it is gone. */
  reattachSession(ttyId: number, options: Pick<SessionOptions, 'onOutput' | 'onClose'>): Session | undefined {
    if (!this.core.terminals.find(ttyId)) return undefined;
    this.core.terminals.attachHost(ttyId, options);
    return this.#session(ttyId);
  }

  #session(ttyId: number): Session {
    const { terminals } = this.core;
    return {
      ttyId,
      input: (bytes) => terminals.find(ttyId)?.input(bytes),
      resize: (rows, cols) => terminals.find(ttyId)?.resize(rows, cols),
      close: () => terminals.detachHost(ttyId),
    };
  }

  /** The session's leader ended: whoever still has the terminal open loses it. */
  sessionEnded(ttyId: number): void {
    this.core.terminals.sessionEnded(ttyId);
  }

  processExited(process: Process): void {
    const onExit = this.#onExit.get(process.pid);
    this.#onExit.delete(process.pid);
    const event = process.record.exit;
    if (!onExit || !event) return;
    onExit(event.kind === 'exited' ? event.status : event.kind === 'signaled' ? 128 + signalNumber[event.signal] : 0);
  }
}
