/** The line editor: keys in, a line out, on a terminal in raw mode. */
import { type Step, wait } from '../../sys';
import { out, type Shell } from '../state';
import { type Candidates, complete, startHelper } from './completion';
import { appendKey, finishLine, firstDraw, redraw } from './screen';
import { searchKey } from './search';
import type { EditorState } from './state';

/** How an edited line ended: with Enter, Ctrl-C, or Ctrl-D on an empty line. */
export type Ended =
  | { readonly end: 'line'; readonly line: string }
  | { readonly end: 'interrupt' }
  | { readonly end: 'eof' };
export type Edited = { readonly step: Step | undefined } | Ended;

/** Puts the terminal into raw mode and shows the prompt. */
export function newEditor(sh: Shell, prompt: string): EditorState {
  const fd = terminal(sh);
  const modes = sh.sys.getTermios(fd);
  sh.st.modes = { ...modes };
  sh.sys.setTermios(fd, { ...modes, icanon: false, echo: false, isig: false, icrnl: false });
  const editor: EditorState = {
    prompt,
    line: [],
    cursor: 0,
    pending: sh.st.typeahead,
    killed: '',
    at: sh.st.history.length,
    draft: '',
    row: 0,
    drawn: false,
    search: null,
    pasting: false,
    tabbed: false,
    resized: false,
    helper: null,
  };
  sh.st.typeahead = '';
  out(sh, '\x1b[?2004h', 2);
  firstDraw(sh, editor);
  return editor;
}

export const terminal = (sh: Shell) => Math.max(sh.st.tty, 0);

/** Handles the keys that have arrived. */
export function editLine(sh: Shell, e: EditorState): Edited {
  if (e.resized) {
    e.resized = false;
    redraw(sh, e);
    return { step: undefined };
  }
  if (e.helper) return { step: helperStep(sh, e) };
  const key = nextKey(e);
  if (key !== undefined) return handle(sh, e, key);
  const bytes = sh.sys.read(terminal(sh), 1024);
  if (!bytes) return { step: wait({ readable: terminal(sh) }) };
  if (bytes.length === 0) return leave(sh, e, { end: 'eof' });
  for (const b of bytes) e.pending += String.fromCharCode(b);
  return { step: undefined };
}

const decoder = new TextDecoder();

