/** What the kernel demands of a table before it takes it (Linux 2.6.18, translate_table in ip_tables.c). */
import { PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP } from '../../../lib/packet/packet';
import { BUILTIN_CHAINS, type FilterChain, type FilterRule, type FilterTable } from '../../netfilter';
import { SysError } from '../../sys';

const PROTOCOL_OF: Readonly<Record<string, number>> = { tcp: PROTOCOL_TCP, udp: PROTOCOL_UDP, icmp: PROTOCOL_ICMP };
const VERDICTS = ['', 'ACCEPT', 'DROP', 'RETURN'];

/** SysError EINVAL for a rule that makes no sense, ELOOP for chains that lead back to themselves. */
export function checkTable(table: FilterTable): void {
  const chains = new Map(table.chains.map((chain) => [chain.name, chain]));
  if (chains.size !== table.chains.length) throw new SysError('EINVAL');
  BUILTIN_CHAINS.forEach((name, n) => {
    if (table.chains[n]?.name !== name || table.chains[n].policy === undefined) throw new SysError('EINVAL');
  });
  for (const chain of table.chains) for (const rule of chain.rules) checkRule(rule, chains);
  const done = new Set<FilterChain>();
  for (const name of BUILTIN_CHAINS) findLoop(chains.get(name)!, chains, new Set(), done);
}

function checkRule(rule: FilterRule, chains: ReadonlyMap<string, FilterChain>): void {
  const { target } = rule;
  const isOnly = (protocol: number) => rule.protocol === protocol && !rule.isProtocolInverted;
  for (const { name } of rule.matches) {
    const protocol = PROTOCOL_OF[name];
    if (protocol !== undefined && !isOnly(protocol)) throw new SysError('EINVAL');
  }
  if (target.kind === 'REJECT' && target.with === 'tcp-reset' && !isOnly(PROTOCOL_TCP)) throw new SysError('EINVAL');
  if (target.kind !== 'standard' || VERDICTS.includes(target.name)) return;
  const chain = chains.get(target.name);
  if (chain === undefined || chain.policy !== undefined) throw new SysError('EINVAL');
}

function findLoop(
  chain: FilterChain,
  chains: ReadonlyMap<string, FilterChain>,
  above: Set<FilterChain>,
  done: Set<FilterChain>,
): void {
  if (above.has(chain)) throw new SysError('ELOOP');
  if (done.has(chain)) return;
  above.add(chain);
  for (const { target } of chain.rules) {
    const next = target.kind === 'standard' ? chains.get(target.name) : undefined;
    if (next) findLoop(next, chains, above, done);
  }
  above.delete(chain);
  done.add(chain);
}
