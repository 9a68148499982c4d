/** xm uptime: how long domains have been running. */
import { getopt } from '../../lib/getopt';
import type { DomainSummary } from '../../xend/api';
import type { XmCommand, XmIo, XmOption } from '../command';
import { format, shortUptimeText, uptimeText } from '../format';
import { selectDomains } from './list';

const options: readonly XmOption[] = [{ short: 's', long: 'short', help: 'One line per domain, without headings' }];

export const uptime: XmCommand = {
  name: 'uptime',
  usage: '[-s] [Domain, ...]',
  summary: 'Print uptime for all/some domains.',
  group: 'domain',
  async run(context, args) {
    const { io } = context;
    const parsed = getopt(args, options);
    const domains = await selectDomains(context, parsed.words);
    if (parsed.has('short')) {
      const clock = new Date(Math.floor(io.nowUnix()) * 1000).toISOString().slice(11, 19);
      for (const domain of domains)
        io.print(` ${clock} up ${shortUptimeText(secondsUp(domain, io))}, ${domain.name} (${domain.domid ?? ''})\n`);
      return 0;
    }
    io.print(`${format('%-33s %4s %s ', 'Name', 'ID', 'Uptime')}\n`);
    for (const domain of domains)
      io.print(`${format('%-32s %5s ', domain.name, domain.domid ?? '')} ${uptimeText(secondsUp(domain, io))}\n`);
    return 0;
  },
};

function secondsUp(domain: DomainSummary, io: XmIo): number {
  if (domain.domid === undefined) return 0;
  return domain.domid === 0 ? io.uptimeSeconds() : io.nowUnix() - domain.startTime;
}
