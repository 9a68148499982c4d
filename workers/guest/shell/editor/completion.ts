/**
 * Tab completion: commands in PATH, builtins, functions and aliases in command position; variables; words that
 * `complete -W`/`-C` or a file of /etc/bash_completion.d give; else files.
 *
 * A file /etc/bash_completion.d/NAME holds words for the arguments of NAME, one line per argument position, words
 * separated by blanks; the last line serves all further positions. A line `!COMMAND` asks a command, which prints them.
 */
import { BUILTIN_NAMES } from '../builtins/names';
import { homeOf } from '../expand';
import { fork } from '../launch';
import { compareNames, isDirectory } from '../pattern';
import { addText, type Shell, scriptOf } from '../state';
import { getVar } from '../variables';
import type { EditorState } from './state';

export interface Candidates {
  /** The text before the cursor that is being completed. */
  readonly word: string;
  readonly list: readonly { readonly insert: string; readonly show: string; readonly suffix: string }[];
}

/** Candidates, or a command that has to be run to know them (its words are then passed in as `given`). */
export function complete(sh: Shell, e: EditorState, given?: readonly string[]): Candidates | { command: string } {
  const before = e.line.slice(0, e.cursor).join('');
  const word = /(?:\\.|[^\s;|&<>()=`"'])*$/s.exec(before)![0];
  if (word.startsWith('$'))
    return plain(
      word,
      Object.keys(sh.st.vars).map((n) => `$${n}`),
      '',
    );
  const command = /(?:^|[;|&(`]|\$\()\s*([^;|&(`]*)$/s.exec(before)![1]!;
  const words = command
    .slice(0, command.length - word.length)
    .split(/\s+/)
    .filter((w) => w !== '' && !/^\w+=/.test(w));
  const redirecting = /[<>]\s*$/.test(before.slice(0, before.length - word.length));
  if (words.length === 0 && !redirecting && !word.includes('/')) return commands(sh, word);
  if (given) return plain(word, given, ' ');
  const words_ = redirecting ? undefined : programmed(sh, words);
  if (words_ && 'command' in words_) return words_;
  if (words_) {
    const found = plain(word, words_, ' ');
    if (found.list.length > 0) return found;
  }
  return filesFor(sh, word, words[0] === 'cd');
}

/** Runs a command whose output is the candidates. */
export function startHelper(sh: Shell, e: EditorState, command: string): void {
  const src = addText(sh.st, command);
  const [readEnd, writeEnd] = sh.sys.pipe();
  const pid = fork(sh, [{ src, at: scriptOf(sh.st, src).root }], { 0: sh.st.fds[0] ?? 0, 1: writeEnd }, undefined);
  sh.sys.close(writeEnd);
  e.helper = { pid, fd: readEnd, data: '' };
}

function programmed(sh: Shell, words: readonly string[]): readonly string[] | { command: string } | undefined {
  const name = words[0]!.replace(/^.*\//, '');
  const own = Object.hasOwn(sh.st.completions, name) ? sh.st.completions[name] : undefined;
  if (own?.command !== undefined) return { command: own.command };
  if (own?.words !== undefined) return own.words.split(/\s+/);
  const path = `/etc/bash_completion.d/${name}`;
  if (name === '' || !sh.sys.exists(path) || isDirectory(sh.sys, path)) return undefined;
  const lines = sh.sys
    .readText(path)
    .split('\n')
    .filter((l) => l.trim() !== '' && !l.startsWith('#'));
  const line = lines[Math.min(words.length, lines.length) - 1];
  if (line === undefined) return undefined;
  return line.startsWith('!') ? { command: line.slice(1) } : line.trim().split(/\s+/);
}

function plain(word: string, names: readonly string[], suffix: string): Candidates {
  const list = [...new Set(names)].filter((n) => n.startsWith(word)).sort(compareNames);
  return { word, list: list.map((n) => ({ insert: n, show: n, suffix })) };
}

function commands(sh: Shell, word: string): Candidates {
  const names: string[] = [...BUILTIN_NAMES, ...Object.keys(sh.st.funcs), ...Object.keys(sh.st.aliases)];
  for (const dir of (getVar(sh, 'PATH') ?? '').split(':')) {
    if (dir === '' || !isDirectory(sh.sys, dir)) continue;
    names.push(...sh.sys.readdir(dir).filter((n) => n.startsWith(word) && sh.sys.access(`${dir}/${n}`, 'x')));
  }
  return plain(word, names, ' ');
}

function filesFor(sh: Shell, word: string, directoriesOnly: boolean): Candidates {
  const cut = word.lastIndexOf('/') + 1;
  const typed = word.slice(0, cut);
  const prefix = word.slice(cut).replace(/\\(.)/g, '$1');
  const tilde = /^~([^/]*)/.exec(typed);
  const dir =
    (tilde ? (homeOf(sh, tilde[1]!) ?? tilde[0]) + typed.slice(tilde[0].length) : typed).replace(/\\(.)/g, '$1') || '.';
  if (!isDirectory(sh.sys, dir)) return { word, list: [] };
  let names = sh.sys.readdir(dir).filter((n) => n !== '.' && n !== '..' && n.startsWith(prefix));
  if (!prefix.startsWith('.')) names = names.filter((n) => !n.startsWith('.'));
  const list = [...names].sort(compareNames).flatMap((name) => {
    const isDir = isDirectory(sh.sys, `${dir}/${name}`);
    if (directoriesOnly && !isDir) return [];
    const slash = isDir ? '/' : '';
    return [
      {
        insert: typed + name.replace(/[\s"'\\$`&;|<>()*?[\]!#~]/g, '\\$&') + slash,
        show: name + slash,
        suffix: isDir ? '' : ' ',
      },
    ];
  });
  return { word, list };
}
