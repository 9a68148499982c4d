/** awk: scans text for patterns and works on its fields (POSIX awk with gawk 3.1's messages). */
import { exit, type Program, type Sys } from '../../../sys';
import { optionsOf, ToolError, type ToolSpec } from '../../options';
import { slotOf } from './code';
import { compileAwk } from './compile';
import { AwkCompileError } from './compileExpressions';
import { assign } from './input';
import { AwkSyntaxError, unescapeAwk } from './lexer';
import { runMachine } from './machine';
import { parseAwk } from './parser';
import { AwkFatal, type AwkState, setKey, special, tableOf } from './state';
import { fromInput, type Value } from './values';

const SPEC: ToolSpec = {
  usage:
    "[POSIX or GNU style options] -f progfile [--] file ...\nUsage: awk [POSIX or GNU style options] [--] 'program' file ...",
  options: 'F:v:f:',
  long: { 'field-separator': 'F', assign: 'v', file: 'f' },
  stopAtWord: true,
};

function start(name: string, sys: Sys): AwkState {
  const ended = (earlyStatus: number) => blank(earlyStatus);
  const options = optionsOf(sys, name, SPEC);
  if (typeof options === 'number') return ended(options);
  const words = [...options.words];
  const files = options.list.flatMap(([letter, value]) => (letter === 'f' ? [value] : []));
  const source = files.length > 0 ? files.map((file) => sys.readText(file)).join('\n') : words.shift();
  if (source === undefined) {
    sys.eprint(`Usage: ${name} ${SPEC.usage}\n`);
    return ended(1);
  }
  const origin = files.length > 0 ? files.at(-1)! : 'cmd. line';
  const state = compiled(sys, name, source, origin);
  if (!state) return ended(1);
  try {
    for (const [letter, value] of options.list) {
      if (letter === 'F') state.globals[slotOf('FS')] = value === 't' ? '\t' : unescapeAwk(value);
      if (letter === 'v' && !assign(state, value))
        throw new AwkFatal(`\`${value}' argument to \`-v' not in \`var=value' form`);
    }
  } catch (error) {
    if (!(error instanceof AwkFatal)) throw error;
    sys.eprint(`${name}: fatal: ${error.message}\n`);
    return ended(2);
  }
  setArguments(sys, state, [name, ...words]);
  return state;
}

function compiled(sys: Sys, name: string, source: string, origin: string): AwkState | undefined {
  try {
    const program = compileAwk(parseAwk(source));
    const state: AwkState = { ...blank(-1), program, pc: program.begin };
    const values: Readonly<Record<string, Value>> = {
      FS: ' ', OFS: ' ', ORS: '\n', RS: '\n', SUBSEP: '\x1c', CONVFMT: '%.6g', OFMT: '%.6g', NF: 0, NR: 0, FNR: 0, RSTART: 0, RLENGTH: -1,
    }; // biome-ignore format: a table
    state.globals = program.globals.map((it) => (Object.hasOwn(values, it) ? values[it]! : null));
    for (const slot of program.arrays) {
      state.tables[state.nextTable] = {};
      state.globals[slot] = state.nextTable++;
    }
    return state;
  } catch (error) {
    if (error instanceof AwkCompileError) {
      sys.eprint(`${name}: ${origin}:1: ${error.message}\n`);
      return undefined;
    }
    if (!(error instanceof AwkSyntaxError)) throw error;
    const text = source.split('\n')[error.line - 1] ?? '';
    const column =
      error.at -
      source
        .split('\n')
        .slice(0, error.line - 1)
        .join('\n').length -
      (error.line > 1 ? 1 : 0);
    const place = `${name}: ${origin}:${error.line}:`;
    sys.eprint(`${place} ${text}\n${place} ${' '.repeat(Math.max(0, column))}^ ${error.message}\n`);
    return undefined;
  }
}

function setArguments(sys: Sys, state: AwkState, argv: readonly string[]): void {
  const table = tableOf(state, 'g', slotOf('ARGV'));
  for (const [i, arg] of argv.entries()) setKey(table, String(i), fromInput(arg));
  state.globals[slotOf('ARGC')] = argv.length;
  const environment = tableOf(state, 'g', slotOf('ENVIRON'));
  for (const [key, value] of Object.entries(sys.env)) setKey(environment, key, fromInput(value));
}

function blank(earlyStatus: number): AwkState {
  return {
    earlyStatus, program: null, phase: 'begin', pc: 0, stack: [], frames: [], iterators: [], globals: [], tables: {}, nextTable: 1, openRanges: [],
    record: '', fields: null, isRecordStale: false, argument: 0, reader: null, hasReadFile: false, isInputOver: false, streams: [], child: 0,
    status: 0, seed: 0, previousSeed: 0,
  }; // biome-ignore format: a record
}

const awkProgram = (name: string): Program<AwkState> => ({
  name,
  start: (sys) => start(name, sys),
  step(sys, state) {
    if (state.earlyStatus >= 0) return exit(state.earlyStatus);
    try {
      return runMachine(sys, state);
    } catch (error) {
      if (!(error instanceof AwkFatal || error instanceof ToolError)) throw error;
      const place =
        state.phase === 'main'
          ? `(FILENAME=${special(state, slotOf('FILENAME')) || '-'} FNR=${special(state, slotOf('FNR'))}) `
          : '';
      sys.eprint(`${name}: cmd. line:1: ${place}fatal: ${error.message}\n`);
      return exit(2);
    }
  },
});

export const awk = awkProgram('awk');
export const gawk = awkProgram('gawk');
