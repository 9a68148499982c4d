/**
 * xensec_ezpolicy and xensec_gen as host operations: their windows are panes of the page, which a program of Domain-0 can
 * only ask for (tools/security in Xen 3.4).
 */
import type { PolicyTool } from '../contract';
import type { Operation } from '../guest/operations';
import { joinPath } from '../guest/programs/paths';

/** Opens the pane; resolves when it is closed. */
export type OpenTool = (tool: PolicyTool, path: string | undefined) => Promise<void>;

/** `open` answers undefined on a machine without a page. */
export function policyToolOperations(
  open: () => OpenTool | undefined,
  wake: () => void,
): Readonly<Record<PolicyTool, Operation>> {
  const run = async (tool: PolicyTool, path: string | undefined, io: Parameters<Operation>[1]) => {
    const cancelled = new Promise<void>((resolve) => io.cancelled.onCancel(resolve));
    await Promise.race([open()!(tool, path), cancelled]);
    wake();
  };
  return {
    xensec_ezpolicy: async (argument, io) => {
      const args = argsOf(argument);
      if (!open()) {
        io.eprint('Unable to access the X Display, is $DISPLAY set properly?\n');
        return { status: 1 };
      }
      // With any other number of arguments the original starts with an empty definition, too.
      const [file] = args.length === 1 ? args : [];
      await run('xensec_ezpolicy', file === undefined ? undefined : joinPath(io.cwd, file), io);
      io.print('Goodbye\n');
      return { status: 0 };
    },
    xensec_gen: async (argument, io) => {
      const options = genOptions(argsOf(argument));
      if (typeof options === 'string') {
        if (options !== '') io.eprint(`${options}\n`);
        io.eprint(GEN_USAGE);
        return { status: options === '' ? 0 : 1 };
      }
      if (!open()) {
        io.eprint('Error: this machine has no page that could show the form\n');
        return { status: 1 };
      }
      const closed = run('xensec_gen', undefined, io);
      // A daemon leaves its parent at once.
      if (options.isForeground) await closed;
      return { status: 0 };
    },
  };
}

function argsOf(argument: unknown): readonly string[] {
  return (argument as { argv: readonly string[] }).argv.slice(1);
}

const GEN_USAGE = `Usage:  xensec_gen [OPTIONS]
  OPTIONS:
    -p, --httpport
        The http port on which to listen (default: 7777)
    -d, --httpdir
        The directory with the pages (default: /var/lib/xensec_gen)
    -l, --logfile
        The file to log to (default: /var/log/xen/xensec_gen.log)
    -u, --user
        The user to run as, when started by root (default: nobody)
    -g, --group
        The group to run as, when started by root (default: nobody)
    -f
        Run in the foreground; nothing is logged to the file
    -h, --help
        Print this
`;

const withValue: Readonly<Record<string, string>> = {
  p: 'httpport',
  d: 'httpdir',
  l: 'logfile',
  u: 'user',
  g: 'group',
};

/** A text: what is wrong; '' asks for help. */
function genOptions(args: readonly string[]): { readonly isForeground: boolean } | string {
  let isForeground = false;
  for (let at = 0; at < args.length; at++) {
    const arg = args[at]!;
    if (!arg.startsWith('-') || arg === '-') return 'Error: command arguments are not supported';
    if (arg === '-h' || arg === '--help') return '';
    if (arg === '-f') {
      isForeground = true;
      continue;
    }
    const [, long, inline] = /^--([a-z]+)(?:=(.*))?$/.exec(arg) ?? [];
    const name = long ?? withValue[arg[1]!];
    if (name === undefined || !Object.values(withValue).includes(name)) return `Error: option ${arg} not recognized`;
    const value = inline ?? (long === undefined && arg.length > 2 ? arg.slice(2) : args[++at]);
    if (value === undefined) return `Error: option ${arg} requires argument`;
    const port = Number(value);
    if (name === 'httpport' && !(Number.isInteger(port) && port > 0 && port < 65536))
      return 'Error: HTTP port is not valid';
  }
  return { isForeground };
}
