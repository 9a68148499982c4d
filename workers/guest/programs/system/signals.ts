/** Commands that send signals: kill, killall, pidof, pgrep, pkill. */

import { parseSignal, signalList, signalNumber } from '../../signals';
import { type ProcessInfo, type SignalName, type Sys, SysError } from '../../sys';
import { command } from '../adapters';
import { ToolError, tool } from '../options';
import { baseName } from '../paths';
import { uidOf } from '../users';

/** The whole list as the shell's builtin prints it, four in a line. */
function signalTable(): string {
  const cells = signalList.map(([name, number]) => `${String(number).padStart(2)}) SIG${name}`);
  let text = '';
  for (let i = 0; i < cells.length; i += 4)
    text += `${cells
      .slice(i, i + 4)
      .map((cell) => cell.padEnd(16))
      .join('')
      .trimEnd()}\n`;
  return text;
}

export const kill = command('kill', (sys, args) => {
  let signal: SignalName = 'TERM';
  let words = [...args];
  const [first = ''] = words;
  if (first === '-l' || first === '-L') {
    if (words.length === 1) sys.print(signalTable());
    for (const word of words.slice(1)) {
      const found = parseSignal(/^\d+$/.test(word) && Number(word) > 128 ? String(Number(word) - 128) : word);
      if (!found) {
        sys.eprint(`kill: unknown signal ${word}\n`);
        return 1;
      }
      sys.print(`${/^\d/.test(word) ? found : signalNumber[found]}\n`);
    }
    return 0;
  }
  const given = first === '-s' ? words[1] : first.startsWith('-') && first !== '--' ? first.slice(1) : undefined;
  let isCheck = false;
  if (given !== undefined) {
    words = words.slice(first === '-s' ? 2 : 1);
    isCheck = given === '0';
    const found = isCheck ? 'TERM' : parseSignal(given);
    if (!found) {
      sys.eprint(`kill: unknown signal ${given}\n`);
      return 1;
    }
    signal = found;
  }
  if (words[0] === '--') words.shift();
  if (words.length === 0) {
    sys.eprint('usage: kill [ -s signal | -p ] [ -a ] pid ...\n       kill -l [ signal ]\n');
    return 1;
  }
  let status = 0;
  for (const word of words) {
    if (!/^-?\d+$/.test(word)) {
      sys.eprint(`kill: can't find process "${word}"\n`);
      status = 1;
      continue;
    }
    try {
      if (!isCheck) sys.kill(Number(word), signal);
      else if (!sys.processes().some(({ pid, pgid }) => pid === Number(word) || -pgid === Number(word)))
        throw new SysError('ESRCH');
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      sys.eprint(`kill ${word}: ${new SysError(error.code).message}\n`);
      status = 1;
    }
  }
  return status;
});

/** Takes `-9`, `-KILL`, `-SIGTERM` out of the arguments. */
function withSignal(args: readonly string[]): { signal: SignalName; rest: string[] } {
  const at = args.findIndex((arg) => /^-(\d+|[A-Z]{2}[A-Z0-9]+)$/.test(arg));
  if (at < 0) return { signal: 'TERM', rest: [...args] };
  const signal = parseSignal(args[at]!.slice(1));
  if (!signal) throw new ToolError(`${args[at]!.slice(1)}: unknown signal`);
  return { signal, rest: args.filter((_, i) => i !== at) };
}

function isNamed(process: ProcessInfo, name: string): boolean {
  if (process.state === 'Z') return false;
  const [program = '', script] = process.argv;
  return (
    process.comm === baseName(name) ||
    baseName(program) === baseName(name) ||
    (script !== undefined && /sh$/.test(baseName(program)) && baseName(script) === baseName(name))
  );
}

export const killall = command('killall', (sys, args) => {
  let signal: SignalName = 'TERM';
  const words: string[] = [];
  let isQuiet = false;
  try {
    const parsed = withSignal(args);
    signal = parsed.signal;
    for (let i = 0; i < parsed.rest.length; i++) {
      const arg = parsed.rest[i]!;
      if (arg === '-s') {
        const found = parseSignal(parsed.rest[++i] ?? '');
        if (!found) throw new ToolError(`${parsed.rest[i] ?? ''}: unknown signal`);
        signal = found;
      } else if (arg === '-q') isQuiet = true;
      else if (!/^-[veIiwg]+$/.test(arg)) words.push(arg);
    }
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    sys.eprint(`${error.message}; killall -l lists signals.\n`);
    return 1;
  }
  if (words[0] === '-l') {
    sys.print(`${signalList.map(([name]) => name).join(' ')}\n`);
    return 0;
  }
  if (words.length === 0) {
    sys.eprint('Usage: killall [OPTION]... [--] NAME...\n');
    return 1;
  }
  let status = 0;
  for (const name of words) {
    const found = sys.processes().filter((process) => process.pid !== sys.pid && isNamed(process, name));
    if (found.length === 0 && !isQuiet) sys.eprint(`${name}: no process killed\n`);
    if (found.length === 0) status = 1;
    for (const { pid } of found) if (!send(sys, `${name}(${pid})`, pid, signal)) status = 1;
  }
  return status;
});

