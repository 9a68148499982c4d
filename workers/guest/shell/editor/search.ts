/** Ctrl-R: incremental search backwards through the history. */
import type { Shell } from '../state';
import type { EditorState } from './state';

/** Handles a key during the search; false when the key ends the search and is to be handled as usual. */
export function searchKey(sh: Shell, e: EditorState, key: string): boolean {
  const search = e.search!;
  if (key === '\x12') find(sh, e, search.at - 1);
  else if (key === '\x7f' || key === '\x08') {
    search.text = search.text.slice(0, -1);
    find(sh, e, sh.st.history.length - 1);
  } else if (key === '\x07' || key === '\x03') {
    e.line = Array.from(search.saved);
    e.cursor = e.line.length;
    e.search = null;
    return key === '\x07';
  } else if (key >= ' ' && !key.startsWith('\x1b')) {
    search.text += key;
    find(sh, e, Math.min(search.at, sh.st.history.length - 1));
  } else {
    e.search = null;
    e.drawn = false;
    return false;
  }
  return true;
}

function find(sh: Shell, e: EditorState, from: number): void {
  const search = e.search!;
  for (let i = from; i >= 0; i--) {
    const line = sh.st.history[i]!;
    if (!line.includes(search.text)) continue;
    search.at = i;
    e.at = i;
    e.line = Array.from(line);
    e.cursor = e.line.length;
    return;
  }
}
