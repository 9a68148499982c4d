/** Redirections: they change the shell's own table of descriptors, which children are started with. */
import { strerror } from '../../lib/errno';
import { type OpenFlags, SysError } from '../sys';
import type { Redir } from './ast';
import { type Expansion, expandString, expandWords } from './expand';
import { closeIfUnused } from './flow';
import type { Shell } from './state';
import { ShellError, setVar } from './variables';

/** A redirection whose target has been expanded. */
export interface Target {
  readonly redir: Redir;
  readonly text: string;
}

export function expandRedirs(x: Expansion, redirs: readonly Redir[]): Target[] {
  return redirs.map((redir) => {
    if (redir.op === 'here') return { redir, text: expandString(x, redir.word) };
    const words = expandWords(x, [redir.word]);
    if (words.length !== 1) throw new ShellError(`${sourceText(redir)}: ambiguous redirect`);
    return { redir, text: words[0]! };
  });
}

const sourceText = (redir: Redir) =>
  redir.word.map((s) => (s.k === 'lit' ? s.s : s.k === 'param' ? s.text : '')).join('');

export interface Redirected {
  readonly fds: Record<string, number>;
  /** Descriptors of the process table that these redirections opened. */
  readonly opened: number[];
}

/** The table after the redirections. Throws ShellError ("FILE: No such file or directory"), with nothing left open. */
export function redirect(sh: Shell, targets: readonly Target[]): Redirected {
  const fds = { ...sh.st.fds };
  const opened: number[] = [];
  try {
    for (const target of targets) redirectOne(sh, target, fds, opened);
  } catch (error) {
    for (const fd of opened) closeIfUnused(sh, fd);
    throw error;
  }
  return { fds, opened };
}

function redirectOne(sh: Shell, target: Target, fds: Record<string, number>, opened: number[]): void {
  const { redir, text } = target;
  const { op } = redir;
  const standard = op === '<' || op === '<>' || op === '<&' || op === 'here' ? 0 : 1;
  const fd = redir.fd ?? (redir.fdVar ? freeFd(fds) : standard);
  if (redir.fdVar && text !== '-') setVar(sh, redir.fdVar, String(fd));
  if (op === '<&' || op === '>&') {
    const copy = /^(\d+)(-?)$/.exec(text);
    if (text === '-') {
      delete fds[fd];
      return;
    }
    if (copy) {
      const real = fds[copy[1]!];
      if (real === undefined) throw new ShellError(`${text}: Bad file descriptor`);
      fds[fd] = real;
      if (copy[2]) delete fds[copy[1]!];
      return;
    }
    if (op === '<&' || redir.fd !== undefined) throw new ShellError(`${text}: ambiguous redirect`);
  }
  const real = op === 'here' ? hereDocument(sh, text) : openFile(sh, text, op);
  opened.push(real);
  fds[fd] = real;
  if (op === '&>' || op === '&>>' || op === '>&') fds[2] = real;
}

function freeFd(fds: Record<string, number>): number {
  let fd = 10;
  while (fds[fd] !== undefined) fd++;
  return fd;
}

const FLAGS: Readonly<Record<string, OpenFlags>> = {
  '<': { read: true },
  '<>': { read: true, write: true, create: true, mode: 0o666 },
  '>': { write: true, create: true, truncate: true, mode: 0o666 },
  '>>': { write: true, create: true, append: true, mode: 0o666 },
};

function openFile(sh: Shell, path: string, op: Redir['op']): number {
  const kind = op === '>>' || op === '&>>' ? '>>' : op === '<' || op === '<>' ? op : '>';
  try {
    if (op === '>' && sh.st.opts['C'] && sh.sys.exists(path) && sh.sys.stat(path).kind === 'file')
      throw new ShellError(`${path}: cannot overwrite existing file`);
    return sh.sys.open(path, FLAGS[kind]!);
  } catch (error) {
    if (error instanceof SysError) throw new ShellError(`${path}: ${strerror[error.code]}`);
    throw error;
  }
}

const encoder = new TextEncoder();

/** A pipe when the text fits into one, else a file that nobody can find any more. */
function hereDocument(sh: Shell, text: string): number {
  const { sys } = sh;
  const bytes = encoder.encode(text);
  if (bytes.length <= 4096) {
    const [readEnd, writeEnd] = sys.pipe();
    const taken = bytes.length === 0 ? 0 : sys.write(writeEnd, bytes);
    sys.close(writeEnd);
    if (taken === bytes.length) return readEnd;
    sys.close(readEnd);
  }
  const path = `/tmp/sh-thd-${sys.pid}-${sys.random(1_000_000_000)}`;
  try {
    sys.writeFile(path, bytes, { mode: 0o600 });
    const fd = sys.open(path, { read: true });
    sys.unlink(path);
    return fd;
  } catch (error) {
    if (error instanceof SysError)
      throw new ShellError(`cannot create temp file for here document: ${strerror[error.code]}`);
    throw error;
  }
}
