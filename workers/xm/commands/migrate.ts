/** xm migrate: a domain moves to another host. */
import { getopt } from '../../lib/getopt';
import { intArgument, type XmCommand, XmError } from '../command';
import { optionsHelp } from './create';

const options = [
  { short: 'l', long: 'live', help: 'Use live migration.' },
  { short: 'p', long: 'port', takesValue: true, metavar: 'portnum', help: 'Use specified port for migration.' },
  { short: 'n', long: 'node', takesValue: true, metavar: 'nodenum', help: 'Use specified NUMA node on target.' },
  { short: 's', long: 'ssl', help: 'Use ssl connection for migration.' },
  {
    short: 'r',
    long: 'resource',
    takesValue: true,
    metavar: 'MBIT',
    help: 'Set level of resource usage for migration.',
  },
] as const;

export const migrate: XmCommand = {
  name: 'migrate',
  usage: '<Domain> <Host>',
  summary: 'Migrate a domain to another machine.',
  group: 'domain',
  moreHelp: () => optionsHelp(options),
  async run({ xend }, args) {
    const parsed = getopt(args, options);
    const [domain, host] = parsed.words;
    if (domain === undefined || host === undefined || parsed.words.length !== 2)
      throw new XmError('Invalid number of arguments');
    const number = (name: string) => {
      const value = parsed.value(name);
      return value === undefined ? undefined : intArgument(value);
    };
    if (parsed.has('ssl'))
      throw new XmError('xend was built without SSL: relocation over SSL is not supported', { usage: false });
    number('node');
    const rateMbps = number('resource');
    if (rateMbps !== undefined && rateMbps <= 0) throw new XmError('Invalid argument.');
    await xend.migrate(domain, host, { isLive: parsed.has('live'), port: number('port'), rateMbps });
    return 0;
  },
};
