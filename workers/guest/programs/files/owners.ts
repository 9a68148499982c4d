/** chmod, chown and chgrp (coreutils 5.97). */

import { strerror } from '../../../lib/errno';
import { type Stat, type Sys, SysError } from '../../sys';
import { command } from '../adapters';
import { changeMode, modeText } from '../modes';
import { guarded, type Options, optionsOf, quietly, requireOperand, ToolError, type ToolSpec, tool } from '../options';
import { joinPath } from '../paths';
import { gidOf, groupName, uidOf, userName, users } from '../users';

const CHMOD: ToolSpec = {
  usage: '[OPTION]... MODE[,MODE]... FILE...',
  options: 'Rvcf',
  long: { recursive: 'R', verbose: 'v', changes: 'c', silent: 'f', quiet: 'f', reference: 'reference:' },
};

/** What -v and -c say. */
function changed(path: string, before: Stat, { mode }: Stat): string {
  const text = `${mode.toString(8).padStart(4, '0')} (${modeText({ ...before, mode }).slice(1)})`;
  return `mode of \`${path}' ${mode === before.mode ? 'retained as' : 'changed to'} ${text}\n`;
}

export const chmod = command('chmod', (sys, args) => {
  // `chmod -x file`: a mode that looks like options.
  const modeAt = args.findIndex((arg) => /^-[rwxXst]+$/.test(arg) && !/^-[Rvcf]+$/.test(arg));
  const given =
    modeAt < 0
      ? args
      : [...args.slice(0, modeAt), '--', args[modeAt]!, ...args.slice(modeAt + 1).filter((arg) => arg !== '--')];
  const options = optionsOf(sys, 'chmod', CHMOD, given.slice());
  if (typeof options === 'number') return options;
  return guarded(sys, 'chmod', CHMOD, () => {
    const reference = options.value('reference');
    const words =
      reference === undefined ? options.words : [(sys.stat(reference).mode & 0o7777).toString(8), ...options.words];
    requireOperand(words, 2);
    const [change, ...paths] = words;
    if (changeMode(change!, { kind: 'file', mode: 0 }, 0) === undefined)
      throw new ToolError(`invalid mode: \`${change}'`);
    let status = 0;
    const visit = (path: string, isArgument: boolean) => {
      try {
        const own = sys.lstat(path);
        if (own.kind === 'symlink' && !isArgument) return;
        const stat = sys.stat(path);
        sys.chmod(path, changeMode(change!, stat, sys.umask)!);
        if (options.has('v') || (options.has('c') && sys.stat(path).mode !== stat.mode))
          sys.print(changed(path, stat, sys.stat(path)));
        if (options.has('R') && stat.kind === 'dir')
          for (const name of sys.readdir(path)) visit(joinPath(path, name), false);
      } catch (error) {
        if (!(error instanceof SysError)) throw error;
        const what = error.code === 'ENOENT' ? 'cannot access' : 'changing permissions of';
        if (!options.has('f')) sys.eprint(`chmod: ${what} \`${path}': ${strerror[error.code]}\n`);
        status = 1;
      }
    };
    for (const path of paths) visit(path, true);
    return status;
  });
});

interface NewOwner {
  readonly uid: number | undefined;
  readonly gid: number | undefined;
}

/** `user`, `user:group`, `user.group`, `:group`, `user:` (with the user's own group). */
function parseOwner(sys: Sys, text: string): NewOwner {
  const separator = text.includes(':') ? ':' : uidOf(sys, text) === undefined && text.includes('.') ? '.' : undefined;
  const [userText, groupText] =
    separator === undefined
      ? [text, undefined]
      : [text.slice(0, text.indexOf(separator)), text.slice(text.indexOf(separator) + 1)];
  const uid = userText === '' ? undefined : uidOf(sys, userText);
  if (userText !== '' && uid === undefined) throw new ToolError(`\`${text}': invalid user`);
  if (groupText === undefined) return { uid, gid: undefined };
  if (groupText === '') return { uid, gid: users(sys).find((user) => user.uid === uid)?.gid };
  const gid = gidOf(sys, groupText);
  if (gid === undefined) throw new ToolError(`\`${text}': invalid group`);
  return { uid, gid };
}

function changeOwners(sys: Sys, name: string, owner: NewOwner, paths: readonly string[], options: Options): number {
  let status = 0;
  const visit = (path: string, isArgument: boolean) => {
    try {
      const own = sys.lstat(path);
      // The call follows links; a link found on the way is left alone.
      if (own.kind === 'symlink' && (!isArgument || !quietly(() => sys.stat(path)))) return;
      const stat = sys.stat(path);
      sys.chown(path, owner.uid ?? stat.uid, owner.gid ?? stat.gid);
      const isChanged = (owner.uid ?? stat.uid) !== stat.uid || (owner.gid ?? stat.gid) !== stat.gid;
      if (options.has('v') || (options.has('c') && isChanged)) {
        const user = owner.uid === undefined ? '' : userName(sys, owner.uid);
        const group = owner.gid === undefined ? '' : groupName(sys, owner.gid);
        const shown = name === 'chgrp' ? group : group === '' ? user : `${user}:${group}`;
        const what = name === 'chgrp' ? 'group' : 'ownership';
        sys.print(
          isChanged ? `changed ${what} of \`${path}' to ${shown}\n` : `${what} of \`${path}' retained as ${shown}\n`,
        );
      }
      if (options.has('R') && stat.kind === 'dir')
        for (const inner of sys.readdir(path)) visit(joinPath(path, inner), false);
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      const what =
        error.code === 'ENOENT' ? 'cannot access' : name === 'chgrp' ? 'changing group of' : 'changing ownership of';
      if (!options.has('f')) sys.eprint(`${name}: ${what} \`${path}': ${strerror[error.code]}\n`);
      status = 1;
    }
  };
  for (const path of paths) visit(path, true);
  return status;
}

const OWNER: ToolSpec = {
  usage: '[OPTION]... OWNER[:[GROUP]] FILE...',
  options: 'Rvcf',
  long: { recursive: 'R', verbose: 'v', changes: 'c', silent: 'f', quiet: 'f' },
};

export const chown = tool('chown', OWNER, (sys, options, words) => {
  requireOperand(words, 2);
  return changeOwners(sys, 'chown', parseOwner(sys, words[0]!), words.slice(1), options);
});

export const chgrp = tool('chgrp', { ...OWNER, usage: '[OPTION]... GROUP FILE...' }, (sys, options, words) => {
  requireOperand(words, 2);
  const gid = gidOf(sys, words[0]!);
  if (gid === undefined) throw new ToolError(`invalid group name \`${words[0]}'`);
  return changeOwners(sys, 'chgrp', { uid: undefined, gid }, words.slice(1), options);
});
