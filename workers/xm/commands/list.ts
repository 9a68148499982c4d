/** xm list: the table of domains, or their configuration as s-expressions. */
import { getopt } from '../../lib/getopt';
import { prettyPrint } from '../../lib/sxp';
import type { DomainSummary } from '../../xend/api';
import { type XmCommand, type XmContext, XmError, type XmOption } from '../command';
import { LABEL_LIST_HEADER, LIST_HEADER, labelListRow, listRow } from '../format';
import { printVcpuList } from './vcpuList';

const options: readonly XmOption[] = [
  { short: 'l', long: 'long', help: 'Output all VM details in SXP' },
  { long: 'label', help: 'Include security labels' },
  { long: 'state', takesValue: true, metavar: '<state>', help: 'Select only VMs with the specified state' },
];

export const list: XmCommand = {
  name: 'list',
  usage: '[options] [Domain, ...]',
  summary: 'List information about all/some domains.',
  group: 'domain',
  options,
  async run(context, args) {
    const parsed = getopt(args, [...options, { short: 'v', long: 'vcpus' }]);
    const { io, xend } = context;
    if (parsed.has('vcpus')) {
      io.eprint('xm list -v is deprecated.  Please use xm vcpu-list.\n');
      return printVcpuList(context, parsed.words);
    }
    const state = parsed.value('state');
    if (state !== undefined && parsed.words.length > 0)
      throw new XmError('You may specify either a state or a particular VM, but not both');
    const domains = await selectDomains(context, parsed.words, state ?? 'all');
    if (parsed.has('long')) {
      for (const domain of domains) io.print(prettyPrint(await xend.domainSxp(keyOf(domain))));
      return 0;
    }
    if (parsed.has('label')) {
      const sorted = [...domains].sort((a, b) => compare((a.label ?? '').toLowerCase(), (b.label ?? '').toLowerCase()));
      io.print([LABEL_LIST_HEADER, ...sorted.map(labelListRow), ''].join('\n'));
      return 0;
    }
    io.print([LIST_HEADER, ...domains.map(listRow), ''].join('\n'));
    return 0;
  },
};

/** The named domains in the order given, else all of that state sorted by name. */
export async function selectDomains(
  { xend }: XmContext,
  names: readonly string[],
  state = 'all',
): Promise<readonly DomainSummary[]> {
  if (names.length > 0) {
    const found: DomainSummary[] = [];
    for (const name of names) found.push(await xend.domain(name));
    return found;
  }
  const all = await xend.domains();
  return all.filter((domain) => state === 'all' || domain.powerState === state).sort((a, b) => compare(a.name, b.name));
}

/** What names exactly this domain, even if another one's name is a number. */
export function keyOf(domain: DomainSummary): string {
  return domain.uuid;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
