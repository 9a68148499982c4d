/** xm new, start, delete, rename: domains whose configuration xend keeps. */
import { getopt } from '../../lib/getopt';
import { prettyPrint } from '../../lib/sxp';
import { OptionError, type XmCommand, type XmResult } from '../command';
import { parseCreate } from '../configFile';
import { bringUp, configValues, createHelp, optionsOf } from './create';
import { enforcedPolicy } from './policy';

export const newCommand: XmCommand = {
  name: 'new',
  usage: '<ConfigFile> [options] [vars]',
  summary: 'Adds a domain to Xend domain management',
  group: 'domain',
  moreHelp: createHelp,
  async run(context, args): Promise<XmResult> {
    const { io, xend } = context;
    const parsed = await parseCreate(args, io, () => enforcedPolicy(context));
    if (parsed === 'help_config') io.print(configValues());
    else if (parsed.options.has('dryrun')) io.print(prettyPrint(parsed.config));
    else if (!parsed.options.has('xmldryrun')) await xend.newDomain(parsed.config);
    return { status: 0 };
  },
};

const startOptions = [
  { short: 'p', long: 'paused', help: 'Do not unpause domain after starting it' },
  { short: 'c', long: 'console_autoconnect', help: 'Connect to the console after the domain is created' },
  { long: 'vncviewer', help: 'Connect to display via VNC after the domain is created' },
  { long: 'vncviewer-autopass', help: 'Pass VNC password to viewer via stdin and -autopass' },
];

export const start: XmCommand = {
  name: 'start',
  usage: '<DomainName>',
  summary: 'Start a Xend managed domain',
  group: 'domain',
  options: startOptions,
  async run(context, args): Promise<XmResult> {
    const options = getopt(args, startOptions);
    if (options.words.length !== 1) throw new OptionError('Expects 1 argument');
    return bringUp(context, () => context.xend.startDomain(options.words[0]!), {
      ...optionsOf(options),
      isQuiet: true,
    });
  },
};

export const deleteCommand: XmCommand = {
  name: 'delete',
  usage: '<DomainName>',
  summary: 'Remove a domain from Xend domain management.',
  group: 'domain',
  minArgs: 1,
  maxArgs: 1,
  async run({ xend }, [name]) {
    await xend.deleteDomain(name!);
    return 0;
  },
};

export const rename: XmCommand = {
  name: 'rename',
  usage: '<Domain> <NewDomainName>',
  summary: 'Rename a domain.',
  group: 'domain',
  minArgs: 2,
  maxArgs: 2,
  async run({ xend }, [domain, name]) {
    await xend.rename(domain!, name!);
    return 0;
  },
};
