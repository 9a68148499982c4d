/** xm dump-core: a domain's processors and memory in a file for a debugger. */
import { getopt } from '../../lib/getopt';
import { OptionError, type XmCommand } from '../command';

const options = [
  { short: 'L', long: 'live', help: 'Dump core without pausing the domain' },
  { short: 'C', long: 'crash', help: 'Crash domain after dumping core' },
  { short: 'R', long: 'reset', help: 'Reset domain after dumping core' },
] as const;

export const dumpCore: XmCommand = {
  name: 'dump-core',
  usage: '[-L|--live] [-C|--crash] [-R|--reset] <Domain> [Filename]',
  summary: 'Dump core for a specific domain.',
  group: 'domain',
  options,
  async run({ io, xend }, args) {
    const given = getopt(args, options);
    const [destroys, resets] = [given.has('crash'), given.has('reset')];
    if (destroys && resets) throw new OptionError("You may not specify more than one '-CR' option");
    const [domain, file] = given.words;
    if (domain === undefined || given.words.length > 2) throw new OptionError('Expects 1 or 2 argument(s)');
    const path = file === undefined || file.startsWith('/') ? file : `${io.cwd === '/' ? '' : io.cwd}/${file}`;
    io.print(`Dumping core of domain: ${domain} ...\n`);
    const after = destroys ? 'destroy' : resets ? 'reset' : undefined;
    await xend.dump(domain, { path, isLive: given.has('live'), after });
    return 0;
  },
};
