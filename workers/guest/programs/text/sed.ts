/** sed: edits a stream line by line (GNU sed 4.1, the common part). */
import { again, exit, type Program, type Step, type Sys, SysError, wait } from '../../sys';
import { guarded, optionsOf, ToolError, type ToolSpec, UsageError } from '../options';
import { lineReader, nextLine } from './lines';
import { posixRegex } from './regex';
import { advance, closeFile, flushAppended, lookAhead, put, type SedState } from './sedFiles';
import { type Address, parseScript, type SedCommand } from './sedScript';
import { expand, unambiguous } from './sedText';

const SPEC: ToolSpec = {
  usage: '[OPTION]... {script-only-if-no-other-script} [input-file]...',
  options: 'ne:f:i::rEsul:',
  long: { quiet: 'n', silent: 'n', expression: 'e', file: 'f', 'in-place': 'i', 'regexp-extended': 'r', separate: 's' },
};

export const sed: Program<SedState> = {
  name: 'sed',
  start(sys) {
    const state = (status: number, changes: Partial<SedState> = {}): SedState => ({
      status, commands: [], quiet: false, extended: false, inPlace: null, separate: false, files: [], reader: null, file: '', outFd: -1, outPath: '',
      next: null, hasNext: false, pattern: '', isTerminated: true, hold: '', line: 0, pc: -1, ranges: {}, substituted: false, owesNewline: false, appended: [], lastRegex: '', isQuitting: false, exitStatus: 0, ...changes,
    }); // biome-ignore format: a record
    const options = optionsOf(sys, 'sed', SPEC);
    if (typeof options === 'number') return state(options);
    const made = guarded(sys, 'sed', SPEC, () => {
      const words = [...options.words];
      const scripts = options.list.flatMap(([name, value]) =>
        name === 'e' ? [value] : name === 'f' ? [scriptFile(sys, value)] : [],
      );
      if (scripts.length === 0) {
        if (words.length === 0) throw new UsageError('no script specified');
        scripts.push(words.shift()!);
      }
      const script = scripts.join('\n');
      const commands = parseScript(script.replace(/^#n\n/, ''));
      const extended = options.has('r', 'E');
      for (const { from, to, substitute } of commands)
        for (const it of [from, to, substitute])
          if (it && 'source' in it && it.source !== '') posixRegex(it.source, { extended });
      return state(-1, {
        commands,
        quiet: options.has('n') || script.startsWith('#n\n'),
        extended,
        inPlace: options.has('i') ? options.value('i')! : null,
        separate: options.has('i', 's'),
        files: words.length > 0 ? words : ['-'],
      });
    });
    return typeof made === 'number' ? state(made) : made;
  },
  step(sys, state) {
    if (state.status >= 0) return exit(state.status);
    try {
      return run(sys, state);
    } catch (error) {
      if (!(error instanceof ToolError)) throw error;
      sys.eprint(`sed: ${error.message}\n`);
      return exit(1);
    }
  },
};

/** `-f -` is standard input, of which only what is there at once can be a script. */
function scriptFile(sys: Sys, path: string): string {
  if (path !== '-') return sys.readText(path).replace(/\n$/, '');
  const reader = lineReader(0);
  const lines: string[] = [];
  for (let line = nextLine(sys, reader); line; line = nextLine(sys, reader)) lines.push(line.text);
  return lines.join('\n');
}

/** Lines worked on in one step. */
const BATCH = 500;

function run(sys: Sys, state: SedState): Step {
  for (let i = 0; i < BATCH; i++) {
    if (state.pc < 0) {
      const line = advance(sys, state);
      if (line === undefined) return wait({ readable: state.reader!.fd });
      if (line === null) return finish(sys, state);
      state.pattern = line.text;
      state.isTerminated = line.isTerminated;
      state.line++;
      state.pc = 0;
      state.substituted = false;
    }
    const outcome = execute(sys, state);
    if (outcome === 'wait') return wait({ readable: state.reader!.fd });
    if (outcome !== 'again') {
      if (outcome === 'print' && !state.quiet) put(sys, state, state.pattern, state.isTerminated);
      flushAppended(sys, state);
      if (state.isQuitting) return finish(sys, state);
      state.pc = -1;
    }
  }
  return again();
}

function finish(sys: Sys, state: SedState): Step {
  closeFile(sys, state);
  return exit(state.exitStatus);
}

function regexOf(state: SedState, source: string, ignoreCase: boolean, flags = ''): RegExp {
  if (source !== '') state.lastRegex = source;
  else if (state.lastRegex === '') throw new ToolError('no previous regular expression');
  return posixRegex(state.lastRegex, { extended: state.extended, ignoreCase }, flags);
}

/** Undefined: whether this is the last line is not known yet. */
function isLast(sys: Sys, state: SedState): boolean | undefined {
  if (!state.hasNext && lookAhead(sys, state) === undefined) return undefined;
  return state.next === null;
}

function matchesAddress(sys: Sys, state: SedState, address: Address): boolean | undefined {
  switch (address.kind) {
    case 'line':
      return state.line === address.line;
    case 'last':
      return isLast(sys, state);
    case 'step':
      return address.step === 0
        ? state.line === address.first
        : state.line >= address.first && (state.line - address.first) % address.step === 0;
    case 'regex':
      return regexOf(state, address.source, address.ignoreCase).test(state.pattern);
    case 'plus':
      return false;
  }
}

/** Whether the command is for this line; ranges are opened and closed here. */
function isSelected(sys: Sys, state: SedState, command: SedCommand, index: number): boolean | undefined {
  const { from, to } = command;
  if (!from) return true;
  if (!to) return matchesAddress(sys, state, from);
  const end = state.ranges[index];
  if (end === undefined) {
    const isZero = from.kind === 'line' && from.line === 0 && state.line === 1;
    const starts = isZero || matchesAddress(sys, state, from);
    if (!starts) return starts;
    if (isZero && to.kind === 'regex' && regexOf(state, to.source, to.ignoreCase).test(state.pattern)) return true;
    if (to.kind === 'line' && to.line <= state.line) return true;
    if (to.kind === 'plus' && to.count === 0) return true;
    state.ranges[index] = to.kind === 'line' ? to.line : to.kind === 'plus' ? state.line + to.count : 0;
    return true;
  }
  if (end > 0) {
    if (state.line >= end) delete state.ranges[index];
    return state.line <= end;
  }
  const ends = matchesAddress(sys, state, to);
  if (ends) delete state.ranges[index];
  return ends === undefined ? undefined : true;
}

type Outcome = 'print' | 'delete' | 'again' | 'wait';

function execute(sys: Sys, state: SedState): Outcome {
  const { commands } = state;
  while (state.pc < commands.length) {
    const command = commands[state.pc]!;
    const selected = isSelected(sys, state, command, state.pc);
    if (selected === undefined) return 'wait';
    if (selected === command.negated) {
      state.pc = command.end ?? state.pc + 1;
      continue;
    }
    const outcome = perform(sys, state, command);
    if (outcome === 'wait') return 'wait';
    if (outcome === 'jump') continue;
    if (outcome !== undefined) return outcome;
    state.pc++;
  }
  return 'print';
}

function perform(sys: Sys, state: SedState, command: SedCommand): Outcome | 'jump' | undefined {
  switch (command.name) {
    case 'd':
      return 'delete';
    case 'D': {
      const newline = state.pattern.indexOf('\n');
      if (newline < 0) return 'delete';
      state.pattern = state.pattern.slice(newline + 1);
      flushAppended(sys, state);
      state.pc = 0;
      return 'again';
    }
    case 'p':
      put(sys, state, state.pattern);
      return undefined;
    case 'P':
      put(sys, state, state.pattern.split('\n')[0]!);
      return undefined;
    case 'n':
    case 'N':
      return takeNext(sys, state, command.name === 'N');
    case 'g':
      state.pattern = state.hold;
      return undefined;
    case 'G':
      state.pattern += `\n${state.hold}`;
      return undefined;
    case 'h':
      state.hold = state.pattern;
      return undefined;
    case 'H':
      state.hold += `\n${state.pattern}`;
      return undefined;
    case 'x':
      [state.pattern, state.hold] = [state.hold, state.pattern];
      return undefined;
    case 'z':
      state.pattern = '';
      return undefined;
    case '=':
      put(sys, state, String(state.line));
      return undefined;
    case 'l':
      put(sys, state, unambiguous(state.pattern));
      return undefined;
    case 'a':
      state.appended.push(command.text!);
      return undefined;
    case 'i':
      put(sys, state, command.text!.replace(/\n$/, ''));
      return undefined;
    case 'c':
      // A range is replaced as a whole, at its end.
      if (!command.to || command.negated || state.ranges[state.pc] === undefined)
        put(sys, state, command.text!.replace(/\n$/, ''));
      return 'delete';
    case 'r':
      try {
        state.appended.push(sys.readText(command.text!));
      } catch (error) {
        // A file that cannot be read counts as empty (POSIX).
        if (!(error instanceof SysError)) throw error;
      }
      return undefined;
    case 'w':
      sys.writeFile(command.text!, `${state.pattern}\n`, { append: true });
      return undefined;
    case 'q':
    case 'Q':
      state.isQuitting = true;
      if (command.text) state.exitStatus = Number(command.text);
      return command.name === 'q' ? 'print' : 'delete';
    case 'y': {
      const map = new Map<string, string>();
      const pairs = [...command.text!];
      for (let i = 0; i < pairs.length; i += 2) if (!map.has(pairs[i]!)) map.set(pairs[i]!, pairs[i + 1]!);
      state.pattern = [...state.pattern].map((c) => map.get(c) ?? c).join('');
      return undefined;
    }
    case 's':
      substitute(sys, state, command.substitute!);
      return undefined;
    case 'b':
      return jump(state, command.text!);
    case 't':
    case 'T': {
      const isTaken = state.substituted === (command.name === 't');
      state.substituted = false;
      return isTaken ? jump(state, command.text!) : undefined;
    }
    default:
      return undefined; // labels and braces
  }
}

function jump(state: SedState, label: string): 'jump' {
  const target = state.commands.findIndex(({ name, text }) => name === ':' && text === label);
  state.pc = label === '' ? state.commands.length : target;
  return 'jump';
}

function takeNext(sys: Sys, state: SedState, isJoined: boolean): Outcome | undefined {
  const last = isLast(sys, state);
  if (last === undefined) return 'wait';
  if (last && state.files.length === 0) {
    // GNU prints the pattern space when there is no next line.
    state.isQuitting = true;
    return 'print';
  }
  if (!isJoined && !state.quiet) put(sys, state, state.pattern);
  flushAppended(sys, state);
  const line = advance(sys, state);
  if (!line) return 'wait';
  state.line++;
  state.isTerminated = line.isTerminated;
  state.pattern = isJoined ? `${state.pattern}\n${line.text}` : line.text;
  return undefined;
}

function substitute(sys: Sys, state: SedState, it: NonNullable<SedCommand['substitute']>): void {
  const regex = regexOf(state, it.source, it.ignoreCase, 'g');
  let count = 0;
  let isChanged = false;
  const result = state.pattern.replace(regex, (...found: unknown[]) => {
    const groups = found.filter((part, i) => i === 0 || typeof part === 'string' || part === undefined) as (
      | string
      | undefined
    )[];
    count++;
    if (count < it.nth || (count > it.nth && !it.global)) return groups[0]!;
    isChanged = true;
    return expand(it.replacement, groups);
  });
  if (!isChanged) return;
  state.pattern = result;
  state.substituted = true;
  if (it.print) put(sys, state, state.pattern);
  if (it.file === '/dev/stdout') put(sys, state, state.pattern);
  else if (it.file !== '') sys.writeFile(it.file, `${state.pattern}\n`, { append: true });
}
