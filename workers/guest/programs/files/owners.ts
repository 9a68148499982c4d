/** chmod, chown and chgrp (coreutils 5.97). */

import { strerror } from '../../../lib/errno';
import { type Sys, SysError } from '../../sys';
import { command } from '../adapters';
import { changeMode } from '../modes';
import { guarded, optionsOf, quietly, requireOperand, ToolError, type ToolSpec, tool } from '../options';
import { joinPath } from '../paths';
import { gidOf, uidOf, users } from '../users';

const CHMOD: ToolSpec = {
  usage: '[OPTION]... MODE[,MODE]... FILE...',
  options: 'Rvcf',
  long: { recursive: 'R', verbose: 'v', changes: 'c', silent: 'f', quiet: 'f', reference: 'reference:' },
};

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
        if (options.has('v'))
          sys.print(`mode of \`${path}' changed to ${sys.stat(path).mode.toString(8).padStart(4, '0')}\n`);
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

function changeOwners(
  sys: Sys,
  name: string,
  owner: NewOwner,
  paths: readonly string[],
  isRecursive: boolean,
  isQuiet: boolean,
): number {
  let status = 0;
  const visit = (path: string, isArgument: boolean) => {
    try {
      const own = sys.lstat(path);
      // The call follows links; a link found on the way is left alone.
      if (own.kind === 'symlink' && (!isArgument || !quietly(() => sys.stat(path)))) return;
      const stat = sys.stat(path);
      sys.chown(path, owner.uid ?? stat.uid, owner.gid ?? stat.gid);
      if (isRecursive && stat.kind === 'dir')
        for (const inner of sys.readdir(path)) visit(joinPath(path, inner), false);
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      const what =
        error.code === 'ENOENT' ? 'cannot access' : name === 'chgrp' ? 'changing group of' : 'changing ownership of';
      if (!isQuiet) sys.eprint(`${name}: ${what} \`${path}': ${strerror[error.code]}\n`);
      status = 1;
    }
  };
  for (const path of paths) visit(path, true);
  return status;
}

const OWNER: ToolSpec = {
  usage: '[OPTION]... OWNER[:[GROUP]] FILE...',
  options: 'Rvcfh',
  long: { recursive: 'R', reference: 'reference:' },
};

export const chown = tool('chown', OWNER, (sys, options, words) => {
  requireOperand(words, 2);
  return changeOwners(sys, 'chown', parseOwner(sys, words[0]!), words.slice(1), options.has('R'), options.has('f'));
});

export const chgrp = tool('chgrp', { ...OWNER, usage: '[OPTION]... GROUP FILE...' }, (sys, options, words) => {
  requireOperand(words, 2);
  const gid = gidOf(sys, words[0]!);
  if (gid === undefined) throw new ToolError(`invalid group name \`${words[0]}'`);
  return changeOwners(sys, 'chgrp', { uid: undefined, gid }, words.slice(1), options.has('R'), options.has('f'));
});
