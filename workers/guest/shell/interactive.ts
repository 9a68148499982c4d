/** A shell at a terminal: prompts, continuation lines, aliases, job notices, and the files read at start. */
import { type Step, SysError } from '../sys';
import { expandAliases } from './aliases';
import { editLine, newEditor } from './editor/editor';
import { loadHistory, remember } from './editor/history';
import { prompt } from './editor/prompt';
import { beginExit, pushText, syntaxError } from './flow';
import { jobState, tellJobs } from './jobs';
import { parseScript } from './parser';
import { out, type Shell, type ShellState } from './state';
import { getVar } from './variables';

/** Job control, history and start-up files. Frames pushed last run first. */
export function startInteractive(sh: Shell, files: { profile: boolean; rc: boolean }): void {
  const { st, sys } = sh;
  if (st.interactive) {
    st.atPrompt = true;
    st.input = { k: 'tty', text: '', editor: null };
    st.opts['expand_aliases'] = true;
    takeTerminal(sh);
    st.vars['PS1'] ??= { v: '[\\u@\\h \\W]\\$ ' };
    st.vars['PS2'] ??= { v: '> ' };
    loadHistory(sh);
  }
  const home = (getVar(sh, 'HOME') ?? '').replace(/\/$/, '');
  const wanted: string[] = [];
  if (files.profile) {
    wanted.push('/etc/profile');
    const own = ['.bash_profile', '.bash_login', '.profile'].map((f) => `${home}/${f}`).find((f) => sys.exists(f));
    if (own) wanted.push(own);
  } else if (st.interactive && files.rc) wanted.push(`${home}/.bashrc`);
  for (const path of wanted.reverse()) if (sys.exists(path)) pushFile(sh, path);
}

function pushFile(sh: Shell, path: string): void {
  try {
    const text = sh.sys.readText(path);
    sh.st.frames.push({ k: 'scope', src: 0, at: 0, sourced: true });
    pushText(sh, text, { from: path });
  } catch (error) {
    if (!(error instanceof SysError)) throw error; // unreadable: skipped, as bash does
  }
}

/** Own process group in the foreground, and a descriptor of the terminal that redirections do not touch. */
function takeTerminal(sh: Shell): void {
  const { st, sys } = sh;
  if (!sys.isatty(0)) return;
  try {
    const tty = sys.dup(0, 255);
    if (sys.pgid !== sys.pid) sys.setpgid(sys.pid, sys.pid);
    st.pgid = sys.pid;
    sys.setForeground(tty, st.pgid);
    st.tty = tty;
    st.modes = { ...sys.getTermios(tty) };
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    out(sh, `${st.name}: no job control in this shell\n`, 2);
  }
}

/** Edits a line; executes it when it is complete. */
export function interactiveInput(sh: Shell, input: ShellState['input'] & { k: 'tty' }): Step | undefined {
  const { st } = sh;
  if (!input.editor) {
    if (input.text === '') tellJobs(sh);
    input.editor = newEditor(sh, prompt(sh, getVar(sh, input.text === '' ? 'PS1' : 'PS2') ?? ''));
    return undefined;
  }
  const result = editLine(sh, input.editor);
  if ('step' in result) return result.step;
  input.editor = null;
  if (result.end === 'interrupt') {
    input.text = '';
    st.status = 130;
    return undefined;
  }
  if (result.end === 'eof') {
    if (input.text !== '') {
      syntaxError(sh, input.text);
      input.text = '';
      st.status = 2;
      return undefined;
    }
    return leave(sh);
  }
  const text = input.text + result.line;
  const { error } = parseScript(`${text}\n`);
  // A backslash at the end is only seen without the newline.
  if (error?.incomplete || parseScript(text).error?.message === '') {
    input.text = `${text}\n`;
    return undefined;
  }
  input.text = '';
  if (!/^\s*(exit|logout)\b/.test(text)) st.warned = false;
  if (text.trim() === '') return undefined;
  remember(sh, oneLine(text));
  pushText(sh, `${expandAliases(st, text)}\n`);
  return undefined;
}

/** A command of several lines as the history keeps it: on one line where that means the same. */
function oneLine(text: string): string {
  const [first = '', ...rest] = text.split('\n');
  return rest.reduce((before, line) => {
    const message = parseScript(`${before}\n`).error?.message ?? '';
    if (message === '' || message.includes('looking for matching')) return `${before}\n${line}`;
    return (
      before + (/(^|[\s;])(do|then|else|in|[{(]|&&|[|]{1,2})$/.test(before.trimEnd()) ? ' ' : '; ') + line.trimStart()
    );
  }, first);
}

function leave(sh: Shell): undefined {
  const { st } = sh;
  out(sh, st.login ? 'logout\n' : 'exit\n', 2);
  if (!st.warned && st.jobs.some((j) => j.num > 0 && jobState(j) === 'stopped')) {
    out(sh, 'There are stopped jobs.\n', 2);
    st.warned = true;
    return;
  }
  beginExit(sh, st.status);
}
