/** A command line carried out on a table (the second half of do_command, iptables 1.3.5). */
import type { FilterChain, FilterTable } from '../../../netfilter';
import { type Sys, SysError } from '../../../sys';
import type { CommandLine } from './commandLine';
import { Complaint, Refused } from './complaint';
import { type ListFormat, listChain, ruleLine } from './ruleText';
import {
  addChain,
  append,
  chainsOf,
  findChain,
  insert,
  remove,
  removeChain,
  removeNumber,
  renameChain,
  replace,
  setPolicy,
  zero,
} from './tableEdit';

/** The kernel's table of that name. */
export function readTable(sys: Sys, name: string): FilterTable {
  try {
    return sys.net.filterTable(name);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    const why =
      error.code === 'EPERM' ? 'Permission denied (you must be root)' : 'Table does not exist (do you need to insmod?)';
    throw new Complaint(`can't initialize iptables table \`${name}': ${why}`, 3);
  }
}

export function writeTable(sys: Sys, name: string, table: FilterTable): void {
  try {
    sys.net.replaceFilterTable(name, table);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    throw new Refused(error.message);
  }
}

/** Changes `table` as the line says; true when it has to be written back. */
export function runCommand(sys: Sys, line: CommandLine, table: FilterTable): boolean {
  const { command, chain, number, word, options } = line;
  const isVerbose = options.has('v');
  switch (command) {
    case 'A':
    case 'I':
    case 'R':
    case 'D':
      changeRules(sys, line, table);
      return true;
    case 'L':
      list(sys, line, table);
      if (line.zeroes) zeroAll(sys, chainsOf(table, chain), isVerbose);
      return line.zeroes;
    case 'F':
      for (const each of chainsOf(table, chain)) {
        if (isVerbose) sys.print(`Flushing chain \`${each.name}'\n`);
        each.rules = [];
      }
      return true;
    case 'Z':
      zeroAll(sys, chainsOf(table, chain), isVerbose);
      return true;
    case 'N':
      addChain(table, chain!);
      return true;
    case 'X':
      deleteChains(sys, table, chain, isVerbose);
      return true;
    case 'E':
      renameChain(table, chain!, word!);
      return true;
    case 'P':
      setPolicy(table, chain!, word!);
      return true;
    default:
      throw new Error(`no such command: ${String(command)} ${String(number)}`);
  }
}

function changeRules(sys: Sys, line: CommandLine, table: FilterTable): void {
  const { command, number, options } = line;
  const chain = line.chain!;
  if (command === 'D' && number !== undefined) {
    removeNumber(table, chain, number);
    return;
  }
  const forbidden = { INPUT: 'o', OUTPUT: 'i' }[chain];
  if (forbidden !== undefined && options.has(forbidden)) throw new Complaint(`Can't use -${forbidden} with ${chain}\n`);
  const target = findChain(table, line.rule.jump);
  const rule = line.rule.rule(target !== undefined && target.policy === undefined, line.counters);
  if (options.has('v')) sys.print(ruleLine(sys, rule));
  if (command === 'A') append(table, chain, rule);
  else if (command === 'I') insert(table, chain, rule, number!);
  else if (command === 'R') replace(table, chain, rule, number!);
  else remove(table, chain, rule);
}

function list(sys: Sys, { options, chain }: CommandLine, table: FilterTable): void {
  const format: ListFormat = {
    isNumeric: options.has('n'),
    isVerbose: options.has('v'),
    isExact: options.has('x'),
    hasNumbers: options.has('0'),
  };
  sys.print(
    chainsOf(table, chain)
      .map((each) => listChain(sys, table, each, format))
      .join('\n'),
  );
}

function zeroAll(sys: Sys, chains: readonly FilterChain[], isVerbose: boolean): void {
  for (const chain of chains) {
    if (isVerbose) sys.print(`Zeroing chain \`${chain.name}'\n`);
    zero(chain);
  }
}

/** Without a name all that are the user's; the first that cannot go spoils it, and then none goes. */
function deleteChains(sys: Sys, table: FilterTable, name: string | undefined, isVerbose: boolean): void {
  const names =
    name === undefined ? table.chains.filter((each) => each.policy === undefined).map((each) => each.name) : [name];
  for (const each of names) {
    if (isVerbose) sys.print(`Deleting chain \`${each}'\n`);
    removeChain(table, each);
  }
}
