/** What an iptables command line says (do_command of iptables 1.3.5): one command, and the options that go with it. */
import type { Sys } from '../../../sys';
import { BadArgument, Complaint } from './complaint';
import { parseNumber } from './names';
import { RuleOptions } from './ruleOptions';
import { targets } from './targets';
import { type OptionName, Words } from './words';

export type CommandLetter = 'A' | 'I' | 'R' | 'D' | 'L' | 'F' | 'Z' | 'N' | 'X' | 'P' | 'E';

export interface CommandLine {
  readonly table: string;
  readonly command: CommandLetter;
  /** -Z together with -L. */
  readonly zeroes: boolean;
  readonly chain: string | undefined;
  /** 1 is the first. */
  readonly number: number | undefined;
  /** -P: the policy; -E: the new name. */
  readonly word: string | undefined;
  /** Letters of the options: n v x 0 and so on. */
  readonly options: ReadonlySet<string>;
  readonly rule: RuleOptions;
  readonly counters: { readonly packets: number; readonly bytes: number };
}

/** --help or --version: there is nothing to do but to print. */
export interface Information {
  readonly information: 'help' | 'version' | 'not-version';
  readonly rule: RuleOptions;
}

const COMMANDS: readonly OptionName[] = [
  { long: 'append', short: 'A', argument: 'required' },
  { long: 'delete', short: 'D', argument: 'required' },
  { long: 'insert', short: 'I', argument: 'required' },
  { long: 'replace', short: 'R', argument: 'required' },
  { long: 'list', short: 'L', argument: 'optional' },
  { long: 'flush', short: 'F', argument: 'optional' },
  { long: 'zero', short: 'Z', argument: 'optional' },
  { long: 'new-chain', short: 'N', argument: 'required' },
  { long: 'delete-chain', short: 'X', argument: 'optional' },
  { long: 'rename-chain', short: 'E', argument: 'required' },
  { long: 'policy', short: 'P', argument: 'required' },
];

const OPTIONS: readonly OptionName[] = [
  { long: 'source', short: 's', argument: 'required' },
  { long: 'destination', short: 'd', argument: 'required' },
  { long: 'src', argument: 'required' },
  { long: 'dst', argument: 'required' },
  { long: 'protocol', short: 'p', argument: 'required' },
  { long: 'in-interface', short: 'i', argument: 'required' },
  { long: 'out-interface', short: 'o', argument: 'required' },
  { long: 'jump', short: 'j', argument: 'required' },
  { long: 'table', short: 't', argument: 'required' },
  { long: 'match', short: 'm', argument: 'required' },
  { long: 'numeric', short: 'n', argument: 'none' },
  { long: 'verbose', short: 'v', argument: 'none' },
  { long: 'exact', short: 'x', argument: 'none' },
  { long: 'fragments', short: 'f', argument: 'none' },
  { long: 'version', short: 'V', argument: 'none' },
  { long: 'help', short: 'h', argument: 'optional' },
  { long: 'line-numbers', argument: 'none' },
  { long: 'modprobe', short: 'M', argument: 'required' },
  { long: 'set-counters', short: 'c', argument: 'required' },
];

/** Letters of the options that a rule or a listing may have, in the order in which they are complained about. */
const LETTERS = 'nsdpjvxiof0c';
const ALLOWED: Readonly<Partial<Record<string, string>>> = {
  A: 'sdpjviofc',
  I: 'sdpjviofc',
  R: 'sdpjviofc',
  D: 'sdpjviof',
  L: 'nvx0',
};

const INVERTIBLE = 'sdpiof';

export function parseCommandLine(sys: Sys, args: readonly string[]): CommandLine | Information {
  return new Parser(sys, args).parse();
}

class Parser {
  readonly #words: Words;
  readonly #rule: RuleOptions;
  readonly #options = new Set<string>();
  #command: CommandLetter | undefined;
  #zeroes = false;
  #chain: string | undefined;
  #number: number | undefined;
  #word: string | undefined;
  #table = 'filter';
  #counters = { packets: 0, bytes: 0 };
  #isInverted = false;

  constructor(sys: Sys, args: readonly string[]) {
    this.#words = new Words(args);
    this.#rule = new RuleOptions(sys);
  }

