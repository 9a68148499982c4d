/**
 * From the words after `xm create` to a configuration: options and variables are parsed, the file is found and run as
 * Python, values are merged (command line before file before defaults), and the result becomes an s-expression
 * (tools/python/xen/xm/{create,opts}.py in Xen 3.4).
 */
import { getopt, type ParsedOptions } from '../lib/getopt';
import { parseSxp, type Sxp, SxpError } from '../lib/sxp';
import { OptionError, XmError, type XmIo, type XmOption } from './command';
import { makeConfig } from './configSxp';
import { type ConfigValues, configError, isTruthy } from './configValues';
import { type ConfigVariable, configVariables } from './configVariables';
import type { PythonValue } from './python';

export const createOptions: readonly XmOption[] = [
  { short: 'h', long: 'help', help: 'Print this help.' },
  { long: 'help_config', help: 'Print the available configuration variables (vars) for the configuration script.' },
  { short: 'q', long: 'quiet', help: 'Quiet.' },
  {
    long: 'path',
    takesValue: true,
    metavar: 'PATH',
    help: 'Search path for configuration scripts, a colon-separated directory list.',
  },
  {
    short: 'f',
    long: 'defconfig',
    takesValue: true,
    metavar: 'FILE',
    help: 'Use the given Python configuration script. Variables set on the command line override those of the script.',
  },
  {
    short: 'F',
    long: 'config',
    takesValue: true,
    metavar: 'FILE',
    help: 'Domain configuration to use, in SXP. Written by hand or by the -n option.',
  },
  {
    short: 'n',
    long: 'dryrun',
    help: 'Dry run: print the resulting configuration in SXP and do not create the domain.',
  },
  { short: 'x', long: 'xmldryrun', help: 'XML dry run.' },
  { short: 's', long: 'skipdtd', help: 'Skip checks of the XML.' },
  { short: 'p', long: 'paused', help: 'Leave the domain paused after it is created.' },
  { short: 'c', long: 'console_autoconnect', help: 'Connect to the console after the domain is created.' },
  { long: 'vncviewer', help: 'Connect to the VNC display after the domain is created.' },
  { long: 'vncviewer-autopass', help: 'Pass the VNC password to the viewer.' },
];

const DEFAULT_FILE = 'xmdefconfig';
const DEFAULT_PATH = '.:/etc/xen';
/** Lines that show values of the file are indented like this. */
const TAB = '\t';

export interface ParsedCreate {
  readonly options: ParsedOptions;
  readonly config: Sxp;
}

