/** What nbd-server exports: its command line, or its configuration file (nbd-server(1) and (5) of nbd 2.9). */
import { UsageError } from '../../options';

export interface Export {
  /** The section's name; empty on the command line. */
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly path: string;
  readonly isReadonly: boolean;
  /** A file with the addresses that may connect, one a line. */
  readonly authFile: string | undefined;
  /** 0: any number. */
  readonly maxConnections: number;
  /** 0: what the file or device has. */
  readonly size: number;
}

export interface CommandLine {
  readonly export: Export | undefined;
  readonly configFile: string;
  readonly pidFile: string;
}

export const CONFIG_FILE = '/etc/nbd-server/config';
export const PID_FILE = '/var/run/nbd-server.pid';

export const SERVER_USAGE = `This is nbd-server version 2.9.11
Usage: [ip:]port file_to_export [size][kKmM] [-l authorize_file] [-r] [-C configuration file] [-p PID file name] [-M max connections]
\t-r|--read-only\t\tread only
\t-C|--config-file\tspecify an alternate configuration file
\t-l|--authorize-file\tfile with list of hosts that are allowed to
\t\t\t\tconnect.
\t-p|--pid-file\t\tspecify a filename to write our PID to
\t-M|--max-connections\tspecify the maximum number of opened connections
`;

/** Throws UsageError. */
export function readCommandLine(words: readonly string[], option: (letter: string) => string | undefined): CommandLine {
  const configFile = option('C') ?? CONFIG_FILE;
  const pidFile = option('p') ?? PID_FILE;
  const [where, path, sizeText] = words;
  if (where === undefined) return { export: undefined, configFile, pidFile };
  if (path === undefined || words.length > 3) throw new UsageError('');
  const [, address, port] = /^(?:([\d.]+):)?(\d+)$/.exec(where) ?? [];
  if (port === undefined) throw new UsageError('');
  const made = {
    name: '',
    address: address ?? '0.0.0.0',
    port: Number(port),
    path,
    isReadonly: option('r') !== undefined,
    authFile: option('l'),
    maxConnections: wholeNumber(option('M') ?? '0'),
    size: sizeText === undefined ? 0 : sizeOf(sizeText),
  };
  return { export: checked(made), configFile, pidFile };
}

function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new UsageError('');
  return Number(text);
}

function sizeOf(text: string): number {
  const [, digits, unit] = /^(\d+)([kKmM]?)$/.exec(text) ?? [];
  if (digits === undefined) throw new UsageError('');
  return Number(digits) * (unit === '' ? 1 : /k/i.test(unit!) ? 1024 : 1024 * 1024);
}

function checked(made: Export): Export {
  if (made.port < 1 || made.port > 65535) throw new UsageError('');
  if (!made.path.startsWith('/')) throw new ConfigError('The to be exported file needs to be an absolute filename!');
  return made;
}

/** What makes the server give up before it serves anything. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** `[section]`, `name = value`, `#` for comments. Throws ConfigError. */
export function readConfig(text: string): readonly Export[] {
  const sections: { name: string; values: Map<string, string> }[] = [];
  for (const [at, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const heading = /^\[([^\]]+)\]$/.exec(line)?.[1];
    const pair = /^([a-z]+)\s*=\s*(.*)$/.exec(line);
    if (heading !== undefined) sections.push({ name: heading, values: new Map() });
    else if (pair && sections.length > 0) sections.at(-1)!.values.set(pair[1]!, pair[2]!);
    else throw new ConfigError(`Could not parse config file: line ${at + 1} is neither a group nor a key-value pair`);
  }
  if (sections[0]?.name !== 'generic')
    throw new ConfigError('Could not parse config file: The config file does not contain the [generic] group');
  if (sections.length === 1)
    throw new ConfigError('Could not parse config file: The config file does not specify any exports');
  const exports = sections.slice(1).map(exportOf);
  exports.forEach(({ name, path }, at) => {
    // Each export has reservations of its own.
    if (exports.findIndex((other) => other.path === path) < at)
      throw new ConfigError(`Could not parse config file: ${path} is exported already in group ${name}`);
  });
  return exports;
}

const KEYS = new Set(['exportname', 'port', 'listenaddr', 'authfile', 'readonly', 'maxconnections', 'filesize']);

function exportOf({ name, values }: { name: string; values: ReadonlyMap<string, string> }): Export {
  const fail = (text: string) => new ConfigError(`Could not parse config file: ${text} in group ${name}`);
  for (const key of values.keys()) if (!KEYS.has(key)) throw fail(`Unknown value ${key}`);
  const required = (key: string) => {
    const value = values.get(key);
    if (value === undefined) throw fail(`Could not find required value ${key}`);
    return value;
  };
  const number = (key: string, text: string) => {
    if (!/^\d+$/.test(text)) throw fail(`Could not parse ${key}`);
    return Number(text);
  };
  const isReadonly = values.get('readonly') ?? 'false';
  if (isReadonly !== 'true' && isReadonly !== 'false') throw fail('Could not parse readonly');
  const port = number('port', required('port'));
  if (port < 1 || port > 65535) throw fail('Could not parse port');
  return checked({
    name,
    address: values.get('listenaddr') ?? '0.0.0.0',
    port,
    path: required('exportname'),
    isReadonly: isReadonly === 'true',
    authFile: values.get('authfile'),
    maxConnections: number('maxconnections', values.get('maxconnections') ?? '0'),
    size: number('filesize', values.get('filesize') ?? '0'),
  });
}
