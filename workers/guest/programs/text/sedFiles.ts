/** sed's input and output: its files one after the other, one line ahead to know the last, and files edited in place. */
import { strerror } from '../../../lib/errno';
import { type Sys, SysError } from '../../sys';
import { baseName, dirName, joinPath } from '../paths';
import { type Line, type LineReader, lineReader, nextLine } from './lines';
import type { SedCommand } from './sedScript';

export interface SedState {
  /** Set at the start when the arguments were wrong. */
  readonly status: number;
  readonly commands: readonly SedCommand[];
  readonly quiet: boolean;
  readonly extended: boolean;
  /** Suffix of the backup; null: not in place. */
  readonly inPlace: string | null;
  readonly separate: boolean;
  files: string[];
  reader: LineReader | null;
  file: string;
  /** Output of the file that is edited in place. */
  outFd: number;
  outPath: string;
  /** The line after the current one, read ahead to know the last. */
  next: Line | null;
  hasNext: boolean;
  pattern: string;
  isTerminated: boolean;
  hold: string;
  line: number;
  /** Where the script goes on (after `n` or `N` had to wait); −1: a new cycle. */
  pc: number;
  /** Of ranges that are open: the line they end at, 0 = by its pattern. By command. */
  ranges: Record<number, number>;
  substituted: boolean;
  /** The last thing printed was a line without its end. */
  owesNewline: boolean;
  appended: string[];
  lastRegex: string;
  isQuitting: boolean;
  exitStatus: number;
}

export function put(sys: Sys, state: SedState, text: string, isTerminated = true): void {
  // What follows a last line without newline begins a line of its own.
  const whole = `${state.owesNewline ? '\n' : ''}${text}${isTerminated ? '\n' : ''}`;
  state.owesNewline = !isTerminated;
  if (state.outFd < 0) sys.print(whole);
  else sys.write(state.outFd, new TextEncoder().encode(whole));
}

export function flushAppended(sys: Sys, state: SedState): void {
  for (const text of state.appended) put(sys, state, text.replace(/\n$/, ''), text.endsWith('\n'));
  state.appended = [];
}

/** The next input line; null at the very end; undefined while there is none yet. */
export function advance(sys: Sys, state: SedState): Line | null | undefined {
  for (;;) {
    if (!state.hasNext) {
      const loaded = lookAhead(sys, state);
      if (loaded === undefined) return undefined;
    }
    const line = state.next;
    if (line === null) {
      closeFile(sys, state);
      if (state.files.length === 0) return null;
      state.hasNext = false;
      continue;
    }
    state.hasNext = false;
    return line;
  }
}

/** Fills `next`; undefined: wait. With separate files null means the end of this one. */
export function lookAhead(sys: Sys, state: SedState): true | undefined {
  for (;;) {
    if (!state.reader && !openNext(sys, state)) {
      state.next = null;
      state.hasNext = true;
      return true;
    }
    if (!state.reader) continue;
    let line: Line | null | undefined;
    try {
      line = nextLine(sys, state.reader);
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      sys.eprint(
        error.code === 'EISDIR'
          ? `sed: couldn't edit ${state.file}: not a regular file\n`
          : `sed: read error on ${state.file}: ${strerror[error.code]}\n`,
      );
      line = null;
    }
    if (line === undefined) return undefined;
    if (line === null && !state.separate && state.files.length > 0) {
      closeFile(sys, state);
      continue;
    }
    state.next = line;
    state.hasNext = true;
    return true;
  }
}

function openNext(sys: Sys, state: SedState): boolean {
  const file = state.files.shift();
  if (file === undefined) return false;
  try {
    const isRegular = file === '-' || sys.stat(file).kind !== 'dir';
    if (!isRegular) throw new SysError('EISDIR');
    state.reader = lineReader(file === '-' ? 0 : sys.open(file, { read: true }));
    state.file = file;
    if (state.inPlace !== null && file !== '-') {
      state.outPath = joinPath(
        dirName(file),
        `sed${Array.from({ length: 6 }, () => 'abcdefghijklmnopqrstuvwxyz'[sys.random(26)]).join('')}`,
      );
      state.outFd = sys.open(state.outPath, { write: true, create: true, exclusive: true, mode: sys.stat(file).mode });
    }
    if (state.separate) state.line = 0;
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    sys.eprint(
      error.code === 'EISDIR'
        ? state.inPlace === null
          ? `sed: read error on ${file}: Is a directory\n`
          : `sed: couldn't edit ${file}: not a regular file\n`
        : `sed: can't read ${file}: ${strerror[error.code]}\n`,
    );
    state.exitStatus = 2;
    state.reader = null;
  }
  return true;
}

export function closeFile(sys: Sys, state: SedState): void {
  if (state.outFd >= 0) {
    // After `q` the rest of the file is kept as it is.
    if (state.reader && state.isQuitting) {
      if (state.hasNext && state.next) put(sys, state, state.next.text, state.next.isTerminated);
      for (let line = nextLine(sys, state.reader); line; line = nextLine(sys, state.reader))
        put(sys, state, line.text, line.isTerminated);
    }
    sys.close(state.outFd);
    state.outFd = -1;
    const stat = sys.stat(state.file);
    sys.chmod(state.outPath, stat.mode);
    if (sys.uid === 0) sys.chown(state.outPath, stat.uid, stat.gid);
    if (state.inPlace) {
      const backup = state.inPlace.includes('*')
        ? state.inPlace.replaceAll('*', baseName(state.file))
        : baseName(state.file) + state.inPlace;
      sys.rename(state.file, joinPath(dirName(state.file), backup));
    }
    sys.rename(state.outPath, state.file);
  }
  if (state.reader && state.reader.fd > 0) sys.close(state.reader.fd);
  state.reader = null;
}
