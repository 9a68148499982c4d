/**
 * vi: opens a file in the page's editor where there is one, and waits until it is closed there; elsewhere (a guest, a
 * machine without a page, input from a file) it edits line by line.
 */
import { strerror } from '../../../lib/errno';
import { again, exit, type Program, type Step, type Sys, SysError, wait } from '../../sys';
import { joinPath } from '../paths';
import { type LineReader, lineReader, nextLine } from '../text/lines';
import { type Buffer, bufferOf, enter, textOf } from './lineEditor';

interface ViState {
  readonly path: string;
  /** As it was typed. */
  readonly name: string;
  readonly isReadOnly: boolean;
  /** Of the page's editor; undefined: the line editor is at work. */
  operation: number | undefined;
  /** When it is said that the editor is open: not before it is clear that there is one. */
  noticeNs: number;
  buffer: Buffer | undefined;
  reader: LineReader;
  isPrompted: boolean;
  isInterrupted: boolean;
}

const NOTICE_NS = 50_000_000;

const viProgram = (name: 'vi' | 'vim' | 'view'): Program<ViState> => ({
  name,
  start(sys) {
    const word = sys.argv.slice(1).find((arg) => !/^[-+]/.test(arg)) ?? '';
    const path = word === '' || word.startsWith('/') ? word : joinPath(sys.cwd, word);
    return {
      path,
      name: word,
      isReadOnly: name === 'view' || sys.argv.slice(1).includes('-R'),
      operation: pageEditor(sys, path),
      noticeNs: sys.nowNs + NOTICE_NS,
      buffer: undefined,
      reader: lineReader(0),
      isPrompted: false,
      isInterrupted: false,
    };
  },
  step(sys, state) {
    if (state.path === '') {
      sys.eprint(`usage: ${name} FILE\n`);
      return exit(1);
    }
    return state.operation === undefined ? editLines(sys, state, name) : waitForPage(sys, state, state.operation);
  },
  signal(sys, state, signal) {
    if (signal !== 'INT') return false;
    if (state.operation !== undefined) {
      sys.cancelOperation(state.operation);
      return false;
    }
    state.isInterrupted = true;
    return true;
  },
});

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

function waitForPage(sys: Sys, state: ViState, operation: number): Step {
  const result = sys.operationResult(operation);
  if (result?.value === 'no editor') {
    state.operation = undefined;
    return again();
  }
  if (result) return exit(result.status);
  if (state.noticeNs > sys.nowNs) return wait({ operation }, { untilNs: state.noticeNs });
  if (state.noticeNs > 0) sys.print(`"${state.name}" is open in the editor pane; close it there to go on\n`);
  state.noticeNs = 0;
  return wait({ operation });
}

function editLines(sys: Sys, state: ViState, name: string): Step {
  if (!state.buffer) {
    const text = load(sys, state.path, name);
    if (text === undefined) return exit(1);
    state.buffer = bufferOf(text);
    const size = sys.exists(state.path) ? `${state.buffer.lines.length} lines` : '[New File]';
    sys.print(`"${state.name}" ${size}\n`);
  }
  const { buffer } = state;
  if (state.isInterrupted) {
    // Ctrl-C ends an insertion; the file stays open.
    state.isInterrupted = false;
    state.isPrompted = false;
    buffer.insertAt = undefined;
    sys.print('\n');
  }
  if (!state.isPrompted && sys.isatty(0) && buffer.insertAt === undefined) sys.print(':');
  state.isPrompted = true;
  const typed = nextLine(sys, state.reader);
  if (typed === undefined) return wait({ readable: 0 });
  if (typed === null) return exit(buffer.isChanged ? 1 : 0);
  state.isPrompted = false;
  const { output, save, saveAs, quit } = enter(buffer, typed.text);
  sys.print(output);
  if (save && !store(sys, state, buffer, saveAs, name)) return again();
  return quit ? exit(0) : again();
}

/** A file that does not exist is an empty one. */
function load(sys: Sys, path: string, name: string): string | undefined {
  try {
    return sys.exists(path) ? sys.readText(path) : '';
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    sys.eprint(`${name}: ${path}: ${strerror[error.code]}\n`);
    return undefined;
  }
}

function store(sys: Sys, state: ViState, buffer: Buffer, saveAs: string | undefined, name: string): boolean {
  const shown = saveAs ?? state.name;
  if (state.isReadOnly && saveAs === undefined) {
    sys.print('? the file is open for reading only\n');
    return false;
  }
  const text = textOf(buffer);
  try {
    sys.writeFile(saveAs ?? state.path, text);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    sys.eprint(`${name}: ${shown}: ${strerror[error.code]}\n`);
    return false;
  }
  if (saveAs === undefined) {
    buffer.isChanged = false;
    buffer.hasWarned = false;
  }
  sys.print(`"${shown}" ${buffer.lines.length}L, ${new TextEncoder().encode(text).length}C written\n`);
  return true;
}

export const vi = viProgram('vi');
export const vim = viProgram('vim');
export const view = viProgram('view');
