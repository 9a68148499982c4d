/** A kernel just large enough to test the shell alone: files in a map, pipes, one terminal, processes stepped in turn. */
import type { ErrnoName } from '../../../lib/errno';
import {
  type ChildEvent,
  exit,
  type Program,
  type SignalName,
  type Stat,
  type Step,
  type Sys,
  SysError,
  type Termios,
  wait,
} from '../../sys';

interface Pipe {
  bytes: number[];
  readers: number;
  writers: number;
}

type Open =
  | { k: 'pipe'; pipe: Pipe; end: 'r' | 'w'; refs: number }
  | { k: 'file'; path: string; at: number; append: boolean; refs: number }
  | { k: 'null'; refs: number }
  | { k: 'tty'; refs: number };

interface Process {
  pid: number;
  ppid: number;
  pgid: number;
  argv: string[];
  env: Record<string, string>;
  cwd: string;
  program: Program;
  state: unknown;
  fds: Map<number, Open>;
  step: Step | undefined;
  events: ChildEvent[];
  children: Set<number>;
  stopped: boolean;
  umask: number;
  ignored: Set<SignalName>;
  printed: { fd: number; bytes: Uint8Array }[];
}

const PIPE_ROOM = 4096;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

export class FakeKernel {
  readonly files = new Map<string, { kind: Stat['kind']; data: Uint8Array; mode: number; mtime: number }>();
  readonly processes = new Map<number, Process>();
  readonly programs = new Map<string, Program>();
  /** Called between any two steps of a process; may replace the state by a copy. */
  between: (state: unknown) => unknown = (state) => state;
  nowNs = 1_000_000_000;
  screen = '';
  keys: number[] = [];
  cols = 80;
  termios: Termios = { icanon: true, echo: true, isig: true, icrnl: true, onlcr: true };
  foreground = 0;
  steps = 0;
  #nextPid = 100;
  readonly #exits = new Map<number, number>();

  constructor(programs: readonly Program[]) {
    for (const path of ['/', '/bin', '/dev', '/tmp', '/etc', '/root']) this.mkdir(path);
    this.write('/dev/null', '', 0o666);
    for (const p of programs) {
      this.programs.set(p.name, p);
      this.write(`/bin/${p.name}`, '', 0o755);
    }
  }

  mkdir(path: string): void {
    this.files.set(path, { kind: 'dir', data: new Uint8Array(), mode: 0o755, mtime: 0 });
  }

  write(path: string, text: string, mode = 0o644): void {
    this.files.set(path, { kind: 'file', data: encoder.encode(text), mode, mtime: this.nowNs });
  }

  read(path: string): string {
    return decoder.decode(this.files.get(path)?.data ?? new Uint8Array());
  }

  start(argv: string[], program: Program, tty = false): number {
    const [input, output]: Open[] = tty
      ? [{ k: 'tty', refs: 3 }, undefined as never]
      : [
          { k: 'null', refs: 1 },
          { k: 'tty', refs: 2 },
        ];
    const fds = new Map<number, Open>([
      [0, input!],
      [1, output ?? input!],
      [2, output ?? input!],
    ]);
    return this.#create(1, argv, { PATH: '/bin', HOME: '/root' }, '/root', program, fds, undefined, undefined);
  }

