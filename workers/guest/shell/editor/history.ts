/** The command history and its file, ~/.bash_history. */
import { SysError } from '../../sys';
import type { Shell } from '../state';
import { getVar } from '../variables';

const LIMIT = 500;

const fileOf = (sh: Shell): string | undefined => {
  const home = getVar(sh, 'HOME');
  return getVar(sh, 'HISTFILE') ?? (home === undefined ? undefined : `${home.replace(/\/$/, '')}/.bash_history`);
};

export function loadHistory(sh: Shell): void {
  const path = fileOf(sh);
  if (path === undefined || !sh.sys.exists(path)) return;
  sh.st.history = sh.sys
    .readText(path)
    .split('\n')
    .filter((l) => l !== '')
    .slice(-LIMIT);
  sh.st.historyLoaded = sh.st.history.length;
}

/** Notes a command; a repeated one or one that begins with a space is left out when HISTCONTROL says so. */
export function remember(sh: Shell, line: string): void {
  const { st } = sh;
  const control = getVar(sh, 'HISTCONTROL') ?? '';
  if (line.trim() === '') return;
  if (/ignore(space|both)/.test(control) && line.startsWith(' ')) return;
  if (/ignore(dups|both)/.test(control) && st.history[st.history.length - 1] === line) return;
  st.history.push(line);
  if (st.history.length > LIMIT) {
    st.history.shift();
    st.historyLoaded = Math.max(0, st.historyLoaded - 1);
  }
}

/** Appends this session's commands to the file, as a shell does when it ends. */
export function saveHistory(sh: Shell): void {
  const { st } = sh;
  const path = fileOf(sh);
  const added = st.history.slice(st.historyLoaded);
  if (path === undefined || added.length === 0) return;
  try {
    sh.sys.writeFile(path, `${added.join('\n')}\n`, { mode: 0o600, append: true });
  } catch (error) {
    if (!(error instanceof SysError)) throw error; // a read-only home: the history is lost, as in bash
  }
  st.historyLoaded = st.history.length;
}
