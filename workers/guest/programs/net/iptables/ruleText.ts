/** Rules and chains as text: the listings of `iptables -L`, and the lines of iptables-save. */
import { ipText } from '../../../../lib/packet/addresses';
import type { AddressMatch, DeviceMatch, FilterChain, FilterRule, FilterTable } from '../../../netfilter';
import type { Sys } from '../../../sys';
import type { Extension } from './extension';
import { matches } from './matches';
import { hostName, maskText, protocolName } from './names';
import { referencesTo } from './tableEdit';
import { targets } from './targets';

export interface ListFormat {
  readonly isNumeric: boolean;
  readonly isVerbose: boolean;
  readonly isExact: boolean;
  readonly hasNumbers: boolean;
}

function extensionOf(list: readonly Extension<unknown>[], name: string): Extension<unknown> {
  return list.find((each) => each.name === name)!;
}

/** Of a target or match, as the listing shows it behind the addresses. */
function printExtras(rule: FilterRule, sys: Sys, isNumeric: boolean): string {
  const target =
    rule.target.kind === 'standard' ? '' : extensionOf(targets, rule.target.kind).print(rule.target, sys, isNumeric);
  return rule.matches.map((match) => extensionOf(matches, match.name).print(match, sys, isNumeric)).join('') + target;
}

const targetName = ({ target }: FilterRule) => (target.kind === 'standard' ? target.name : target.kind);

/** Cut to five places with K, M, G, T behind, unless all of it is wanted. */
function count(value: number, isExact: boolean, isFree = false): string {
  const pad = (text: string, width: number) => `${isFree ? text : text.padStart(width)} `;
  if (isExact) return pad(String(value), 8);
  if (value <= 99_999) return pad(String(value), 5);
  let rest = value;
  for (const unit of ['K', 'M', 'G']) {
    rest = Math.floor((rest + 500) / 1000);
    if (rest <= 9999) return `${isFree ? rest : String(rest).padStart(4)}${unit} `;
  }
  return `${Math.floor((rest + 500) / 1000)}T `;
}

export function listChain(sys: Sys, table: FilterTable, chain: FilterChain, format: ListFormat): string {
  const { isVerbose, isExact, hasNumbers } = format;
  const counters = isVerbose
    ? ` ${count(chain.packets, isExact, true)}packets, ${count(chain.bytes, isExact, true)}bytes`
    : '';
  const about =
    chain.policy === undefined ? `${referencesTo(table, chain.name)} references` : `policy ${chain.policy}${counters}`;
  const titles = [
    hasNumbers ? 'num  ' : '',
    !isVerbose ? '' : isExact ? '    pkts      bytes ' : ' pkts bytes ',
    'target     prot opt',
    isVerbose ? ' in     out    ' : '',
    ' source               destination         ',
  ];
  const rows = chain.rules.map((rule, n) => listRule(sys, rule, n + 1, format));
  return `Chain ${chain.name} (${about})\n${titles.join('')}\n${rows.join('')}`;
}

function listRule(sys: Sys, rule: FilterRule, number: number, format: ListFormat): string {
  const { isNumeric, isVerbose, isExact, hasNumbers } = format;
  const counters = isVerbose ? count(rule.packets, isExact) + count(rule.bytes, isExact) : '';
  const devices = isVerbose
    ? ` ${device(rule.inDevice, isNumeric).padEnd(6)} ${device(rule.outDevice, isNumeric).padEnd(6)} `
    : '';
  const protocol = protocolName(rule.protocol) ?? String(rule.protocol);
  const addresses = [rule.source, rule.destination].map(
    (match) => `${match.isInverted ? '!' : ' '}${address(sys, match, isNumeric).padEnd(19)} `,
  );
  return (
    `${hasNumbers ? `${String(number).padEnd(4)} ` : ''}${counters}${targetName(rule).padEnd(9)} ` +
    `${rule.isProtocolInverted ? '!' : ' '}${protocol.padEnd(5)}${fragments(rule)} ${devices}` +
    `${addresses.join('')}${printExtras(rule, sys, isNumeric)}\n`
  );
}

const fragments = (rule: FilterRule) => (rule.fragments === 'any' ? '--' : rule.fragments === 'further' ? '-f' : '!f');

const device = ({ name, isInverted }: DeviceMatch, isNumeric: boolean) =>
  `${isInverted ? '!' : ''}${name || (isNumeric ? '*' : 'any')}`;

function address(sys: Sys, match: AddressMatch, isNumeric: boolean): string {
  if (match.mask === 0 && !isNumeric) return 'anywhere';
  const name = isNumeric ? undefined : hostName(sys, match.address);
  return (name ?? ipText(match.address)) + maskText(match.mask);
}

/** The line that `-v` prints while a rule is added or taken away. */
export function ruleLine(sys: Sys, rule: FilterRule): string {
  const protocol = protocolName(rule.protocol) ?? String(rule.protocol);
  const [source, destination] = [rule.source, rule.destination].map(
    (match) => [match.isInverted ? '!' : ' ', address(sys, match, true)] as const,
  );
  return (
    `${targetName(rule)} ${rule.isProtocolInverted ? '!' : ' '}${protocol} opt ${fragments(rule)} ` +
    `in ${device(rule.inDevice, true)} out ${device(rule.outDevice, true)} ` +
    `${source!.join('')} ${destination![0]}-> ${destination![1]}  ${printExtras(rule, sys, true)}\n`
  );
}

// ------------------------------------------------------------------------------------------------------- iptables-save

function saveAddress(option: string, { address: value, mask, isInverted }: AddressMatch): string {
  if (mask === 0 && value === 0 && !isInverted) return '';
  return `${option} ${isInverted ? '! ' : ''}${ipText(value)}${mask === 0xffff_ffff ? '' : `/${ipText(mask)}`} `;
}

const saveDevice = (option: string, { name, isInverted }: DeviceMatch) =>
  name === '' ? '' : `${option} ${isInverted ? '! ' : ''}${name} `;

function saveRule(chain: string, rule: FilterRule): string {
  const protocol = rule.protocol === 0 ? '' : (protocolName(rule.protocol) ?? String(rule.protocol));
  const name = targetName(rule);
  const target = rule.target.kind === 'standard' ? '' : extensionOf(targets, rule.target.kind).save(rule.target);
  const parts = [
    `-A ${chain} `,
    saveAddress('-s', rule.source),
    saveAddress('-d', rule.destination),
    saveDevice('-i', rule.inDevice),
    saveDevice('-o', rule.outDevice),
    protocol === '' ? '' : `-p ${rule.isProtocolInverted ? '! ' : ''}${protocol} `,
    rule.fragments === 'any' ? '' : rule.fragments === 'further' ? '-f ' : '! -f ',
    ...rule.matches.map((match) => `-m ${match.name} ${extensionOf(matches, match.name).save(match)}`),
    name === '' ? '' : `-j ${name} `,
    target,
  ];
  return parts.join('');
}

/** All of a table, from its name to COMMIT. */
export function saveTable(name: string, { chains }: FilterTable, withCounters: boolean): string {
  const heads = chains.map((chain) =>
    chain.policy === undefined
      ? `:${chain.name} - [0:0]\n`
      : `:${chain.name} ${chain.policy} [${chain.packets}:${chain.bytes}]\n`,
  );
  const rules = chains.flatMap((chain) =>
    chain.rules.map((rule) => {
      const counters = withCounters ? `[${rule.packets}:${rule.bytes}] ` : '';
      return `${counters}${saveRule(chain.name, rule)}\n`;
    }),
  );
  return `*${name}\n${heads.join('')}${rules.join('')}COMMIT\n`;
}
