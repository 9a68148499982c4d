/** cp: copies files and directories (coreutils 5.97). */

import type { Sys } from '../../sys';
import { again, exit, type Program, wait } from '../../sys';
import { type Answer, isYes, readAnswer } from '../ask';
import { guarded, type Options, optionsOf, quietly, ToolError, type ToolSpec, UsageError } from '../options';
import { baseName, dirName, joinPath } from '../paths';
import { type CopyOptions, type CopyState, type CopyTask, copyStep, startCopy } from './copying';

const SPEC: ToolSpec = {
  usage: '[OPTION]... SOURCE... DEST',
  options: 'aRrpdfixvuPLHlsbt:T',
  long: {
    archive: 'a', recursive: 'R', force: 'f', interactive: 'i', verbose: 'v', update: 'u', preserve: 'preserve::',
    'one-file-system': 'x', 'no-dereference': 'P', dereference: 'L', sparse: 'sparse:', 'target-directory': 't', link: 'l', 'symbolic-link': 's', 'no-target-directory': 'T', parents: 'parents',
  }, // biome-ignore format: a table
};

interface CpState {
  readonly options: CopyOptions;
  readonly copy: CopyState;
  readonly answer: Answer;
  /** Set when the arguments were wrong. */
  readonly status: number;
}

/** Pairs every source with its place below (or at) the destination. Throws UsageError and ToolError. */
export function pairs(sys: Sys, words: readonly string[], options: Options): CopyTask[] {
  const fixed = options.value('t');
  if (words.length === 0) throw new UsageError('missing file operand');
  const sources = fixed === undefined ? words.slice(0, -1) : words;
  const target = fixed ?? words.at(-1)!;
  if (sources.length === 0) throw new UsageError(`missing destination file operand after \`${target}'`);
  const isDir = !options.has('T') && quietly(() => sys.stat(target))?.kind === 'dir';
  if (!isDir && (sources.length > 1 || fixed !== undefined))
    throw new ToolError(`target \`${target}' is not a directory`);
  if (options.has('parents')) {
    if (!isDir) throw new UsageError('with --parents, the destination must be a directory');
    for (const from of sources) makeParents(sys, target, dirName(from));
  }
  const within = (from: string) => joinPath(target, options.has('parents') ? from.replace(/^\/+/, '') : baseName(from));
  return sources.map((from) => ({ from, to: isDir ? within(from) : target, dev: -1 }));
}

/** `cp --parents a/b/c DIR` makes DIR/a/b first. */
function makeParents(sys: Sys, target: string, dir: string): void {
  let path = target;
  for (const part of dir.split('/').filter((it) => it !== '' && it !== '.')) {
    path = joinPath(path, part);
    if (!sys.exists(path)) sys.mkdir(path);
  }
}

export const cp: Program<CpState> = {
  name: 'cp',
  start(sys) {
    const none = (status: number): CpState => ({
      options: copyOptions(undefined),
      copy: startCopy([]),
      answer: { text: '' },
      status,
    });
    const options = optionsOf(sys, 'cp', SPEC);
    if (typeof options === 'number') return none(options);
    const tasks = guarded(sys, 'cp', SPEC, () => pairs(sys, options.words, options));
    if (typeof tasks === 'number') return none(tasks);
    return { options: copyOptions(options), copy: startCopy(tasks), answer: { text: '' }, status: -1 };
  },
  step(sys, state) {
    const { copy } = state;
    if (state.status >= 0) return exit(state.status);
    if (copy.asked) {
      const text = readAnswer(sys, state.answer);
      if (text === undefined) return wait({ readable: 0 });
      if (isYes(text)) copy.todo.push({ ...copy.asked, confirmed: true });
      copy.asked = null;
    }
    for (let i = 0; i < 64 && !copy.asked; i++) {
      const condition = copyStep(sys, state.options, copy);
      if (condition) return wait(condition);
      if (!copy.open && copy.todo.length === 0 && !copy.asked) return exit(copy.status);
      if (copy.open && i >= 4) break;
    }
    return again();
  },
};

function copyOptions(options: Options | undefined): CopyOptions {
  const has = (...names: string[]) => options?.has(...names) ?? false;
  return {
    name: 'cp',
    recursive: has('r', 'R', 'a'),
    preserve: has('p', 'a', 'preserve'),
    keepLinks: has('a', 'd', 'P') && !has('L'),
    force: has('f'),
    interactive: has('i') && !has('f'),
    oneFileSystem: has('x'),
    verbose: has('v'),
    update: has('u'),
    backup: has('b'),
    makes: has('l') ? 'links' : has('s') ? 'symlinks' : 'copies',
  };
}
