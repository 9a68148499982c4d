/** iptables-restore: makes tables of what iptables-save has written (iptables 1.3.5). A table changes as a whole, at COMMIT. */
import type { FilterTable } from '../../../netfilter';
import type { Program, Sys } from '../../../sys';
import { filter } from '../../adapters';
import { parseCommandLine } from './commandLine';
import { Complaint, Refused, report, VERSION } from './complaint';
import { readTable, runCommand, writeTable } from './runCommand';
import { addChain, findChain, setPolicy } from './tableEdit';
import { type OptionName, Words } from './words';

const NAME = 'iptables-restore';

const OPTIONS: readonly OptionName[] = [
  { long: 'binary', short: 'b', argument: 'none' },
  { long: 'counters', short: 'c', argument: 'none' },
  { long: 'verbose', short: 'v', argument: 'none' },
  { long: 'test', short: 't', argument: 'none' },
  { long: 'help', short: 'h', argument: 'none' },
  { long: 'noflush', short: 'n', argument: 'none' },
  { long: 'modprobe', short: 'M', argument: 'required' },
];

const USAGE = `Usage: ${NAME} [-b] [-c] [-v] [-t] [-h]
	   [ --binary ]
	   [ --counters ]
	   [ --verbose ]
	   [ --test ]
	   [ --help ]
	   [ --noflush ]
          [ --modprobe=<command>]
`;

interface RestoreState {
  readonly options: readonly string[];
  readonly lines: string[];
}

export const iptablesRestore: Program = filter<RestoreState>(NAME, {
  parse(sys, args) {
    const words = new Words(args);
    const options: string[] = [];
    const files: string[] = [];
    for (let next = words.next(OPTIONS); next; next = words.next(OPTIONS)) {
      if (next.kind === 'word') files.push(next.text);
      if (next.kind === 'option') options.push(next.name);
    }
    if (options.includes('help')) {
      sys.eprint(`${NAME} v${VERSION} Usage: ${USAGE.slice('Usage: '.length)}`);
      return 1;
    }
    if (files.length > 1) {
      sys.eprint('Unknown arguments found on commandline');
      return 1;
    }
    if (files[0] !== undefined && !sys.exists(files[0])) {
      sys.eprint(`Can't open ${files[0]}: No such file or directory\n`);
      return 1;
    }
    return { files, state: { options, lines: [] } };
  },
  line(_sys, state, line) {
    state.lines.push(line);
  },
  end: (sys, { options, lines }, status) => (status === 0 ? restore(sys, options, lines) : status),
});

interface Open {
  readonly name: string;
  readonly table: FilterTable;
}

function restore(sys: Sys, options: readonly string[], lines: readonly string[]): number {
  let open: Open | undefined;
  for (const [n, line] of lines.entries()) {
    try {
      if (line === '') continue;
      if (line.startsWith('#')) {
        if (options.includes('verbose')) sys.print(`${line}\n`);
      } else if (line === 'COMMIT' && open) {
        if (!options.includes('test')) writeTable(sys, open.name, open.table);
        open = undefined;
      } else if (line.startsWith('*') && !open) open = begin(sys, line, n + 1, options);
      else if (line.startsWith(':') && open) chainLine(open.table, line, n + 1, options);
      else if (open) ruleLine(sys, open, line, n + 1, options);
      else throw new Refused('outside of a table');
    } catch (error) {
      return report(sys, NAME, error, n + 1);
    }
  }
  if (!open) return 0;
  sys.eprint(`${NAME}: COMMIT expected at line ${lines.length + 1}\n`);
  return 1;
}

/** `*filter` */
function begin(sys: Sys, line: string, number: number, options: readonly string[]): Open {
  const name = line.slice(1).trim().split(/\s+/)[0];
  if (!name) throw new Complaint(`${NAME}: line ${number} table name invalid\n`);
  let table: FilterTable;
  try {
    table = readTable(sys, name);
  } catch (error) {
    if (!(error instanceof Complaint)) throw error;
    throw new Complaint(`${NAME}: unable to initialize table '${name}'\n`);
  }
  if (!options.includes('noflush')) {
    table.chains = table.chains.filter(({ policy }) => policy !== undefined);
    for (const chain of table.chains) chain.rules = [];
  }
  return { name, table };
}

/** `:INPUT ACCEPT [0:0]` */
function chainLine(table: FilterTable, line: string, number: number, options: readonly string[]): void {
  const [name, policy, counters] = line.slice(1).trim().split(/\s+/);
  if (!name) throw new Complaint(`${NAME}: line ${number} chain name invalid\n`);
  const chain = findChain(table, name);
  if (!chain) addChain(table, name);
  else if (chain.policy === undefined) chain.rules = [];
  if (policy === undefined) throw new Complaint(`${NAME}: line ${number} policy invalid\n`);
  if (policy === '-') return;
  let counted: readonly [number, number] = [0, 0];
  if (options.includes('counters')) {
    const found = /^\[(\d+):(\d+)\]/.exec(counters ?? '');
    if (!found) throw new Complaint(`invalid policy counters for chain '${name}'\n`);
    counted = [Number(found[1]), Number(found[2])];
  }
  try {
    const builtin = setPolicy(table, name, policy);
    [builtin.packets, builtin.bytes] = counted;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    throw new Complaint(`Can't set policy \`${policy}' on \`${name}' line ${number}: ${error.message}\n`, 1);
  }
}

/** A line of options as iptables takes them, with counters in front if they were saved. */
function ruleLine(sys: Sys, { name, table }: Open, line: string, number: number, options: readonly string[]): void {
  const counted = /^\[(\d+):(\d+)\]/.exec(line);
  if (line.startsWith('[') && !counted) throw new Complaint(`Bad line ${number}: need ]\n`);
  const args = splitWords(line.slice(counted?.[0].length ?? 0));
  if (args.some((word) => word.startsWith('-t') || word.startsWith('--table')))
    throw new Complaint(`Line ${number} seems to have a -t table option.\n`);
  const counters = counted && options.includes('counters') ? ['--set-counters', counted[1]!, counted[2]!] : [];
  const parsed = parseCommandLine(sys, ['-t', name, ...counters, ...args]);
  if ('information' in parsed) throw new Complaint('no command specified');
  runCommand(sys, parsed, table);
}

/** Blanks divide words; quotes keep them together, a backslash in quotes keeps the next sign. */
function splitWords(text: string): readonly string[] {
  const words: string[] = [];
  for (const [, ...parts] of text.matchAll(/((?:"(?:\\.|[^"\\])*"?|[^\s"])+)/g))
    words.push(parts[0]!.replace(/"((?:\\.|[^"\\])*)"?/g, (_all, inner: string) => inner.replace(/\\(.)/g, '$1')));
  return words;
}
