/** The subcommands about the host: info, dmesg, log, debug-keys. */
import { getopt } from '../../lib/getopt';
import { OptionError, type XmCommand, type XmOption } from '../command';
import { format } from '../format';

const infoOptions: readonly XmOption[] = [{ short: 'c', long: 'config', help: 'List Xend configuration parameters' }];
const dmesgOptions: readonly XmOption[] = [
  { short: 'c', long: 'clear', help: 'Clear dmesg buffer as well as printing it' },
];
/** Further values of a key stand below its first one. */
const CONTINUATION = ' '.repeat(25);

export const info: XmCommand = {
  name: 'info',
  usage: '[-c|--config]',
  summary: 'Get information about Xen host.',
  group: 'host',
  options: infoOptions,
  async run({ io, xend }, args) {
    const parsed = getopt(args, infoOptions);
    if (parsed.has('config')) {
      for (const [key, value] of await xend.nodeConfig()) io.print(`${format('%-38s', key)}: ${value || '(none)'}\n`);
      return 0;
    }
    for (const [key, value] of await xend.nodeInfo())
      io.print(`${format('%-23s', key)}: ${value.replaceAll('\n', `\n${CONTINUATION}`)}\n`);
    return 0;
  },
};

export const dmesg: XmCommand = {
  name: 'dmesg',
  usage: '[-c|--clear]',
  summary: "Read and/or clear Xend's message buffer.",
  group: 'host',
  options: dmesgOptions,
  async run({ io, xend }, args) {
    const parsed = getopt(args, dmesgOptions);
    if (parsed.words.length > 0) throw new OptionError('No parameter required');
    io.print(await xend.nodeDmesg(parsed.has('clear')));
    return 0;
  },
};

export const log: XmCommand = {
  name: 'log',
  usage: '',
  summary: 'Print Xend log',
  group: 'host',
  minArgs: 0,
  maxArgs: 0,
  async run({ io, xend }) {
    io.print(`${await xend.log()}\n`);
    return 0;
  },
};

export const debugKeys: XmCommand = {
  name: 'debug-keys',
  usage: '<Keys>',
  summary: 'Send debug keys to Xen.',
  group: 'host',
  minArgs: 1,
  maxArgs: 1,
  async run({ xend }, [keys]) {
    await xend.nodeDebugKeys(keys!);
    return 0;
  },
};