  #create(
    ppid: number,
    argv: string[],
    env: Record<string, string>,
    cwd: string,
    program: Program,
    fds: Map<number, Open>,
    state: unknown,
    pgid: number | undefined,
  ): number {
    const pid = this.#nextPid++;
    const p: Process = {
      pid,
      ppid,
      pgid: pgid === 0 ? pid : (pgid ?? this.processes.get(ppid)?.pgid ?? pid),
      argv,
      env,
      cwd,
      program,
      state,
      fds,
      step: undefined,
      events: [],
      children: new Set(),
      stopped: false,
      umask: 0o22,
      ignored: new Set(),
      printed: [],
    };
    this.processes.set(pid, p);
    this.processes.get(ppid)?.children.add(pid);
    if (state === undefined) p.state = program.start(this.sys(p));
    return pid;
  }

  /** Runs until nothing can go on (or the process has ended); its exit status, if it has. */
  run(pid: number, limit = 2_000_000): number | undefined {
    for (let idle = false; !idle && limit > 0; ) {
      idle = true;
      for (const p of [...this.processes.values()]) {
        if (p.stopped || !this.#isReady(p)) continue;
        idle = false;
        limit--;
        this.#stepOnce(p);
      }
      if (idle && !this.#exits.has(pid)) {
        const next = Math.min(...[...this.processes.values()].map((p) => this.#wakeTime(p)));
        if (Number.isFinite(next)) {
          this.nowNs = Math.max(this.nowNs, next);
          idle = false;
        }
      }
    }
    if (limit <= 0) throw new Error('the processes run for ever');
    return this.#exits.get(pid);
  }

  type(text: string): void {
    for (const b of encoder.encode(text)) {
      if (this.termios.isig && b === 3) this.signalGroup(this.foreground, 'INT');
      else if (this.termios.isig && b === 26) this.signalGroup(this.foreground, 'TSTP');
      else this.keys.push(this.termios.icrnl && b === 13 ? 10 : b);
    }
  }

  #wakeTime(p: Process): number {
    if (p.step?.do !== 'wait' || p.stopped) return Number.POSITIVE_INFINITY;
    return Math.min(...p.step.on.map((w) => ('untilNs' in w ? w.untilNs : Number.POSITIVE_INFINITY)));
  }

  #isReady(p: Process): boolean {
    if (!this.processes.has(p.pid)) return false;
    if (p.step?.do !== 'wait') return true;
    return p.step.on.some((w) => {
      if ('child' in w) return p.events.length > 0;
      if ('untilNs' in w) return this.nowNs >= w.untilNs;
      if ('readable' in w) return this.#readable(p.fds.get(w.readable));
      if ('writable' in w) return this.#writable(p.fds.get(w.writable));
      return false;
    });
  }

  #readable(f: Open | undefined): boolean {
    if (f?.k === 'pipe') return f.pipe.bytes.length > 0 || f.pipe.writers === 0;
    if (f?.k === 'tty') return this.keys.length > 0;
    return true;
  }

  #writable(f: Open | undefined): boolean {
    return f?.k !== 'pipe' || f.pipe.bytes.length < PIPE_ROOM || f.pipe.readers === 0;
  }

  #stepOnce(p: Process): void {
    this.steps++;
    if (p.printed.length > 0 && !this.#flush(p)) return;
    p.state = this.between(p.state);
    if (p.step?.do === 'exit') {
      this.#end(p, { pid: p.pid, kind: 'exited', status: p.step.status });
      return;
    }
    const program = p.program;
    const step = program.step(this.sys(p), p.state);
    p.step = step;
    this.nowNs += 1000 + (('costNs' in step && step.costNs) || 0);
    if (p.program !== program) p.state = p.program.start(this.sys(p));
    if (p.printed.length > 0) this.#flush(p);
    else if (step.do === 'exit') this.#end(p, { pid: p.pid, kind: 'exited', status: step.status });
  }

  #flush(p: Process): boolean {
    while (p.printed.length > 0) {
      const piece = p.printed[0]!;
      let n: number;
      try {
        n = this.sys(p).write(piece.fd, piece.bytes);
      } catch {
        this.#end(p, { pid: p.pid, kind: 'signaled', signal: 'PIPE' });
        return false;
      }
      if (n < piece.bytes.length) {
        piece.bytes = piece.bytes.subarray(n);
        return false;
      }
      p.printed.shift();
    }
    return true;
  }

  #end(p: Process, event: ChildEvent): void {
    this.processes.delete(p.pid);
    for (const f of p.fds.values()) this.#release(f);
    this.#exits.set(p.pid, event.kind === 'exited' ? event.status : 128);
    this.processes.get(p.ppid)?.events.push(event);
    this.processes.get(p.ppid)?.children.delete(p.pid);
  }

  #release(f: Open): void {
    f.refs--;
    if (f.refs === 0 && f.k === 'pipe') {
      if (f.end === 'r') f.pipe.readers--;
      else f.pipe.writers--;
    }
  }

  signalGroup(pgid: number, signal: SignalName): void {
    for (const p of [...this.processes.values()]) if (p.pgid === pgid) this.signal(p, signal);
  }

  signal(p: Process, signal: SignalName): void {
    if (signal === 'CONT') {
      p.stopped = false;
      return;
    }
    if (p.ignored.has(signal)) return;
    if (signal !== 'KILL' && signal !== 'STOP' && p.program.signal?.(this.sys(p), p.state, signal)) {
      p.step = undefined;
      return;
    }
    if (signal === 'WINCH' || signal === 'CHLD') return;
    if (['STOP', 'TSTP', 'TTIN', 'TTOU'].includes(signal)) {
      p.stopped = true;
      this.processes.get(p.ppid)?.events.push({ pid: p.pid, kind: 'stopped', signal });
      return;
    }
    this.#end(p, { pid: p.pid, kind: 'signaled', signal });
  }

  #path(p: Process, path: string): string {
    const parts: string[] = [];
    for (const part of (path.startsWith('/') ? path : `${p.cwd}/${path}`).split('/')) {
      if (part === '..') parts.pop();
      else if (part && part !== '.') parts.push(part);
    }
    return `/${parts.join('/')}`;
  }

  sys(p: Process): Sys {
    const fail = (code: ErrnoName, subject = ''): never => {
      throw new SysError(code, subject);
    };
    const open = (fd: number): Open => p.fds.get(fd) ?? fail('EBADF');
    const file = (path: string) => this.files.get(this.#path(p, path)) ?? fail('ENOENT', path);
    const free = (from = 0) => {
      let fd = from;
      while (p.fds.has(fd)) fd++;
      return fd;
    };
    const program = (argv: readonly string[]) => {
      const name = argv[0]!;
      const path = name.includes('/') ? this.#path(p, name) : `/bin/${name}`;
      if (!this.files.has(path)) fail('ENOENT', name);
      return this.programs.get(path.replace(/^.*\//, '')) ?? fail('ENOEXEC', name);
    };
    const kernel = this;
    const sys: Partial<Sys> = {
      argv: p.argv,
      env: p.env,
      pid: p.pid,
      ppid: p.ppid,
      uid: 0,
      gid: 0,
      get cwd() {
        return p.cwd;
      },
      get umask() {
        return p.umask;
      },
      set umask(mask) {
        p.umask = mask;
      },
      get pgid() {
        return p.pgid;
      },
      sid: 1,
      get nowNs() {
        return kernel.nowNs;
      },
      wallClock: 1_200_000_000,
      cpuNs: 0,
      childrenCpuNs: 0,
      random: (limit) => 4 % limit,
      chdir: (path) => {
        if (file(path).kind !== 'dir') fail('ENOTDIR', path);
        p.cwd = this.#path(p, path);
      },
      print: (t) => p.printed.push({ fd: 1, bytes: typeof t === 'string' ? encoder.encode(t) : t }),
      eprint: (t) => p.printed.push({ fd: 2, bytes: typeof t === 'string' ? encoder.encode(t) : t }),
      read: (fd, max = 65536) => {
        const f = open(fd);
        if (f.k === 'null') return new Uint8Array();
        if (f.k === 'file') {
          const bytes = file(f.path).data.subarray(f.at, f.at + max);
          f.at += bytes.length;
          return bytes;
        }
        const source = f.k === 'tty' ? this.keys : f.pipe.bytes;
        if (source.length > 0) return Uint8Array.from(source.splice(0, max));
        return f.k === 'pipe' && f.pipe.writers === 0 ? new Uint8Array() : undefined;
      },
      write: (fd, bytes) => {
        const f = open(fd);
        if (f.k === 'tty') this.screen += decoder.decode(bytes);
        if (f.k === 'file') {
          const target = file(f.path);
          if (f.append) f.at = target.data.length;
          const grown = new Uint8Array(Math.max(target.data.length, f.at + bytes.length));
          grown.set(target.data);
          grown.set(bytes, f.at);
          target.data = grown;
          f.at += bytes.length;
        }
        if (f.k !== 'pipe') return bytes.length;
        if (f.pipe.readers === 0) fail('EPIPE');
        const n = Math.min(bytes.length, PIPE_ROOM - f.pipe.bytes.length);
        f.pipe.bytes.push(...bytes.subarray(0, n));
        return n;
      },
      open: (path, flags) => {
        const full = this.#path(p, path);
        const fd = free();
        if (full === '/dev/null') p.fds.set(fd, { k: 'null', refs: 1 });
        else {
          if (this.files.get(full)?.kind === 'dir' && flags.write) fail('EISDIR', path);
          if (!this.files.has(full) && !flags.create) fail('ENOENT', path);
          if (!this.files.has(full.replace(/\/[^/]*$/, '') || '/')) fail('ENOENT', path);
          if (!this.files.has(full) || flags.truncate) this.write(full, '');
          p.fds.set(fd, { k: 'file', path: full, at: 0, append: flags.append === true, refs: 1 });
        }
        return fd;
      },
      close: (fd) => {
        this.#release(open(fd));
        p.fds.delete(fd);
      },
      dup: (fd, to) => {
        const f = open(fd);
        const target = to ?? free();
        f.refs++;
        if (p.fds.has(target)) this.#release(p.fds.get(target)!);
        p.fds.set(target, f);
        return target;
      },
      pipe: () => {
        const pipe: Pipe = { bytes: [], readers: 1, writers: 1 };
        const r = free();
        p.fds.set(r, { k: 'pipe', pipe, end: 'r', refs: 1 });
        const w = free();
        p.fds.set(w, { k: 'pipe', pipe, end: 'w', refs: 1 });
        return [r, w];
      },
      isatty: (fd) => open(fd).k === 'tty',
      ttyName: () => '/dev/tty1',
      getTermios: () => ({ ...this.termios }),
      setTermios: (_fd, t) => {
        this.termios = { ...t };
      },
      winsize: () => ({ rows: 24, cols: this.cols }),
      getForeground: () => this.foreground,
      setForeground: (_fd, pgid) => {
        this.foreground = pgid;
      },
      stat: (path) => {
        const f = file(path);
        return {
          kind: f.kind,
          mode: f.mode,
          size: f.data.length,
          mtime: f.mtime,
          ino: 1,
          dev: 1,
          uid: 0,
          gid: 0,
        } as Stat;
      },
      lstat: (path) => sys.stat!(path),
      exists: (path) => this.files.has(this.#path(p, path)),
      access: (path, how) => how !== 'x' || (file(path).mode & 0o111) !== 0,
      readdir: (path) => {
        if (file(path).kind !== 'dir') fail('ENOTDIR', path);
        const base = this.#path(p, path).replace(/\/$/, '');
        return [...this.files.keys()]
          .filter((f) => f.startsWith(`${base}/`) && f !== '/' && !f.slice(base.length + 1).includes('/'))
          .map((f) => f.slice(base.length + 1));
      },
      readText: (path) => {
        if (file(path).kind === 'dir') fail('EISDIR', path);
        return decoder.decode(file(path).data);
      },
      writeFile: (path, data, options) => {
        const full = this.#path(p, path);
        const old = options?.append ? this.read(full) : '';
        this.write(full, old + (typeof data === 'string' ? data : decoder.decode(data)), options?.mode);
      },
      unlink: (path) => {
        file(path);
        const full = this.#path(p, path);
        // An open file keeps its data under a name that nobody can reach.
        const data = this.files.get(full)!;
        this.files.delete(full);
        for (const q of this.processes.values())
          for (const f of q.fds.values())
            if (f.k === 'file' && f.path === full) {
              f.path = `gone:${full}`;
              this.files.set(f.path, data);
            }
      },
      realpath: (path) => this.#path(p, path),
      spawn: (o) => {
        const fds = new Map<number, Open>();
        for (const [fd, mine] of Object.entries(o.fds ?? { 0: 0, 1: 1, 2: 2 })) {
          const f = open(mine);
          f.refs++;
          fds.set(Number(fd), f);
        }
        const chosen = o.fork ? (this.programs.get(o.fork.program) ?? fail('ENOENT')) : program(o.argv);
        const state = o.fork ? JSON.parse(JSON.stringify(o.fork.state)) : undefined;
        return this.#create(p.pid, [...o.argv], { ...(o.env ?? p.env) }, p.cwd, chosen, fds, state, o.pgid);
      },
      exec: (argv, env) => {
        const chosen = program(argv);
        p.argv = [...argv];
        p.env = { ...(env ?? p.env) };
        p.program = chosen;
        if (chosen.name === 'sh') p.program = { ...chosen };
      },
      waitChild: () => {
        const event = p.events.shift();
        if (!event && p.children.size === 0) fail('ECHILD');
        return event;
      },
      kill: (pid, signal) => {
        if (pid < 0) return this.signalGroup(-pid, signal);
        this.signal(this.processes.get(pid) ?? fail('ESRCH'), signal);
      },
      setpgid: (pid, pgid) => {
        this.processes.get(pid)!.pgid = pgid || pid;
      },
      ignoreSignal: (signal, on) => {
        if (on) p.ignored.add(signal);
        else p.ignored.delete(signal);
      },
      processes: () => [...this.processes.values()].map((q) => ({ pid: q.pid, pgid: q.pgid })) as never,
      uname: () => ({ sysname: 'Linux', nodename: 'dom0', release: '2.6.18', version: '', machine: 'i686' }),
    };
    return sys as Sys;
  }
}

/** Programs for the tests: small, but streaming like the real ones. */
export const testPrograms: readonly Program[] = [
  {
    name: 'cat',
    start: (sys) => ({ files: sys.argv.slice(1), fd: -1 }),
    step: (sys, s: { files: string[]; fd: number }) => {
      if (s.fd < 0) {
        const file = s.files.shift();
        s.fd = file === undefined || file === '-' ? 0 : sys.open(file, { read: true });
      }
      const bytes = sys.read(s.fd, 512);
      if (!bytes) return wait({ readable: s.fd });
      if (bytes.length > 0) sys.print(bytes);
      else if (s.files.length === 0) return exit(0);
      else s.fd = -1;
      return { do: 'again' };
    },
  },
  {
    name: 'seq',
    start: (sys) => ({ at: sys.argv.length > 2 ? Number(sys.argv[1]) : 1, end: Number(sys.argv[sys.argv.length - 1]) }),
    step: (sys, s: { at: number; end: number }) => {
      let text = '';
      for (let i = 0; i < 100 && s.at <= s.end; i++) text += `${s.at++}\n`;
      if (text === '') return exit(0);
      sys.print(text);
      return { do: 'again' };
    },
  },
  {
    name: 'yes',
    start: () => ({}),
    step: (sys) => {
      sys.print('y\n'.repeat(50));
      return { do: 'again' };
    },
  },
  {
    name: 'sleep',
    start: (sys) => ({ until: sys.nowNs + Number(sys.argv[1]) * 1e9 }),
    step: (sys, s: { until: number }) => (sys.nowNs >= s.until ? exit(0) : wait({ untilNs: s.until })),
  },
  filter('sort', (text) =>
    lines(text)
      .sort()
      .map((l) => `${l}\n`)
      .join(''),
  ),
  filter('wc', (text) => `${lines(text).length}\n`),
  filter('upper', (text) => text.toUpperCase()),
  {
    name: 'head',
    start: (sys) => ({ left: Number(sys.argv[1]?.replace('-', '') ?? 10), text: '' }),
    step: (sys, s: { left: number; text: string }) => {
      while (s.left > 0) {
        const bytes = sys.read(0, 1);
        if (!bytes) return wait({ readable: 0 });
        if (bytes.length === 0) break;
        s.text += String.fromCharCode(bytes[0]!);
        if (bytes[0] === 10) s.left--;
      }
      sys.print(s.text);
      return exit(0);
    },
  },
  once('env', (sys) => {
    for (const [k, v] of Object.entries(sys.env)) sys.print(`${k}=${v}\n`);
  }),
  once('args', (sys) =>
    sys.print(
      `${sys.argv
        .slice(1)
        .map((a) => `[${a}]`)
        .join('')}\n`,
    ),
  ),
  once('rm', (sys) => {
    for (const f of sys.argv.slice(1)) if (f !== '-f' && sys.exists(f)) sys.unlink(f);
  }),
  once('mkdir', (sys) => {
    for (const f of sys.argv.slice(1)) sys.mkdir(f);
  }),
  once('touch', (sys) => {
    for (const f of sys.argv.slice(1)) sys.writeFile(f, '');
  }),
  { name: 'fail', start: () => ({}), step: (sys) => exit(Number(sys.argv[1] ?? 1)) },
];

const lines = (text: string) => text.split('\n').slice(0, -1);

function once(name: string, action: (sys: Sys) => void): Program {
  return {
    name,
    start: () => ({}),
    step: (sys) => {
      action(sys);
      return exit(0);
    },
  };
}

function filter(name: string, change: (text: string) => string): Program {
  return {
    name,
    start: () => ({ text: '' }),
    step: (sys, s: { text: string }) => {
      const bytes = sys.read(0);
      if (!bytes) return wait({ readable: 0 });
      if (bytes.length > 0) {
        s.text += decoder.decode(bytes);
        return { do: 'again' };
      }
      sys.print(change(s.text));
      return exit(0);
    },
  };
}
