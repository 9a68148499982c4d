/** more and less: text a screenful at a time on a terminal; anywhere else they copy it like cat. */
import { strerror } from '../../../lib/errno';
import { again, exit, type Program, type Step, type Sys, SysError, type Termios, wait } from '../../sys';
import { optionsOf, quietly, type ToolSpec } from '../options';
import { type LineReader, lineReader, nextLine } from './lines';
import { addLine, isAtEnd, type Page, runKey, show } from './pagerKeys';

interface PagerState {
  /** Set when there is nothing to do. */
  status: number;
  /** Where keys come from; −1: the output is no terminal. */
  readonly keys: number;
  readonly page: Page;
  files: string[];
  file: number;
  reader: LineReader | null;
  saved: Termios | null;
  /** Bytes of an escape sequence or command line that is not complete yet. */
  typed: string;
}

const LESS: ToolSpec = {
  usage: '[-eEFiMNRSsX] [+/PATTERN] [FILE]...',
  options: 'aeEfFgiImMnNqQrRsSuUwWXx:P:b:h:j:p:z:',
};
const MORE: ToolSpec = { usage: '[-dflpcsu] [+linenum | +/pattern] name ...', options: 'dflpcsu' };

const pager = (name: 'less' | 'more'): Program<PagerState> => ({
  name,
  start(sys) {
    const args = sys.argv.slice(1);
    const options = optionsOf(
      sys,
      name,
      name === 'less' ? LESS : MORE,
      args.filter((arg) => !arg.startsWith('+')),
    );
    const isWrong = typeof options === 'number';
    const files = isWrong ? [] : [...options.words];
    const isTty = !isWrong && sys.isatty(1);
    const goal = args.find((arg) => arg.startsWith('+'))?.slice(1);
    const { rows, cols } = isTty ? sys.winsize(1) : { rows: 0, cols: 0 };
    const state: PagerState = {
      status: isWrong ? options : -1,
      keys: isTty ? keyboard(sys) : -1,
      page: {
        name, rows: [], isComplete: false, top: 0, screen: { rows: rows || 24, cols: cols || 80 }, isShown: false, message: '', label: '',
        goal: goal?.startsWith('/') ? { pattern: goal.slice(1), count: 1, isForward: true } : null, target: goal && /^\d+$/.test(goal) ? Number(goal) - 1 : -1,
        pattern: '', isForward: true, numbers: !isWrong && options.has('N'), raw: !isWrong && options.has('r', 'R'),
        chop: !isWrong && options.has('S'), ignoreCase: !isWrong && options.has('i', 'I'), squeeze: !isWrong && options.has('s'),
        quitsIfShort: name === 'more' || (!isWrong && options.has('F')), quitsAtEnd: name === 'more' || (!isWrong && options.has('e', 'E')), lines: 0, action: '',
      },
      files: files.length > 0 ? files : ['-'],
      file: 0,
      reader: null,
      saved: null,
      typed: '',
    }; // biome-ignore format: a record
    if (!isWrong && files.length === 0 && sys.isatty(0)) {
      sys.eprint(name === 'less' ? 'Missing filename ("less --help" for help)\n' : `usage: more ${MORE.usage}\n`);
      state.status = 1;
    }
    return state;
  },
  step(sys, state) {
    if (state.status >= 0) return exit(state.status);
    if (!state.reader && !openFile(sys, state, name)) return leave(sys, state, 1);
    return state.keys < 0 ? copy(sys, state, name) : page(sys, state, name);
  },
  signal(sys, state, signal) {
    if (signal === 'WINCH') {
      const { rows, cols } = sys.winsize(1);
      state.page.screen = { rows: rows || 24, cols: cols || 80 };
      state.page.isShown = false;
      return true;
    }
    if (signal === 'INT' && name === 'less' && state.keys >= 0) {
      // It ends what it is doing (a long search), not the pager.
      state.page.goal = null;
      state.page.target = -1;
      return true;
    }
    if (state.saved) sys.setTermios(state.keys, state.saved);
    return false;
  },
});

function keyboard(sys: Sys): number {
  if (sys.isatty(0)) return 0;
  return quietly(() => sys.open('/dev/tty', { read: true })) ?? (sys.isatty(2) ? 2 : -1);
}