function send(sys: Sys, label: string, pid: number, signal: SignalName): boolean {
  try {
    sys.kill(pid, signal);
    return true;
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    sys.eprint(`${label}: ${new SysError(error.code).message}\n`);
    return false;
  }
}

export const pidof = tool(
  'pidof',
  { usage: '[-s] [-x] [-o omitpid] program...', options: 'sxo:c' },
  (sys, options, words) => {
    const omitted = options.list
      .filter(([name]) => name === 'o')
      .map(([, value]) => (value === '%PPID' ? sys.ppid : Number(value)));
    const pids = words.flatMap((name) =>
      sys
        .processes()
        .filter((process) => process.pid !== sys.pid && isNamed(process, name) && !omitted.includes(process.pid))
        .map(({ pid }) => pid)
        .reverse(),
    );
    const shown = options.has('s') ? pids.slice(0, 1) : pids;
    if (shown.length > 0) sys.print(`${shown.join(' ')}\n`);
    return shown.length > 0 ? 0 : 1;
  },
);

const grepper = (name: 'pgrep' | 'pkill') =>
  command(name, (sys, args) => {
    const match: {
      full?: boolean;
      exact?: boolean;
      invert?: boolean;
      list?: boolean;
      newest?: boolean;
      oldest?: boolean;
      count?: boolean;
    } = {};
    let uid: number | undefined;
    let parent: number | undefined;
    let pattern: string | undefined;
    const { signal, rest } = name === 'pkill' ? withSignal(args) : { signal: 'TERM' as SignalName, rest: [...args] };
    for (let i = 0; i < rest.length; i++) {
      const arg = rest[i]!;
      if (arg === '-u' || arg === '-U') uid = uidOf(sys, rest[++i] ?? '');
      else if (arg === '-P') parent = Number(rest[++i]);
      else if (/^-[fxvlnoc]+$/.test(arg)) {
        for (const letter of arg.slice(1))
          match[
            ({ f: 'full', x: 'exact', v: 'invert', l: 'list', n: 'newest', o: 'oldest', c: 'count' } as const)[
              letter as 'f'
            ]
          ] = true;
      } else if (arg.startsWith('-')) {
        sys.eprint(
          `${name}: invalid option -- ${arg[1]}\nUsage: ${name} [-flvx] [-n | -o] [-P PPIDLIST] [-u EUIDLIST] [PATTERN]\n`,
        );
        return 2;
      } else pattern = arg;
    }
    if (pattern === undefined && uid === undefined && parent === undefined) {
      sys.eprint(`${name}: No matching criteria specified\n`);
      return 2;
    }
    let regex: RegExp;
    try {
      regex = new RegExp(match.exact ? `^(?:${pattern ?? ''})$` : (pattern ?? ''));
    } catch {
      sys.eprint(`${name}: ${pattern}: invalid pattern\n`);
      return 2;
    }
    let found = sys.processes().filter((process) => {
      if (process.pid === sys.pid || process.state === 'Z') return false;
      const isHit =
        regex.test(match.full ? process.argv.join(' ') : process.comm) &&
        (uid === undefined || process.uid === uid) &&
        (parent === undefined || process.ppid === parent);
      return isHit !== (match.invert ?? false);
    });
    if (match.newest) found = found.slice(-1);
    if (match.oldest) found = found.slice(0, 1);
    for (const process of found) {
      if (name === 'pkill') send(sys, `${name}: ${process.pid}`, process.pid, signal);
      else if (!match.count)
        sys.print(`${process.pid}${match.list ? ` ${match.full ? process.argv.join(' ') : process.comm}` : ''}\n`);
    }
    if (match.count) sys.print(`${found.length}\n`);
    return found.length > 0 ? 0 : 1;
  });

export const pgrep = grepper('pgrep');
export const pkill = grepper('pkill');
