/** The options of a rule, gathered word by word: addresses, devices, matches, target. */
import type { FilterMatch, FilterRule, FilterTarget } from '../../../netfilter';
import type { Sys } from '../../../sys';
import { Complaint } from './complaint';
import { type Extension, Given } from './extension';
import { matches } from './matches';
import { parseAddress, parseDevice, parseProtocol, protocolName } from './names';
import { targets } from './targets';
import type { OptionName, Words } from './words';

/** An extension in use, with the options that it was given. */
interface Loaded {
  readonly extension: Extension<unknown>;
  value: unknown;
  readonly seen: Set<string>;
}

const anyAddress = { address: 0, mask: 0, isInverted: false };
const anyDevice = { name: '', isInverted: false };
const CHAIN_LENGTH = 31;

export class RuleOptions {
  #source = anyAddress;
  #destination = anyAddress;
  #inDevice = anyDevice;
  #outDevice = anyDevice;
  #protocol = { number: 0, name: undefined as string | undefined, isInverted: false };
  #fragments: FilterRule['fragments'] = 'any';
  readonly #matches: Loaded[] = [];
  #target: Loaded | undefined;
  jump = '';

  constructor(private readonly sys: Sys) {}

  setAddress(which: 'source' | 'destination', text: string, isInverted: boolean): void {
    const match = parseAddress(this.sys, text, isInverted);
    if (which === 'source') this.#source = match;
    else this.#destination = match;
  }

  setDevice(which: 'in' | 'out', text: string, isInverted: boolean): void {
    const match = parseDevice(this.sys, text, isInverted);
    if (which === 'in') this.#inDevice = match;
    else this.#outDevice = match;
  }

  setProtocol(text: string, isInverted: boolean): void {
    const name = text.toLowerCase();
    const number = parseProtocol(name);
    if (number === 0 && isInverted) throw new Complaint('rule would never match protocol');
    this.#protocol = { number, name: protocolName(number) ?? name, isInverted };
  }

  setFragments(isInverted: boolean): void {
    this.#fragments = isInverted ? 'first' : 'further';
  }

  /** -m */
  addMatch(name: string): void {
    const extension = matches.find((each) => each.name === name);
    if (!extension) throw new Complaint(`Couldn't load match \`${name}':${missingLibrary(name)}`);
    this.#matches.push({ extension, value: extension.begin(), seen: new Set() });
  }

  /** -j; whether a name that is no target is a chain, the table will tell. */
  setJump(name: string): void {
    if (name === '') throw new Complaint('Invalid target name (too short)');
    if (name.length > CHAIN_LENGTH)
      throw new Complaint(`Invalid target name \`${name}' (${CHAIN_LENGTH - 1} chars max)`);
    if (/\s/.test(name)) throw new Complaint(`Invalid target name \`${name}'`);
    this.jump = name;
    const extension = targets.find((each) => each.name === name);
    this.#target = extension && { extension, value: extension.begin(), seen: new Set() };
  }

  /** Options of the extensions in use, the target's first. */
  get names(): readonly OptionName[] {
    return [this.#target, ...this.#matches].flatMap((loaded) => loaded?.extension.options ?? []);
  }

  /** `-p tcp` brings the options of match tcp along. False when there is nothing to bring, or it is there. */
  loadProtocol(): boolean {
    const { name, isInverted } = this.#protocol;
    if (isInverted || this.#matches.some(({ extension }) => extension.name === name)) return false;
    if (!matches.some((each) => each.name === name) || name === 'state' || name === 'physdev') return false;
    this.addMatch(name!);
    return true;
  }

  /** An option of an extension. */
  take(name: string, words: Words, isInverted: boolean, value: string | undefined): void {
    const has = (loaded: Loaded | undefined) => loaded?.extension.options.some(({ long }) => long === name);
    const loaded = has(this.#target) ? this.#target! : [...this.#matches].reverse().find(has)!;
    const given = new Given(this.sys, name, words, isInverted, value);
    loaded.value = loaded.extension.take(loaded.value, given, loaded.seen);
    loaded.seen.add(name);
  }

  /** Nothing that an extension needs may be missing. */
  check(): void {
    for (const { extension, value, seen } of this.#matches) extension.check?.(value, seen);
  }

  help(): string {
    this.loadProtocol();
    return [this.#target, ...this.#matches].map((loaded) => (loaded ? `\n${loaded.extension.help}` : '')).join('');
  }

  /** `isChain`: is there a chain of the user's with the name that -j was given? */
  rule(isChain: boolean, counters: { readonly packets: number; readonly bytes: number }): FilterRule {
    if (this.#target && isChain) this.sys.eprint(`Warning: using chain ${this.jump}, not extension\n`);
    return {
      source: this.#source,
      destination: this.#destination,
      inDevice: this.#inDevice,
      outDevice: this.#outDevice,
      protocol: this.#protocol.number,
      isProtocolInverted: this.#protocol.isInverted,
      fragments: this.#fragments,
      matches: this.#matches.map(({ value }) => value as FilterMatch),
      target: this.#targetOf(isChain),
      ...counters,
    };
  }

  #targetOf(isChain: boolean): FilterTarget {
    if (this.#target && !isChain) return this.#target.value as FilterTarget;
    const isVerdict = ['', 'ACCEPT', 'DROP', 'RETURN'].includes(this.jump);
    if (!isChain && !isVerdict)
      throw new Complaint(`Couldn't load target \`${this.jump}':${missingLibrary(this.jump)}`);
    return { kind: 'standard', name: this.jump };
  }
}

const missingLibrary = (name: string) =>
  `/lib/iptables/libipt_${name}.so: cannot open shared object file: No such file or directory\n`;
