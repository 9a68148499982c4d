/** What the line editor knows between two keys. */
export interface EditorState {
  prompt: string;
  /** The line, as characters. */
  line: string[];
  cursor: number;
  /** Bytes of a key (escape sequence, UTF-8 character) that has not fully arrived, one character per byte. */
  pending: string;
  /** Killed text, for yank. */
  killed: string;
  /** Index into the history; its length means the new line. */
  at: number;
  /** The new line while an older one is shown. */
  draft: string;
  /** Row of the cursor below the row where the prompt begins, as last drawn. */
  row: number;
  /** The screen shows the line as it is. */
  drawn: boolean;
  search: { text: string; at: number; saved: string } | null;
  /** Between ESC[200~ and ESC[201~: keys are text. */
  pasting: boolean;
  /** The last key was Tab and nothing could be added. */
  tabbed: boolean;
  resized: boolean;
  /** A command that prints completion words is running: its output is collected here. */
  helper: { pid: number; fd: number; data: string } | null;
}
