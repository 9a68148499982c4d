/** xm console: becomes the console program for a running domain. */
import { getopt } from '../../lib/getopt';
import { XendInvalidDomain } from '../../xend/errors';
import { OptionError, type XmCommand, XmError, type XmOption, type XmResult } from '../command';

const options: readonly XmOption[] = [
  { short: 'q', long: 'quiet', help: 'Do not print an error message if the domain does not exist' },
];

export const XENCONSOLE = '/usr/lib/xen/bin/xenconsole';

export const consoleCommand: XmCommand = {
  name: 'console',
  usage: '[-q|--quiet] <Domain>',
  summary: "Attach to <Domain>'s console.",
  group: 'domain',
  minArgs: 1,
  maxArgs: 2,
  options,
  async run({ xend }, args): Promise<XmResult> {
    const parsed = getopt(args, options);
    const [name] = parsed.words;
    if (name === undefined || parsed.words.length > 1)
      throw new OptionError('No domain given (or several parameters specified)');
    try {
      const domain = await xend.domain(name);
      if (domain.domid === undefined) throw new XmError(`Domain '${name}' is not started`);
      return { status: 0, exec: [XENCONSOLE, String(domain.domid)] };
    } catch (error) {
      if (parsed.has('quiet') && error instanceof XendInvalidDomain) return { status: 1 };
      throw error;
    }
  },
};
