/** xm create: builds a domain from a configuration file and lets it run. */
import type { ParsedOptions } from '../../lib/getopt';
import { prettyPrint } from '../../lib/sxp';
import type { DomainSummary } from '../../xend/api';
import { XendError, XsmError } from '../../xend/errors';
import {
  Interrupted,
  orInterrupted,
  type XmCommand,
  type XmContext,
  XmError,
  type XmOption,
  type XmResult,
} from '../command';
import { createOptions, parseCreate } from '../configFile';
import { configVariables } from '../configVariables';
import { wrap } from '../format';
import { XENCONSOLE } from './console';
import { enforcedPolicy } from './policy';

const KEY_COLUMNS = 21;

export const create: XmCommand = {
  name: 'create',
  usage: '<ConfigFile> [options] [vars]',
  summary: 'Create a domain based on <ConfigFile>.',
  group: 'domain',
  moreHelp: createHelp,
  async run(context, args): Promise<XmResult> {
    const { io } = context;
    const parsed = await parseCreate(args, io, () => enforcedPolicy(context));
    if (parsed === 'help_config') {
      io.print(configValues());
      return { status: 0 };
    }
    const { options, config } = parsed;
    if (options.has('dryrun')) {
      io.print(prettyPrint(config));
      return { status: 0 };
    }
    if (options.has('xmldryrun')) return { status: 0 };
    return bringUp(context, () => context.xend.create(config), optionsOf(options));
  },
};

/** What follows the usage of create and new. */
export function createHelp(): string {
  return optionsHelp(createOptions);
}

/** Options as the older commands print them, below their usage. */
export function optionsHelp(options: readonly XmOption[]): string {
  return `\nOptions:\n\n${optionLines(options)}`;
}

/** The variables that a configuration may set. */
export function configValues(): string {
  return `Values:\n\n${valueLines()}`;
}

export function optionsOf(options: ParsedOptions): StartOptions {
  return {
    isQuiet: options.has('quiet'),
    isPaused: options.has('paused'),
    withConsole: options.has('console_autoconnect'),
  };
}

export interface StartOptions {
  readonly isQuiet: boolean;
  readonly isPaused: boolean;
  readonly withConsole: boolean;
}

/** Create, wait for the devices, unpause; a domain that fails on the way, or is not wanted any more (Ctrl-C), is destroyed. */
export async function bringUp(
  { io, xend }: XmContext,
  make: () => Promise<DomainSummary>,
  options: StartOptions,
): Promise<XmResult> {
  const domain = await withoutUsage(make);
  const orDestroy = async (step: () => Promise<void>, otherwise: string) => {
    try {
      if (io.isCancelled) throw new Interrupted();
      await orInterrupted(io, step());
    } catch (error) {
      await xend.destroy(domain.uuid);
      if (!(error instanceof XendError)) throw error;
      throw new XmError(error.message || `${otherwise} ${domain.name}`, { usage: false });
    }
  };
  await orDestroy(() => xend.waitForDevices(domain.uuid), 'Device creation failed for domain');
  if (!options.isPaused) await orDestroy(() => xend.unpause(domain.uuid), 'Failed to unpause domain');
  if (!options.isQuiet) io.print(`Started domain ${domain.name} (id=${domain.domid})\n`);
  return options.withConsole ? { status: 0, exec: [XENCONSOLE, String(domain.domid)] } : { status: 0 };
}

/** Unlike other commands, create shows a refusal of xend alone. */
async function withoutUsage<T>(body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    if (error instanceof XendError && !(error instanceof XsmError)) throw new XmError(error.message, { usage: false });
    throw error;
  }
}

function optionLines(options: readonly XmOption[]): string {
  return options
    .map((option) => {
      const value = option.takesValue ? `=${option.metavar}` : '';
      return entry(
        [option.short && `-${option.short}${value}`, `--${option.long}${value}`].filter(Boolean).join(', '),
        option.help,
      );
    })
    .join('');
}

function valueLines(): string {
  return configVariables.map((variable) => entry(`${variable.name}=${variable.value}`, variable.help)).join('');
}

/** Keys in 21 columns, the text beside them; long keys stand on a line of their own. */
function entry(keys: string, text: string): string {
  const lines = wrap(text, 55);
  const indent = ' '.repeat(KEY_COLUMNS);
  if (keys.length >= KEY_COLUMNS) return `${keys}\n${lines.map((line) => `${indent}${line}\n`).join('')}`;
  return `${keys.padEnd(KEY_COLUMNS)}${lines.map((line, at) => `${at > 0 ? indent : ''}${line}\n`).join('')}`;
}
