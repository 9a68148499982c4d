/** xm sched-credit: weight and cap of domains under the credit scheduler. */
import { getopt } from '../../lib/getopt';
import { XendInvalidDomain } from '../../xend/errors';
import { intArgument, OptionError, type XmCommand, type XmContext, XmError, type XmOption } from '../command';
import { format } from '../format';
import { keyOf, selectDomains } from './list';

const options: readonly XmOption[] = [
  { short: 'd', long: 'domain', takesValue: true, metavar: 'DOMAIN', help: 'Domain to modify' },
  { short: 'w', long: 'weight', takesValue: true, metavar: 'WEIGHT', help: 'Weight (int)' },
  { short: 'c', long: 'cap', takesValue: true, metavar: 'CAP', help: 'Cap (int)' },
];

export const schedCredit: XmCommand = {
  name: 'sched-credit',
  usage: '[-d <Domain> [-w[=WEIGHT]|-c[=CAP]]]',
  summary: 'Get/set credit scheduler parameters.',
  group: 'scheduler',
  options,
  async run(context, args) {
    const { xend } = context;
    await requireScheduler(context, 'credit');
    const parsed = getopt(args, options, { stopAtWord: true });
    const domain = parsed.value('domain');
    const weight = parsed.value('weight');
    const cap = parsed.value('cap');
    if (weight === undefined && cap === undefined) return show(context, domain);
    if (domain === undefined) throw new OptionError('No domain given.');
    await xend.schedCreditSet(domain, {
      ...(weight === undefined ? {} : { weight: numberOf(weight) }),
      ...(cap === undefined ? {} : { cap: numberOf(cap) }),
    });
    return 0;
  },
};

/** The manual page writes `-w=512`, which leaves the sign in the value. */
function numberOf(value: string): number {
  return intArgument(value.replace(/^=/, ''));
}

async function show(context: XmContext, domain: string | undefined): Promise<number> {
  const { io, xend } = context;
  const lines = [format('%-33s %4s %6s %4s', 'Name', 'ID', 'Weight', 'Cap')];
  try {
    for (const each of await selectDomains(context, domain === undefined ? [] : [domain])) {
      const { weight, cap } = await xend.schedCreditGet(keyOf(each));
      lines.push(format('%-32s %5s %6d %4d', each.name, each.domid ?? '', weight, cap));
    }
  } catch (error) {
    // Listing one unknown domain is a plain error in Xen 3.4, with usage and status 1.
    if (error instanceof XendInvalidDomain) throw new XmError(error.message);
    throw error;
  }
  io.print(`${lines.join('\n')}\n`);
  return 0;
}

/** Refuses when Xen runs another scheduler than the command is about. */
async function requireScheduler({ xend }: XmContext, wanted: string): Promise<void> {
  const running = await xend.schedulerName();
  if (running !== wanted) throw new XmError(`Xen is running with the ${running} scheduler`, { usage: false });
}
