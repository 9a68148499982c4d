/**
 * vi: opens a file in the page's editor where there is one, and waits until it is closed there; elsewhere (a guest, a
 * machine without a page, input from a file) it edits line by line.
 */
import { strerror } from '../../../lib/errno';
import { again, exit, type Program, type Step, type Sys, SysError, wait } from '../../sys';
import type { Answer } from '../ask';
import { type Buffer, bufferOf, enter, textOf } from './lineEditor';

interface ViState {
  readonly path: string;
  /** Of the page's editor; undefined: the line editor is at work. */
  operation: number | undefined;
  buffer: Buffer | undefined;
  readonly answer: Answer;
  isPrompted: boolean;
}

export const vi: Program<ViState> = {
  name: 'vi',
  start(sys) {
    const word = sys.argv.slice(1).find((arg) => !arg.startsWith('-')) ?? '';
    const path = word === '' || word.startsWith('/') ? word : `${sys.cwd === '/' ? '' : sys.cwd}/${word}`;
    return { path, operation: pageEditor(sys, path), buffer: undefined, answer: { text: '' }, isPrompted: false };
  },
  step(sys, state) {
    if (state.path === '') {
      sys.eprint('usage: vi FILE\n');
      return exit(1);
    }
    if (state.operation === undefined) return editLines(sys, state);
    const result = sys.operationResult(state.operation);
    if (!result) return wait({ operation: state.operation });
    if (result.status === 0) return exit(0);
    state.operation = undefined;
    return again();
  },
  signal(sys, state, signal) {
    if (signal !== 'INT' || state.operation === undefined) return false;
    sys.cancelOperation(state.operation);
    return false;
  },
};

/** Undefined where no page can be asked. */
function pageEditor(sys: Sys, path: string): number | undefined {
  if (path === '' || !sys.isatty(0)) return undefined;
  try {
    return sys.startOperation('edit', { path });
  } catch (error) {
    if (error instanceof SysError && error.code === 'ENOSYS') return undefined;
    throw error;
  }
}

function editLines(sys: Sys, state: ViState): Step {
  if (!state.buffer) {
    const text = load(sys, state.path);
    if (text === undefined) return exit(1);
    state.buffer = bufferOf(text);
    sys.print(`"${state.path}" ${state.buffer.lines.length} lines\n`);
  }
  const { buffer } = state;
  if (!state.isPrompted && sys.isatty(0) && buffer.insertAt === undefined) sys.print(':');
  state.isPrompted = true;
  const typed = readLine(sys, state.answer);
  if (typed === undefined) return wait({ readable: 0 });
  if (typed === null) return exit(buffer.isChanged ? 1 : 0);
  state.isPrompted = false;
  const { output, save, quit } = enter(buffer, typed);
  sys.print(output);
  if (save && !store(sys, state.path, buffer)) return again();
  return quit ? exit(0) : again();
}

/** Null at the end of the input. */
function readLine(sys: Sys, answer: Answer): string | null | undefined {
  for (;;) {
    const byte = sys.read(0, 1);
    if (byte === undefined) return undefined;
    if (byte.length === 0 || byte[0] === 10) {
      const { text } = answer;
      answer.text = '';
      return byte.length === 0 && text === '' ? null : text;
    }
    answer.text += String.fromCharCode(byte[0]!);
  }
}

/** A file that does not exist is an empty one. */
function load(sys: Sys, path: string): string | undefined {
  try {
    return sys.exists(path) ? sys.readText(path) : '';
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    sys.eprint(`vi: ${path}: ${strerror[error.code]}\n`);
    return undefined;
  }
}

function store(sys: Sys, path: string, buffer: Buffer): boolean {
  try {
    sys.writeFile(path, textOf(buffer));
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    sys.eprint(`vi: ${path}: ${strerror[error.code]}\n`);
    return false;
  }
  buffer.isChanged = false;
  buffer.hasWarned = false;
  sys.print(`"${path}" ${buffer.lines.length} lines written\n`);
  return true;
}
