/** Checks a domain configuration as `xm create -n` reads it and as xend would then look at its values; makes nothing. */
import type { ConfigProblem } from '../contract';
import { splitDevices } from '../devices/registry';
import { parseDomainConfig } from '../xend/domainConfig';
import { XendError } from '../xend/errors';
import { OptionError, XmError, type XmFiles, type XmIo } from '../xm/command';
import { parseCreate } from '../xm/configFile';
import type { PythonResult, PythonRunner } from '../xm/python';

export interface CheckWorld {
  readonly files: XmFiles;
  readonly python: PythonRunner;
  uname(): readonly [string, string, string, string, string];
}

/**
 * The problems of `text` as the content of the file `path`; none when a domain could be asked for.
 * Variables that the script expects on the command line (`xm_vars.var`) are given as 1.
 */
export async function checkConfigText(world: CheckWorld, path: string, text: string): Promise<ConfigProblem[]> {
  const { files, python } = world;
  let failure: PythonResult | undefined;
  const io: XmIo = {
    print: () => {},
    eprint: () => {},
    cwd: path.slice(0, path.lastIndexOf('/')) || '/',
    uid: 0,
    env: { HOME: '/root', USER: 'root', PATH: '/sbin:/bin:/usr/sbin:/usr/bin' },
    files: {
      read: (name) => (name === path ? new TextEncoder().encode(text) : files.read(name)),
      exists: (name) => name === path || files.exists(name),
      isDirectory: (name) => name !== path && files.isDirectory(name),
    },
    python: {
      run: async (...args) => {
        const result = await python.run(...args);
        if ('error' in result) failure = result;
        return result;
      },
    },
    uname: () => world.uname(),
    connect: () => 'missing',
    sleep: () => Promise.resolve(),
    isCancelled: false,
    onCancel: () => {},
    nowUnix: () => 0,
    uptimeSeconds: () => 0,
  };
  try {
    const parsed = await parseCreate([path, ...expectedVariables(text).map((name) => `${name}=1`)], io);
    if (parsed !== 'help_config') {
      const deviceClasses = new Set(splitDevices.map((device) => device.class));
      parseDomainConfig(parsed.config, { randomUuid: () => '00000000-0000-0000-0000-000000000000', deviceClasses });
    }
    return [];
  } catch (error) {
    if (failure && 'error' in failure) return [problem(failure.error.line, scriptMessage(failure.error))];
    if (error instanceof XmError || error instanceof OptionError || error instanceof XendError)
      return [problem(0, error.message)];
    throw error;
  }
}

/** Names that the script declares with `….var('NAME', …)`. */
function expectedVariables(text: string): string[] {
  const names = [...text.matchAll(/^\s*\w+\.var\(\s*['"](\w+)['"]/gm)].map((match) => match[1]!);
  return [...new Set(names)];
}

function scriptMessage({ type, message }: { readonly type: string; readonly message: string }): string {
  if (type === 'Timeout') return 'The script did not end.';
  return message === '' ? type : `${type}: ${message}`;
}

function problem(line: number, message: string): ConfigProblem {
  return { line, column: line > 0 ? 1 : 0, message, severity: 'error' };
}