/** Prints `Using config file …`. Throws XmError or OptionError. */
export async function parseCreate(
  args: readonly string[],
  io: XmIo,
  /** Asked when the configuration has a label. */
  enforcedPolicy: () => Promise<string | undefined> = async () => '',
): Promise<ParsedCreate | 'help_config'> {
  const options = getopt(args, createOptions);
  if (options.has('help_config')) return 'help_config';
  const specified: ConfigValues = new Map();
  const scriptVars: Record<string, string> = {};
  let fileArgument = options.value('defconfig');
  for (const word of options.words) {
    const at = word.indexOf('=');
    if (at < 0) fileArgument = word;
    else setVariable(word.slice(0, at), word.slice(at + 1), specified, scriptVars);
  }
  const sxpFile = options.value('config');
  if (sxpFile !== undefined) return { options, config: readSxpFile(sxpFile, io) };

  const file = fileArgument ?? DEFAULT_FILE;
  const path = findFile(file, options.value('path') ?? DEFAULT_PATH, io);
  if (path === undefined) throw new OptionError(`Unable to open config file: ${file}`);
  if (!options.has('quiet')) io.print(`Using config file "${path}".\n`);
  const script = await runScript(path, scriptVars, io);
  const values = merge(specified, script);
  if (!values.get('name')) values.set('name', file.replace(/^.*\//, ''));
  applyNics(values, io);
  return {
    options,
    config: makeConfig(values, {
      cwd: io.cwd,
      env: io.env,
      isInteractive: options.has('console_autoconnect'),
      enforcedPolicy: isTruthy(values.get('access_control')) ? await enforcedPolicy() : '',
    }),
  };
}

function setVariable(name: string, value: string, specified: ConfigValues, scriptVars: Record<string, string>): void {
  const variable = configVariables.find((each) => each.name === name);
  if (!variable) {
    scriptVars[name] = value;
    return;
  }
  specified.set(name, commandLineValue(variable, value, specified.get(name)));
}

function commandLineValue(variable: ConfigVariable, value: string, before: PythonValue | undefined): PythonValue {
  switch (variable.kind) {
    case 'text':
      return value;
    case 'int':
      if (!/^\s*[+-]?(0x[0-9a-fA-F]+|\d+)\s*$/.test(value)) throw configError(`Invalid value: ${value}`);
      return Number(value);
    case 'yesno':
      if (value === 'yes' || value === 'y') return 1;
      if (value === 'no' || value === 'n') return 0;
      throw configError(`Invalid value:${value}`);
    case 'list': {
      const items = Array.isArray(before) ? before : [];
      // `vif=''` means no network at all, as the manual page says.
      return variable.name === 'vif' && value === '' ? items : [...items, value];
    }
  }
}

/** As given, then in each directory of the path; relative hits are shown with `./`. */
function findFile(name: string, path: string, io: XmIo): string | undefined {
  const real = (shown: string) => (shown.startsWith('/') ? shown : `${io.cwd}/${shown}`);
  if (name.startsWith('/')) return io.files.exists(name) ? name : undefined;
  const candidates = [`./${name}`, ...path.split(':').map((directory) => `${directory || '.'}/${name}`)];
  return candidates.find((candidate) => io.files.exists(real(candidate)));
}

async function runScript(
  path: string,
  scriptVars: Readonly<Record<string, string>>,
  io: XmIo,
): Promise<Readonly<Record<string, PythonValue>>> {
  const real = path.startsWith('/') ? path : `${io.cwd}/${path}`;
  const bytes = io.files.read(real);
  if (io.files.isDirectory(real)) throw configError(`[Errno 21] Is a directory: '${path}'`);
  // A device such as /dev/null reads as nothing.
  const source = bytes ? new TextDecoder().decode(bytes) : '';
  if (source.trim() === '') return scriptVars;
  const environ = Object.fromEntries(
    Object.entries(io.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  const result = await io.python.run(source, path, scriptVars, { uname: io.uname(), cwd: io.cwd, environ });
  if (result.stdout !== '') io.print(result.stdout);
  if ('values' in result) return result.values;
  const { type, message, line } = result.error;
  if (type === 'Timeout') throw configError(`The configuration script was stopped because it did not end: ${path}`);
  if (type === 'SyntaxError' || type === 'IndentationError' || type === 'TokenError' || type === 'ParseError')
    throw configError(
      `Errors were found at line ${line} while processing ${path}:\n${TAB}${source.split('\n')[line - 1] ?? ''}`,
    );
  throw configError(message);
}

function merge(specified: ConfigValues, script: Readonly<Record<string, PythonValue>>): ConfigValues {
  const values: ConfigValues = new Map();
  for (const variable of configVariables) {
    const value = specified.get(variable.name) ?? script[variable.name] ?? variable.fallback;
    if (value !== undefined) values.set(variable.name, value);
  }
  return values;
}

/** The deprecated number of interfaces: fills up with default ones. */
function applyNics(values: ConfigValues, io: XmIo): void {
  const nics = Number(values.get('nics') ?? -1);
  if (nics < 0 || Number.isNaN(nics)) return;
  if (nics === 0) {
    io.eprint('Warning: The nics option is deprecated.  Please remove it.\n');
    return;
  }
  io.eprint("Warning: The nics option is deprecated.  Please use an empty vif entry instead:\n\n  vif = [ '' ]\n\n");
  const vifs = values.get('vif');
  const list = Array.isArray(vifs) ? vifs : [];
  if (nics > 256) throw configError(`Invalid value: ${nics}`);
  values.set('vif', [...list, ...Array.from({ length: Math.max(0, nics - list.length) }, () => '')]);
}

function readSxpFile(name: string, io: XmIo): Sxp {
  const bytes = io.files.read(name.startsWith('/') ? name : `${io.cwd}/${name}`);
  if (!bytes) throw new XmError(`Cannot read file ${name}: No such file or directory`);
  try {
    const [config] = parseSxp(new TextDecoder().decode(bytes));
    if (config === undefined || typeof config === 'string') throw configError(`Not a domain configuration: ${name}`);
    return config;
  } catch (error) {
    if (!(error instanceof SxpError)) throw error;
    throw configError(`Errors were found at line ${error.line} while processing ${name}:\n${TAB}${error.message}`);
  }
}
