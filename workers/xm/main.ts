/**
 * xm: finds the subcommand, runs it, and turns every failure into the text and exit status that an operator knows
 * (tools/python/xen/xm/main.py in Xen 3.4).
 */
import { GetoptError } from '../lib/getopt';
import type { XendApi } from '../xend/api';
import { XendError, XendInvalidDomain, XsmError, XsmFault } from '../xend/errors';
import {
  ConnectionError,
  Interrupted,
  OptionError,
  orInterrupted,
  type XmCommand,
  type XmContext,
  XmError,
  type XmIo,
  type XmResult,
} from './command';
import { commands } from './commands/index';
import { longHelp, shortHelp, usage } from './help';

const ALIASES: Readonly<Record<string, string>> = {
  balloon: 'mem-set',
  'set-vcpus': 'vcpu-set',
  'vif-list': 'network-list',
  'vbd-create': 'block-attach',
  'vbd-destroy': 'block-detach',
  'vbd-list': 'block-list',
};

/** `argv` without the word `xm`. Never rejects but for a bug of ours. */
export async function runXm(argv: readonly string[], io: XmIo): Promise<XmResult> {
  const [word, ...args] = argv;
  if (word === undefined) {
    io.print(shortHelp(commands));
    return { status: 1 };
  }
  if (word === '--help' || word === '-h') {
    io.print(longHelp(commands));
    return { status: 0 };
  }
  const command = findCommand(word, io);
  if (!command) {
    io.eprint(`Error: Subcommand ${word} not found!\n`);
    io.print(shortHelp(commands));
    return { status: 1 };
  }
  if (args.includes('--help') || args.includes('-h')) {
    io.print(usage(command));
    return { status: 1 };
  }
  return runCommand(command, args, io);
}

/** Exact name, then alias, then a prefix of two letters or more that only one command has. */
function findCommand(word: string, io: XmIo): XmCommand | undefined {
  const exact = commands.find((command) => command.name === word);
  if (exact) return exact;
  const alias = ALIASES[word];
  if (alias !== undefined) {
    io.eprint(`Command ${word} is deprecated.  Please use xm ${alias} instead.\n`);
    return commands.find((command) => command.name === alias);
  }
  const matches = word.length >= 2 ? commands.filter((command) => command.name.startsWith(word)) : [];
  return matches.length === 1 ? matches[0] : undefined;
}

async function runCommand(command: XmCommand, args: readonly string[], io: XmIo): Promise<XmResult> {
  const context: XmContext = {
    io,
    get xend(): XendApi {
      const connection = io.connect();
      if (typeof connection === 'string') throw new ConnectionError(connection);
      if (io.uid !== 0) throw new ConnectionError('missing');
      return connection;
    },
  };
  try {
    const words = args.filter((arg) => arg !== '--');
    if (!checkCount(command, words.length, io)) return { status: 1 };
    const result = await orInterrupted(io, Promise.resolve(command.run(context, args)));
    return typeof result === 'number' ? { status: result } : result;
  } catch (error) {
    return { status: report(command, error, io) };
  }
}

function checkCount(command: XmCommand, count: number, io: XmIo): boolean {
  const { minArgs, maxArgs } = command;
  if (minArgs === undefined || maxArgs === undefined || (count >= minArgs && count <= maxArgs)) return true;
  const wanted = minArgs === maxArgs ? `${minArgs} arguments` : `between ${minArgs} and ${maxArgs} arguments`;
  io.eprint(`Error: 'xm ${command.name}' requires ${wanted}.\n\n`);
  io.print(usage(command));
  return false;
}

/** The table of error texts; answers the exit status. Anything that is not foreseen is thrown on. */
function report(command: XmCommand, error: unknown, io: XmIo): number {
  if (error instanceof Interrupted) return 130;
  if (error instanceof ConnectionError) {
    if (io.uid !== 0) io.eprint('Error: Most commands need root access. Please try again as root.\n');
    else {
      const reason = error.reason === 'missing' ? 'No such file or directory' : 'Connection refused';
      io.eprint(`Error: Unable to connect to xend: ${reason}. Is xend running?\n`);
    }
    return 1;
  }
  if (error instanceof XendInvalidDomain) {
    io.eprint(`Error: ${error.message}\n`);
    return 3;
  }
  if (error instanceof XsmError) {
    io.eprint(`Error: ${error.message}\n`);
    for (const line of error.details) io.eprint(`  ${line}\n`);
    if (error instanceof XsmFault) io.print(usage(command));
    return 1;
  }
  if (error instanceof XmError) {
    io.eprint(`Error: ${error.message}\n`);
    if (error.usage) io.print(usage(command));
    return error.status;
  }
  if (error instanceof OptionError) {
    io.eprint(`Error: ${error.message}\n`);
    io.print(`${usage(command)}\n`);
    return 1;
  }
  if (error instanceof XendError || error instanceof GetoptError) {
    io.eprint(`Error: ${error.message}\n`);
    io.print(usage(command));
    return 1;
  }
  throw error;
}
