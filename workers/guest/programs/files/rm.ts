/** rm: removes files and, with -r, whole trees (coreutils 5.97). */
import { strerror } from '../../../lib/errno';
import { again, exit, type Program, type Sys, SysError, wait } from '../../sys';
import { type Answer, isYes, readAnswer } from '../ask';
import { optionsOf, type ToolSpec } from '../options';
import { baseName, joinPath } from '../paths';

const SPEC: ToolSpec = {
  usage: '[OPTION]... FILE...',
  options: 'rRfivdI',
  long: {
    recursive: 'r',
    force: 'f',
    interactive: 'i',
    verbose: 'v',
    'preserve-root': 'preserve-root',
    'no-preserve-root': 'no-preserve-root',
  },
};

interface Removal {
  readonly path: string;
  /** The directory's content was dealt with. */
  readonly isEmptied?: boolean;
  readonly confirmed?: boolean;
}

export interface RemoveState {
  status: number;
  readonly name: string;
  readonly recursive: boolean;
  readonly force: boolean;
  readonly interactive: boolean;
  readonly verbose: boolean;
  todo: Removal[];
  asked: Removal | null;
  readonly answer: Answer;
}

/** The state for removing these paths, for rm and for what removes as a part of its work. */
export function startRemove(paths: readonly string[], changes: Partial<RemoveState> = {}): RemoveState {
  const todo = [...paths].reverse().map((path) => ({ path }));
  return {
    status: 0,
    name: 'rm',
    recursive: true,
    force: false,
    interactive: false,
    verbose: false,
    todo,
    asked: null,
    answer: { text: '' },
    ...changes,
  };
}

/** Removes some; false while an answer is awaited. */
export function removeStep(sys: Sys, state: RemoveState): boolean {
  if (state.asked) {
    const text = readAnswer(sys, state.answer);
    if (text === undefined) return false;
    if (isYes(text)) state.todo.push({ ...state.asked, confirmed: true });
    state.asked = null;
  }
  for (let i = 0; i < 200 && state.todo.length > 0 && !state.asked; i++) removeOne(sys, state, state.todo.pop()!);
  return !state.asked || false;
}

function removeOne(sys: Sys, state: RemoveState, task: Removal): void {
  const { path } = task;
  try {
    const stat = sys.lstat(path);
    const isDir = stat.kind === 'dir';
    if (isDir && !state.recursive) {
      complain(sys, state, `cannot remove \`${path}': Is a directory`);
      return;
    }
    if (state.interactive && !task.confirmed) {
      const kind = {
        file: stat.size === 0 ? 'regular empty file' : 'regular file',
        dir: 'directory',
        symlink: 'symbolic link',
        char: 'character special file',
        block: 'block special file',
        fifo: 'fifo',
        socket: 'socket',
      }[stat.kind];
      const isDescent = isDir && !task.isEmptied && sys.readdir(path).length > 0;
      sys.eprint(
        isDescent ? `${state.name}: descend into directory \`${path}'? ` : `${state.name}: remove ${kind} \`${path}'? `,
      );
      state.asked = task;
      return;
    }
    if (isDir && !task.isEmptied) {
      const names = sys.readdir(path);
      if (names.length > 0) {
        state.todo.push({ path, isEmptied: true });
        for (const name of [...names].reverse()) state.todo.push({ path: joinPath(path, name) });
        return;
      }
    }
    if (isDir) sys.rmdir(path);
    else sys.unlink(path);
    if (state.verbose) sys.print(isDir ? `removed directory: \`${path}'\n` : `removed \`${path}'\n`);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    if (error.code === 'ENOENT' && state.force) return;
    complain(sys, state, `cannot remove ${task.isEmptied ? 'directory ' : ''}\`${path}': ${strerror[error.code]}`);
  }
}

function complain(sys: Sys, state: RemoveState, text: string): void {
  sys.eprint(`${state.name}: ${text}\n`);
  state.status = 1;
}

export const rm: Program<RemoveState> = {
  name: 'rm',
  start(sys) {
    const options = optionsOf(sys, 'rm', SPEC);
    if (typeof options === 'number') return startRemove([], { status: options });
    const force = options.has('f');
    let status = 0;
    const paths: string[] = [];
    for (const word of options.words) {
      const base = baseName(word);
      if (base === '.' || base === '..') {
        sys.eprint("rm: cannot remove `.' or `..'\n");
        status = 1;
      } else if (base === '/' && !options.has('no-preserve-root')) {
        sys.eprint("rm: cannot remove root directory `/'\n");
        status = 1;
      } else paths.push(word);
    }
    if (options.words.length === 0 && !force) {
      sys.eprint("rm: missing operand\nTry `rm --help' for more information.\n");
      status = 1;
    }
    const last = options.list.filter(([name]) => name === 'f' || name === 'i').at(-1)?.[0];
    return startRemove(paths, {
      status,
      recursive: options.has('r', 'R'),
      force,
      interactive: last === 'i',
      verbose: options.has('v'),
    });
  },
  step(sys, state) {
    const isFree = removeStep(sys, state);
    if (!isFree) return wait({ readable: 0 });
    return state.todo.length === 0 ? exit(state.status) : again();
  },
};