  parse(): CommandLine | Information {
    for (;;) {
      const next = this.#words.next([...COMMANDS, ...OPTIONS, ...this.#rule.names]);
      if (!next) break;
      if (next.kind === 'word') {
        if (next.text !== '!') throw new BadArgument(`Bad argument \`${next.text}'`);
        if (this.#isInverted) throw new Complaint('multiple consecutive ! not allowed');
        this.#isInverted = true;
        continue;
      }
      if (next.kind === 'unknown') {
        if (!this.#rule.loadProtocol()) throw new Complaint(`Unknown arg \`${next.text}'`);
        this.#words.again();
        continue;
      }
      if (next.name === 'help') return { information: 'help', rule: this.#rule };
      if (next.name === 'version')
        return { information: this.#isInverted ? 'not-version' : 'version', rule: this.#rule };
      this.#take(next.name, next.value);
      this.#isInverted = false;
    }
    return this.#finish();
  }

  #finish(): CommandLine {
    this.#rule.check();
    if (this.#words.hasRest) throw new Complaint('unknown arguments found on commandline');
    if (!this.#command) throw new Complaint('no command specified');
    if (this.#isInverted) throw new Complaint('nothing appropriate following !');
    const command = this.#command;
    const isByNumber = command === 'D' && this.#number !== undefined;
    const allowed = isByNumber ? 'v' : (ALLOWED[command] ?? 'v');
    for (const letter of LETTERS)
      if (this.#options.has(letter) && !allowed.includes(letter))
        throw new Complaint(`Illegal option \`-${letter}' with this command\n`);
    if (this.#chain !== undefined && this.#chain.length > 30)
      throw new Complaint(`chain name \`${this.#chain}' too long (must be under 30 chars)`);
    return {
      table: this.#table,
      command,
      zeroes: this.#zeroes,
      chain: this.#chain,
      number: this.#number,
      word: this.#word,
      options: this.#options,
      rule: this.#rule,
      counters: this.#counters,
    };
  }

  #take(name: string, value: string | undefined): void {
    const command = COMMANDS.find(({ long }) => long === name)?.short;
    if (command !== undefined) this.#takeCommand(command as CommandLetter, value);
    else if (OPTIONS.some(({ long }) => long === name)) this.#takeOption(name, value);
    else this.#rule.take(name, this.#words, this.#isInverted, value);
  }

  #takeCommand(letter: CommandLetter, value: string | undefined): void {
    if (letter === 'N') this.#checkNewName(value!);
    if (this.#isInverted) throw new Complaint('unexpected ! flag');
    const before = this.#command;
    if (before !== undefined) {
      const pair = `${before}${letter}`;
      if (pair !== 'LZ' && pair !== 'ZL') throw new Complaint(`Can't use -${letter} with -${before}\n`);
      this.#zeroes = true;
    }
    // With -Z it stays a listing.
    this.#command = before === 'L' ? before : letter;
    const isOptional = COMMANDS.some(({ short, argument }) => short === letter && argument === 'optional');
    const chain = value ?? (isOptional ? this.#words.takePlain() : undefined);
    this.#chain = chain ?? this.#chain;
    if (letter === 'D' || letter === 'I' || letter === 'R') this.#takeNumber(letter);
    if (letter === 'P') this.#word = this.#needWord('-P requires a chain and a policy');
    if (letter === 'E') this.#word = this.#needWord('-E requires old-chain-name and new-chain-name');
  }

  #takeNumber(letter: CommandLetter): void {
    const text = this.#words.takePlain();
    if (text === undefined) {
      if (letter === 'R') throw new Complaint('-R requires a rule number');
      if (letter === 'I') this.#number = 1;
      return;
    }
    this.#number = parseNumber(text, 1, 0x7fff_ffff);
    if (this.#number === undefined) throw new Complaint(`Invalid rule number \`${text}'`);
  }

  #needWord(complaint: string): string {
    const word = this.#words.takePlain();
    if (word === undefined) throw new Complaint(complaint);
    return word;
  }

  #checkNewName(name: string): void {
    if (/^[-!]/.test(name)) throw new Complaint(`chain name not allowed to start with \`${name[0]}'\n`);
    if (['ACCEPT', 'DROP', 'QUEUE', 'RETURN'].includes(name) || targets.some((each) => each.name === name))
      throw new Complaint('chain name may not clash with target name\n');
  }

  /** The argument, which a `!` may stand before. */
  #argument(value: string | undefined): string {
    if (value !== '!') return value ?? '';
    if (this.#isInverted) throw new Complaint("Multiple `!' flags not allowed");
    this.#isInverted = true;
    const next = this.#words.take();
    if (next === undefined) throw new Complaint("no argument following `!'");
    return next;
  }

  #note(letter: string): void {
    if (this.#options.has(letter)) throw new Complaint(`multiple -${letter} flags not allowed`);
    this.#options.add(letter);
    if (this.#isInverted && !INVERTIBLE.includes(letter)) throw new Complaint(`cannot have ! before -${letter}`);
  }

  #takeOption(name: string, value: string | undefined): void {
    switch (name) {
      case 'source':
      case 'src':
      case 'destination':
      case 'dst': {
        const which = name.startsWith('s') ? 'source' : 'destination';
        const text = this.#argument(value);
        this.#note(which.slice(0, 1));
        this.#rule.setAddress(which, text, this.#isInverted);
        return;
      }
      case 'protocol': {
        const text = this.#argument(value);
        this.#note('p');
        this.#rule.setProtocol(text, this.#isInverted);
        return;
      }
      case 'in-interface':
      case 'out-interface': {
        const text = this.#argument(value);
        const which = name === 'in-interface' ? 'in' : 'out';
        this.#note(which.slice(0, 1));
        this.#rule.setDevice(which, text, this.#isInverted);
        return;
      }
      case 'jump':
        this.#note('j');
        this.#rule.setJump(value!);
        return;
      case 'match':
        if (this.#isInverted) throw new Complaint('unexpected ! flag before --match');
        this.#rule.addMatch(value!);
        return;
      case 'table':
        if (this.#isInverted) throw new Complaint('unexpected ! flag before --table');
        this.#table = value!;
        return;
      case 'fragments':
        this.#note('f');
        this.#rule.setFragments(this.#isInverted);
        return;
      case 'verbose':
        if (!this.#options.has('v')) this.#note('v');
        return;
      case 'set-counters':
        this.#note('c');
        this.#takeCounters(value!);
        return;
      case 'modprobe':
        // There are no modules to load.
        return;
      default:
        this.#note(name === 'line-numbers' ? '0' : name.slice(0, 1) === 'e' ? 'x' : name.slice(0, 1));
    }
  }

  #takeCounters(packetText: string): void {
    const byteText = this.#words.takePlain();
    if (byteText === undefined) throw new Complaint('-c requires packet and byte counter');
    const [packets, bytes] = [packetText, byteText].map((text) =>
      /^\d+/.test(text) ? Number.parseInt(text, 10) : undefined,
    );
    if (packets === undefined) throw new Complaint('-c packet counter not numeric');
    if (bytes === undefined) throw new Complaint('-c byte counter not numeric');
    this.#counters = { packets, bytes };
  }
}
