/** nice and renice: how much of the cpu a process leaves to others (coreutils 5.97, util-linux 2.13). */
import { again, exit, type Program, type Sys, SysError } from '../../sys';
import { command } from '../adapters';
import { guarded, parseOptions, ToolError, type ToolSpec } from '../options';
import { uidOf } from '../users';
import { runInstead } from './identity';

const NICE: ToolSpec = {
  usage: '[OPTION] [COMMAND [ARG]...]',
  options: 'n:',
  long: { adjustment: 'n' },
  stopAtWord: true,
  usageStatus: 125,
};
const ADJUSTMENT = 10;

export const nice: Program<null> = {
  name: 'nice',
  start: () => null,
  step(sys) {
    const words = guarded(sys, 'nice', NICE, () => adjust(sys));
    if (typeof words === 'number') return exit(words);
    return runInstead(sys, 'nice', words) ?? again();
  },
};

/** Changes its own niceness; the command to run, or a status when there is none. */
function adjust(sys: Sys): readonly string[] | number {
  // The old form: `nice -5` is `nice -n 5`, `nice --5` is `nice -n -5`.
  const args = sys.argv.slice(1);
  const old = /^-(-?\d+)$/.exec(args[0] ?? '');
  const { words, value } = parseOptions(old ? ['-n', old[1]!, ...args.slice(1)] : args, NICE);
  const text = value('n');
  if (text !== undefined && !/^[-+]?\d+$/.test(text)) throw new ToolError(`invalid adjustment \`${text}'`, 125);
  if (words.length === 0) {
    if (text !== undefined) throw new ToolError('a command must be given with an adjustment', 125);
    sys.print(`${sys.nice}\n`);
    return 0;
  }
  try {
    sys.setNice(sys.pid, sys.nice + Number(text ?? ADJUSTMENT));
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    // As POSIX has it: the command runs all the same.
    sys.eprint(`nice: cannot set priority: ${error.message}\n`);
  }
  return words;
}

const RENICE_USAGE = 'usage: renice priority [ [ -p ] pids ] [ [ -g ] pgrps ] [ [ -u ] users ]\n';

export const renice = command('renice', (sys, args) => {
  const [priority = '', ...rest] = args[0] === '-n' ? args.slice(1) : args;
  if (!/^[-+]?\d+$/.test(priority) || rest.length === 0) {
    sys.eprint(RENICE_USAGE);
    return 1;
  }
  let which = 'p';
  let status = 0;
  for (const word of rest) {
    if (/^-[pgu]$/.test(word)) {
      which = word[1]!;
      continue;
    }
    const id = which === 'u' ? uidOf(sys, word) : /^\d+$/.test(word) ? Number(word) : undefined;
    if (id === undefined) {
      sys.eprint(which === 'u' ? `renice: unknown user ${word}\n` : `renice: ${word}: bad value\n`);
      status = 1;
    } else if (!reniceAll(sys, which, id, Number(priority))) status = 1;
  }
  return status;
});

/** Every process that the number names: itself, its group's or its user's. */
function reniceAll(sys: Sys, which: string, id: number, priority: number): boolean {
  const chosen = sys
    .processes()
    .filter(({ pid, pgid, uid, state }) => state !== 'Z' && (which === 'g' ? pgid : which === 'u' ? uid : pid) === id);
  try {
    if (chosen.length === 0) throw new SysError('ESRCH');
    for (const { pid } of chosen) sys.setNice(pid, priority);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    sys.eprint(`renice: ${id}: setpriority: ${new SysError(error.code).message}\n`);
    return false;
  }
  const now = sys.processes().find(({ pid }) => pid === chosen[0]!.pid)?.nice ?? priority;
  sys.print(`${id}: old priority ${chosen[0]!.nice}, new priority ${now}\n`);
  return true;
}
