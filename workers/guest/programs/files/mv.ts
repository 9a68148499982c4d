/** mv: renames files; between file systems it copies and removes (coreutils 5.97). */
import { strerror } from '../../../lib/errno';
import { again, exit, type Program, type Sys, SysError, wait } from '../../sys';
import { type Answer, isYes, readAnswer } from '../ask';
import { guarded, optionsOf, quietly, type ToolSpec } from '../options';
import { type CopyOptions, type CopyState, type CopyTask, copyStep, startCopy } from './copying';
import { pairs } from './cp';
import { type RemoveState, removeStep, startRemove } from './rm';

const SPEC: ToolSpec = {
  usage: '[OPTION]... SOURCE... DEST',
  options: 'fivut:Tb',
  long: { force: 'f', interactive: 'i', verbose: 'v', update: 'u', 'target-directory': 't', backup: 'b' },
};

const COPY: CopyOptions = {
  name: 'mv', recursive: true, preserve: true, keepLinks: true, force: true, interactive: false, oneFileSystem: false, verbose: false, update: false, backup: false, makes: 'copies',
}; // biome-ignore format: a table

interface MvState {
  status: number;
  readonly interactive: boolean;
  readonly verbose: boolean;
  readonly update: boolean;
  readonly backup: boolean;
  todo: CopyTask[];
  asked: CopyTask | null;
  readonly answer: Answer;
  copy: CopyState | null;
  remove: RemoveState | null;
  /** The source that is being copied, removed afterwards. */
  moving: string;
}

export const mv: Program<MvState> = {
  name: 'mv',
  start(sys) {
    const options = optionsOf(sys, 'mv', SPEC);
    const tasks =
      typeof options === 'number' ? options : guarded(sys, 'mv', SPEC, () => pairs(sys, options.words, options));
    const last =
      typeof options === 'number' ? '' : options.list.filter(([name]) => name === 'f' || name === 'i').at(-1)?.[0];
    const has = (name: string) => typeof options !== 'number' && options.has(name);
    return {
      status: typeof tasks === 'number' ? tasks : 0,
      interactive: last === 'i',
      verbose: has('v'),
      update: has('u'),
      backup: has('b'),
      todo: typeof tasks === 'number' ? [] : [...tasks].reverse(),
      asked: null,
      answer: { text: '' },
      copy: null,
      remove: null,
      moving: '',
    };
  },
  step(sys, state) {
    if (state.copy) return copyOn(sys, state, state.copy);
    if (state.remove) {
      removeStep(sys, state.remove);
      if (state.remove.todo.length === 0) {
        state.status ||= state.remove.status;
        state.remove = null;
      }
      return again();
    }
    if (state.asked) {
      const text = readAnswer(sys, state.answer);
      if (text === undefined) return wait({ readable: 0 });
      if (isYes(text)) state.todo.push({ ...state.asked, confirmed: true });
      state.asked = null;
    }
    while (!state.copy && !state.asked) {
      const task = state.todo.pop();
      if (!task) return exit(state.status);
      move(sys, state, task);
    }
    return again();
  },
};

function copyOn(sys: Sys, state: MvState, copy: CopyState) {
  const condition = copyStep(sys, COPY, copy);
  if (condition) return wait(condition);
  if (copy.open || copy.todo.length > 0) return again();
  if (copy.status === 0) state.remove = startRemove([state.moving], { name: 'mv' });
  else state.status = 1;
  state.copy = null;
  return again();
}

function move(sys: Sys, state: MvState, task: CopyTask): void {
  const { from, to } = task;
  const complain = (text: string) => {
    sys.eprint(`mv: ${text}\n`);
    state.status = 1;
  };
  const source = quietly(() => sys.lstat(from));
  if (!source) {
    complain(`cannot stat \`${from}': No such file or directory`);
    return;
  }
  const target = quietly(() => sys.lstat(to));
  if (target && target.dev === source.dev && target.ino === source.ino) {
    complain(`\`${from}' and \`${to}' are the same file`);
    return;
  }
  if (target && state.update && target.mtime >= source.mtime) return;
  if (target?.kind === 'dir' && source.kind !== 'dir') {
    complain(`cannot overwrite directory \`${to}' with non-directory`);
    return;
  }
  if (target && target.kind !== 'dir' && source.kind === 'dir') {
    complain(`cannot overwrite non-directory \`${to}' with directory \`${from}'`);
    return;
  }
  if (target && state.interactive && !task.confirmed) {
    sys.eprint(`mv: overwrite \`${to}'? `);
    state.asked = task;
    return;
  }
  try {
    if (target && state.backup && target.kind !== 'dir') sys.rename(to, `${to}~`);
    sys.rename(from, to);
    if (state.verbose) sys.print(`\`${from}' -> \`${to}'\n`);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    if (error.code === 'EXDEV') {
      if (target && target.kind !== 'dir' && !state.backup) sys.unlink(to);
      state.copy = startCopy([task]);
      state.moving = from;
    } else if (error.code === 'EINVAL') complain(`cannot move \`${from}' to a subdirectory of itself, \`${to}'`);
    else complain(`cannot move \`${from}' to \`${to}': ${strerror[error.code]}`);
  }
}