/** The file whose turn it is, or the next one that can be opened. */
function openFile(sys: Sys, state: PagerState, name: string): boolean {
  for (; state.file < state.files.length; state.file++) {
    const file = state.files[state.file]!;
    try {
      const fd = file === '-' ? 0 : sys.open(file, { read: true });
      if (sys.fstat(fd).kind === 'dir') {
        sys.close(fd);
        sys.eprint(name === 'more' ? `\n*** ${file}: directory ***\n\n` : `${file} is a directory\n`);
        continue;
      }
      state.reader = lineReader(fd);
      beginFile(state, file);
      return true;
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      sys.eprint(`${file}: ${strerror[error.code]}\n`);
    }
  }
  return false;
}

function beginFile(state: PagerState, file: string): void {
  const { page } = state;
  page.rows = [];
  page.lines = 0;
  page.isComplete = false;
  page.isShown = false;
  page.top = 0;
  page.label = file === '-' ? '' : file;
  if (page.name === 'more' && state.files.length > 1)
    for (const line of ['::::::::::::::', file, '::::::::::::::']) addLine(page, line);
}

function copy(sys: Sys, state: PagerState, name: string): Step {
  const { fd } = state.reader!;
  const bytes = sys.read(fd);
  if (bytes === undefined) return wait({ readable: fd });
  sys.print(bytes);
  if (bytes.length > 0) return again();
  if (fd > 0) sys.close(fd);
  state.reader = null;
  state.file++;
  return state.file < state.files.length && openFile(sys, state, name) ? again() : exit(0);
}

const LINES_A_STEP = 500;

function page(sys: Sys, state: PagerState, name: string): Step {
  const { page } = state;
  if (!state.saved) {
    state.saved = sys.getTermios(state.keys);
    sys.setTermios(state.keys, { ...state.saved, icanon: false, echo: false });
  }
  const isWaiting = load(sys, state);
  if (isWaiting === 'again') return again();
  if (!isWaiting) {
    if (
      page.isComplete &&
      page.quitsIfShort &&
      page.top === 0 &&
      !page.isShown &&
      page.rows.length < page.screen.rows
    ) {
      sys.print(page.rows.map((row) => `${row}\n`).join(''));
      return nextFile(sys, state, 1, true);
    }
    show(sys, page);
    if (name === 'more' && isAtEnd(page)) return nextFile(sys, state, 1, true);
  }
  const bytes = sys.read(state.keys, 64);
  if (bytes === undefined)
    return isWaiting ? wait({ readable: state.keys }, { readable: state.reader!.fd }) : wait({ readable: state.keys });
  if (bytes.length === 0) return leave(sys, state, 0);
  for (const byte of bytes) state.typed = runKey(sys, page, state.typed + String.fromCharCode(byte));
  switch (page.action) {
    case 'quit':
      return leave(sys, state, 0);
    case 'next':
      return nextFile(sys, state, 1, page.quitsAtEnd);
    case 'previous':
      return nextFile(sys, state, -1, false);
    default:
      return again();
  }
}

/** Reads what the screen (or a search, or a jump) needs: true while it has to wait for it. */
function load(sys: Sys, state: PagerState): boolean | 'again' {
  const { page } = state;
  const reader = state.reader!;
  for (let lines = 0; !page.isComplete; lines++) {
    const wanted = page.goal ? Infinity : Math.max(page.top, page.target) + page.screen.rows + 1;
    if (page.rows.length >= wanted) return false;
    if (lines === LINES_A_STEP) return 'again';
    const line = nextLine(sys, reader);
    if (line === undefined) return true;
    if (line === null) page.isComplete = true;
    else addLine(page, line.text);
  }
  return false;
}

function nextFile(sys: Sys, state: PagerState, by: 1 | -1, mayEnd: boolean): Step {
  const { page } = state;
  page.action = '';
  const next = state.file + by;
  if (next < 0 || next >= state.files.length) {
    if (mayEnd) return leave(sys, state, 0);
    page.message = by > 0 ? 'No next file' : 'No previous file';
    page.isShown = false;
    return again();
  }
  if (state.reader!.fd > 0) sys.close(state.reader!.fd);
  state.reader = null;
  state.file = next;
  return again();
}

function leave(sys: Sys, state: PagerState, status: number): Step {
  if (state.saved) sys.setTermios(state.keys, state.saved);
  if (state.page.isShown) sys.print('\r\x1b[K');
  return exit(status);
}

export const less = pager('less');
export const more = pager('more');
