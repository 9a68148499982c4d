/** Draws the edited line: wrapped over several rows, with the cursor in its place. */
import { out, type Shell } from '../state';
import type { EditorState } from './state';

/** Rows and column after writing a text from column 0; escape sequences take no room. */
function extent(text: string, cols: number): { row: number; col: number } {
  let row = 0;
  let col = 0;
  for (const c of text.replace(/\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07/g, '')) {
    if (c === '\n') {
      row++;
      col = 0;
      continue;
    }
    if (c < ' ') continue;
    if (col === cols) {
      row++;
      col = 0;
    }
    col++;
  }
  if (col === cols) return { row: row + 1, col: 0 };
  return { row, col };
}

const columnsOf = (sh: Shell) => sh.sys.winsize(Math.max(sh.st.tty, 0)).cols || 80;

/** What stands before the cursor, and the whole. */
function shown(e: EditorState): { head: string; before: string; all: string } {
  if (e.search) {
    const head = `(reverse-i-search)\`${e.search.text}': `;
    const line = e.line.join('');
    return { head, before: line, all: line };
  }
  return { head: e.prompt, before: e.line.slice(0, e.cursor).join(''), all: e.line.join('') };
}

/** The prompt on a fresh line; what stands to the left on an unfinished one stays. */
export function firstDraw(sh: Shell, e: EditorState): void {
  out(sh, e.prompt, 2);
  e.row = extent(e.prompt, columnsOf(sh)).row;
  e.drawn = true;
}

/** Echoes a character added at the end of the line, if nothing else changes on the screen; false: a redraw is needed. */
export function appendKey(sh: Shell, e: EditorState, key: string): boolean {
  if (e.search || e.cursor < e.line.length || !e.drawn) {
    e.drawn = false;
    return false;
  }
  const { col } = extent(e.prompt + e.line.join(''), columnsOf(sh));
  if (col === 0) return false;
  out(sh, key, 2);
  return true;
}

export function redraw(sh: Shell, e: EditorState): void {
  const cols = columnsOf(sh);
  const { head, before, all } = shown(e);
  let text = e.row > 0 ? `\x1b[${e.row}A\r` : '\r';
  text += `\x1b[J${head}${all}`;
  const end = extent(head + all, cols);
  // A full last column leaves the terminal's cursor hanging: force it onto the next row.
  if (end.col === 0 && end.row > 0 && !all.endsWith('\n')) text += ' \r';
  const cursor = extent(head + before, cols);
  if (end.row > cursor.row) text += `\x1b[${end.row - cursor.row}A`;
  if (cursor.row !== end.row || cursor.col !== end.col) text += cursor.col > 0 ? `\r\x1b[${cursor.col}C` : '\r';
  e.row = cursor.row;
  e.drawn = true;
  out(sh, text, 2);
}

/** Moves below the line's last row's text, so that what is printed next does not overwrite it. */
export function finishLine(sh: Shell, e: EditorState): void {
  const cols = columnsOf(sh);
  const { head, all } = shown(e);
  const end = extent(head + all, cols);
  if (end.row > e.row) out(sh, `\x1b[${end.row - e.row}B`, 2);
  e.row = 0;
}
