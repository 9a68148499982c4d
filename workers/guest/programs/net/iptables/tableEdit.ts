/** What can be done to a table, and how it is refused (libiptc 1.3.5). */
import type { FilterChain, FilterRule, FilterTable } from '../../../netfilter';
import { Refused } from './complaint';

const MISSING = 'No chain/target/match by that name';

export function findChain(table: FilterTable, name: string): FilterChain | undefined {
  return table.chains.find((chain) => chain.name === name);
}

function chainOf(table: FilterTable, name: string, complaint = MISSING): FilterChain {
  const chain = findChain(table, name);
  if (!chain) throw new Refused(complaint);
  return chain;
}

/** The chain of that name, or all. */
export function chainsOf(table: FilterTable, name: string | undefined): readonly FilterChain[] {
  return name === undefined ? table.chains : [chainOf(table, name)];
}

export function append(table: FilterTable, name: string, rule: FilterRule): void {
  chainOf(table, name).rules.push(rule);
}

/** `number`: 1 is the first. */
export function insert(table: FilterTable, name: string, rule: FilterRule, number: number): void {
  const { rules } = chainOf(table, name);
  if (number > rules.length + 1) throw new Refused('Index of insertion too big');
  rules.splice(number - 1, 0, rule);
}

export function replace(table: FilterTable, name: string, rule: FilterRule, number: number): void {
  const { rules } = chainOf(table, name);
  if (number > rules.length) throw new Refused('Index of replacement too big');
  rules[number - 1] = rule;
}

export function removeNumber(table: FilterTable, name: string, number: number): void {
  const { rules } = chainOf(table, name);
  if (number > rules.length) throw new Refused('Index of deletion too big');
  rules.splice(number - 1, 1);
}

/** The first rule that is the same but for its counters. */
export function remove(table: FilterTable, name: string, rule: FilterRule): void {
  const complaint = 'Bad rule (does a matching rule exist in that chain?)';
  const { rules } = chainOf(table, name, complaint);
  const text = textOf(rule);
  const index = rules.findIndex((other) => textOf(other) === text);
  if (index < 0) throw new Refused(complaint);
  rules.splice(index, 1);
}

function textOf(rule: FilterRule): string {
  return JSON.stringify({ ...rule, packets: 0, bytes: 0 }, (_key, value: unknown) =>
    isRecord(value) ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) : value,
  );
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The user's chains stand in the order of their names. */
export function addChain(table: FilterTable, name: string): void {
  if (findChain(table, name) || ['ACCEPT', 'DROP', 'QUEUE', 'RETURN'].includes(name))
    throw new Refused('Chain already exists');
  const chain: FilterChain = { name, policy: undefined, packets: 0, bytes: 0, rules: [] };
  const index = table.chains.findIndex((other) => other.policy === undefined && other.name > name);
  table.chains.splice(index < 0 ? table.chains.length : index, 0, chain);
}

export function referencesTo(table: FilterTable, name: string): number {
  return table.chains.flatMap(({ rules }) => rules).filter((rule) => leadsTo(rule, name)).length;
}

const leadsTo = ({ target }: FilterRule, name: string) => target.kind === 'standard' && target.name === name;

export function removeChain(table: FilterTable, name: string): void {
  const chain = chainOf(table, name);
  if (chain.policy !== undefined) throw new Refused("Can't delete built-in chain");
  if (referencesTo(table, name) > 0) throw new Refused("Can't delete chain with references left");
  if (chain.rules.length > 0) throw new Refused('Chain is not empty');
  table.chains.splice(table.chains.indexOf(chain), 1);
}

export function renameChain(table: FilterTable, name: string, to: string): void {
  if (findChain(table, to) || ['ACCEPT', 'DROP', 'QUEUE', 'RETURN'].includes(to)) throw new Refused('File exists');
  const chain = chainOf(table, name);
  if (chain.policy !== undefined) throw new Refused(MISSING);
  for (const { rules } of table.chains)
    rules.forEach((rule, n) => {
      if (leadsTo(rule, name)) rules[n] = { ...rule, target: { kind: 'standard', name: to } };
    });
  table.chains.splice(table.chains.indexOf(chain), 1);
  addChain(table, to);
  findChain(table, to)!.rules = chain.rules;
}

export function setPolicy(table: FilterTable, name: string, policy: string): FilterChain {
  const complaint = 'Bad built-in chain name';
  const chain = chainOf(table, name, complaint);
  if (chain.policy === undefined) throw new Refused(complaint);
  if (policy !== 'ACCEPT' && policy !== 'DROP') throw new Refused('Bad policy name');
  chain.policy = policy;
  return chain;
}

export function zero(chain: FilterChain): void {
  chain.packets = 0;
  chain.bytes = 0;
  for (const rule of chain.rules) {
    rule.packets = 0;
    rule.bytes = 0;
  }
}