/** Takes one key (a control character, an escape sequence, a character) off the pending bytes. */
function nextKey(e: EditorState): string | undefined {
  const { pending } = e;
  if (pending === '') return undefined;
  const sequence = /^\x1b(\[[0-9;]*[A-Za-z~]|O[A-Za-z]|[^[O])/.exec(pending)?.[0];
  const lead = pending.charCodeAt(0);
  const length = sequence?.length ?? (lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1);
  if ((lead === 0x1b && !sequence) || pending.length < length) return undefined;
  e.pending = pending.slice(length);
  return sequence ?? decoder.decode(Uint8Array.from(pending.slice(0, length), (c) => c.charCodeAt(0)));
}

function leave(sh: Shell, e: EditorState, result: Ended): Edited {
  finishLine(sh, e);
  out(sh, '\x1b[?2004l', 2);
  if (sh.st.modes) sh.sys.setTermios(terminal(sh), sh.st.modes);
  return result;
}

function handle(sh: Shell, e: EditorState, key: string): Edited {
  if (e.pasting) {
    if (key === '\x1b[201~') e.pasting = false;
    else insert(e, key === '\r' ? '\n' : key);
    if (e.pending === '') redraw(sh, e);
    return { step: undefined };
  }
  if (e.search) {
    if (searchKey(sh, e, key)) {
      redraw(sh, e);
      return { step: undefined };
    }
  }
  const wasTab = e.tabbed;
  e.tabbed = false;
  switch (key) {
    case '\r':
    case '\n': {
      if (e.cursor < e.line.length || !e.drawn) {
        e.cursor = e.line.length;
        redraw(sh, e);
      }
      const result = leave(sh, e, { end: 'line', line: e.line.join('') });
      out(sh, '\n', 2);
      // What was typed ahead stays with the next editor: it is put back in front of the terminal's own input.
      sh.st.typeahead = e.pending;
      return result;
    }
    case '\x03':
      out(sh, '^C', 2);
      leave(sh, e, { end: 'interrupt' });
      out(sh, '\n', 2);
      return { end: 'interrupt' };
    case '\x04':
      if (e.line.length === 0) return leave(sh, e, { end: 'eof' });
      e.line.splice(e.cursor, 1);
      break;
    case '\t':
      return tab(sh, e, wasTab);
    case '\x0c':
      out(sh, '\x1b[H\x1b[2J', 2);
      e.row = 0;
      break;
    case '\x12':
      e.search = { text: '', at: sh.st.history.length, saved: e.line.join('') };
      break;
    case '\x1b[200~':
      e.pasting = true;
      break;
    default:
      if (EDITS[key]) EDITS[key](e, sh);
      else if (key >= ' ' && key !== '\x7f' && !key.startsWith('\x1b')) {
        insert(e, key);
        if (appendKey(sh, e, key)) return { step: undefined };
      }
  }
  if (e.pending === '' || e.pending.startsWith('\r')) redraw(sh, e);
  else e.drawn = false;
  return { step: undefined };
}

export function insert(e: EditorState, text: string): void {
  const chars = Array.from(text);
  e.line.splice(e.cursor, 0, ...chars);
  e.cursor += chars.length;
}

const isWord = (c: string | undefined) => c !== undefined && /[\p{L}\p{N}_]/u.test(c);

function wordLeft(e: EditorState): number {
  let i = e.cursor;
  while (i > 0 && !isWord(e.line[i - 1])) i--;
  while (i > 0 && isWord(e.line[i - 1])) i--;
  return i;
}

function wordRight(e: EditorState): number {
  let i = e.cursor;
  while (i < e.line.length && !isWord(e.line[i])) i++;
  while (i < e.line.length && isWord(e.line[i])) i++;
  return i;
}

function kill(e: EditorState, from: number, to: number): void {
  if (from < to) e.killed = e.line.slice(from, to).join('');
  e.line.splice(from, to - from);
  e.cursor = from;
}

function spaceLeft(e: EditorState): number {
  let i = e.cursor;
  while (i > 0 && e.line[i - 1] === ' ') i--;
  while (i > 0 && e.line[i - 1] !== ' ') i--;
  return i;
}

function transpose(e: EditorState): void {
  if (e.cursor === 0 || e.line.length < 2) return;
  if (e.cursor === e.line.length) e.cursor--;
  const [a, b] = [e.line[e.cursor - 1]!, e.line[e.cursor]!];
  e.line.splice(e.cursor - 1, 2, b, a);
  e.cursor++;
}

function recall(e: EditorState, sh: Shell, by: number): void {
  const { history } = sh.st;
  const at = e.at + by;
  if (at < 0 || at > history.length) return;
  if (e.at === history.length) e.draft = e.line.join('');
  e.at = at;
  e.line = Array.from(at === history.length ? e.draft : history[at]!);
  e.cursor = e.line.length;
}

type Edit = (e: EditorState, sh: Shell) => void;

const home: Edit = (e) => {
  e.cursor = 0;
};
const end: Edit = (e) => {
  e.cursor = e.line.length;
};
const left: Edit = (e) => {
  e.cursor = Math.max(0, e.cursor - 1);
};
const right: Edit = (e) => {
  e.cursor = Math.min(e.line.length, e.cursor + 1);
};
const erase: Edit = (e) => {
  if (e.cursor > 0) e.line.splice(--e.cursor, 1);
};
const remove: Edit = (e) => {
  e.line.splice(e.cursor, 1);
};
const older: Edit = (e, sh) => recall(e, sh, -1);
const newer: Edit = (e, sh) => recall(e, sh, 1);
const backWord: Edit = (e) => {
  e.cursor = wordLeft(e);
};
const forwardWord: Edit = (e) => {
  e.cursor = wordRight(e);
};

const EDITS: Readonly<Record<string, Edit>> = {
  '\x01': home,
  '\x1b[H': home,
  '\x1bOH': home,
  '\x1b[1~': home,
  '\x05': end,
  '\x1b[F': end,
  '\x1bOF': end,
  '\x1b[4~': end,
  '\x02': left,
  '\x1b[D': left,
  '\x1bOD': left,
  '\x06': right,
  '\x1b[C': right,
  '\x1bOC': right,
  '\x08': erase,
  '\x7f': erase,
  '\x1b[3~': remove,
  '\x10': older,
  '\x1b[A': older,
  '\x1bOA': older,
  '\x0e': newer,
  '\x1b[B': newer,
  '\x1bOB': newer,
  '\x1bb': backWord,
  '\x1b[1;5D': backWord,
  '\x1bf': forwardWord,
  '\x1b[1;5C': forwardWord,
  '\x1bd': (e) => kill(e, e.cursor, wordRight(e)),
  '\x1b\x7f': (e) => kill(e, wordLeft(e), e.cursor),
  '\x17': (e) => kill(e, spaceLeft(e), e.cursor),
  '\x0b': (e) => kill(e, e.cursor, e.line.length),
  '\x15': (e) => kill(e, 0, e.cursor),
  '\x19': (e) => insert(e, e.killed),
  '\x14': transpose,
};

function tab(sh: Shell, e: EditorState, again: boolean): Edited {
  const candidates = complete(sh, e);
  if ('command' in candidates) {
    startHelper(sh, e, candidates.command);
    e.tabbed = again;
    return { step: undefined };
  }
  return { step: offer(sh, e, candidates, again) };
}

/** Adds what is certain; lists the possibilities on the second Tab. */
function offer(sh: Shell, e: EditorState, { word, list }: Candidates, again: boolean): undefined {
  const common = list.reduce((a, b) => commonPrefix(a, b.insert), list[0]?.insert ?? '');
  const only = list.length === 1 ? list[0]! : undefined;
  if (list.length === 0) out(sh, '\x07', 2);
  else if (only || common.length > word.length) {
    e.line.splice(e.cursor - Array.from(word).length, Array.from(word).length);
    e.cursor -= Array.from(word).length;
    insert(e, only ? only.insert + only.suffix : common);
    e.tabbed = !only;
  } else if (again) {
    finishLine(sh, e);
    out(
      sh,
      `\n${columns(
        list.map((c) => c.show),
        sh.sys.winsize(terminal(sh)).cols,
      )}`,
      2,
    );
    e.row = 0;
  } else {
    out(sh, '\x07', 2);
    e.tabbed = true;
  }
  redraw(sh, e);
}

function helperStep(sh: Shell, e: EditorState): Step | undefined {
  const helper = e.helper!;
  const bytes = sh.sys.read(helper.fd, 4096);
  if (!bytes) return wait({ readable: helper.fd });
  for (const b of bytes) helper.data += String.fromCharCode(b);
  if (bytes.length > 0) return undefined;
  sh.sys.close(helper.fd);
  e.helper = null;
  const again = e.tabbed;
  e.tabbed = false;
  const candidates = complete(
    sh,
    e,
    helper.data.split(/\s+/).filter((w) => w !== ''),
  );
  return 'command' in candidates ? undefined : offer(sh, e, candidates, again);
}

function commonPrefix(a: string, b: string): string {
  let i = 0;
  while (i < a.length && a[i] === b[i]) i++;
  return a.slice(0, i);
}

/** Names in columns, read downwards, as readline lists them. */
function columns(names: readonly string[], width: number): string {
  const cell = Math.max(...names.map((n) => n.length)) + 2;
  const perRow = Math.max(1, Math.floor((width || 80) / cell));
  const rows = Math.ceil(names.length / perRow);
  let text = '';
  for (let row = 0; row < rows; row++) {
    let line = '';
    for (let at = row; at < names.length; at += rows) line += names[at]!.padEnd(cell);
    text += `${line.trimEnd()}\n`;
  }
  return text;
}
