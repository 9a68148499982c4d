/** What an xm subcommand is, and the world in which it runs. */
import type { XendApi } from '../xend/api';
import type { PythonRunner } from './python';

export interface XmFiles {
  /** Undefined when it does not exist or is a directory. */
  read(path: string): Uint8Array | undefined;
  exists(path: string): boolean;
  isDirectory(path: string): boolean;
  /** Replaces the content. Missing where nothing may be changed. */
  write?(path: string, text: string): void;
}

/** Domain-0 around an xm process. Every promise is settled by virtual time or by the Python runner. */
export interface XmIo {
  print(text: string): void;
  eprint(text: string): void;
  readonly cwd: string;
  readonly uid: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly files: XmFiles;
  readonly python: PythonRunner;
  /** For configuration scripts that look at the machine. */
  uname(): readonly [sysname: string, nodename: string, release: string, version: string, machine: string];
  /** The toolstack, or why nobody answers: no socket, or a socket that nobody listens on. */
  connect(): XendApi | 'missing' | 'refused';
  sleep(ms: number): Promise<void>;
  /** True once Ctrl-C was pressed. */
  readonly isCancelled: boolean;
  /** Called at Ctrl-C, at once when it was pressed already. */
  onCancel(listener: () => void): void;
  /** Seconds since 1970. */
  nowUnix(): number;
  /** Seconds since Domain-0 booted. */
  uptimeSeconds(): number;
}

export interface XmResult {
  readonly status: number;
  /** Go on as this program instead of exiting (`xm console`). */
  readonly exec?: readonly string[];
}

export interface XmContext {
  readonly io: XmIo;
  /** Connects when first used; a failure becomes xm's message about xend. */
  readonly xend: XendApi;
}

export interface XmOption {
  readonly short?: string;
  readonly long?: string;
  readonly takesValue?: boolean;
  /** For the help: `-d, --domain=DOMAIN`. */
  readonly metavar?: string;
  readonly help: string;
}

export type XmGroup = 'domain' | 'host' | 'scheduler' | 'device' | 'vnet' | 'security' | 'rest';

export interface XmCommand {
  readonly name: string;
  /** What stands after the name in its usage. */
  readonly usage: string;
  readonly summary: string;
  readonly group: XmGroup;
  /** Checked before `run` when given; options count as arguments. */
  readonly minArgs?: number;
  readonly maxArgs?: number;
  /** Shown in its usage; the command itself parses them. */
  readonly options?: readonly XmOption[];
  /** Printed after the usage (create's long list). */
  readonly moreHelp?: () => string;
  run(context: XmContext, args: readonly string[]): Promise<number | XmResult>;
}

/** `Error: TEXT`; the usage follows unless told otherwise. */
export class XmError extends Error {
  override readonly name = 'XmError';
  readonly usage: boolean;
  readonly status: number;
  constructor(message: string, { usage = true, status = 1 }: { usage?: boolean; status?: number } = {}) {
    super(message);
    this.usage = usage;
    this.status = status;
  }
}

/** A problem with the words on the command line: message, usage, an empty line. */
export class OptionError extends Error {
  override readonly name = 'OptionError';
}

/** Nobody answers at xend's socket. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
  constructor(readonly reason: 'missing' | 'refused') {
    super(reason);
  }
}

/** Ctrl-C. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

/** Waits for a second of virtual time; throws Interrupted after Ctrl-C. */
export async function pollSecond(io: XmIo): Promise<void> {
  if (io.isCancelled) throw new Interrupted();
  await io.sleep(1000);
  if (io.isCancelled) throw new Interrupted();
}

/** What `work` answers; throws Interrupted after Ctrl-C, whatever becomes of the work. */
export function orInterrupted<T>(io: XmIo, work: Promise<T>): Promise<T> {
  return Promise.race([
    work,
    new Promise<never>((_, reject) => {
      io.onCancel(() => reject(new Interrupted()));
    }),
  ]);
}

/** Python's int(), as xm applies it to its arguments. */
export function intArgument(text: string): number {
  if (!/^\s*[+-]?\d+\s*$/.test(text)) throw new XmError('Invalid argument.');
  return Number(text);
}
