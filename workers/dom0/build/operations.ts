/** The build tools of Domain-0 as host operations: make, and the linker that puts a hypervisor together. */
import { xenImage } from '../../abi/xenImage';
import type { Operation } from '../../guest/operations';
import type { XendFiles } from '../../xend/environment';
import { make } from './make';

/** Runs a command line of the shell; what it prints goes to the two functions. Resolves with its status. */
export type RunShell = (
  command: string,
  cwd: string,
  env: Readonly<Record<string, string>>,
  out: (bytes: Uint8Array) => void,
  err: (bytes: Uint8Array) => void,
) => Promise<number>;

const argsOf = (argument: unknown) => (argument as { argv: readonly string[] }).argv.slice(1);

export function makeOperation(files: XendFiles, runShell: RunShell): Operation {
  return async (argument, io) => {
    const status = await make(argsOf(argument), {
      cwd: io.cwd,
      print: (text) => io.print(text),
      eprint: (text) => io.eprint(text),
      read: (path) => {
        const bytes = files.read(path);
        return bytes && new TextDecoder().decode(bytes);
      },
      run: (command, directory) =>
        runShell(
          command,
          directory,
          io.env,
          (bytes) => io.print(bytes),
          (bytes) => io.eprint(bytes),
        ),
      get isCancelled() {
        return io.cancelled.isCancelled;
      },
    });
    return { status };
  };
}

/** `xenlink [-DNAME]… -o FILE`: the hypervisor with these options. */
export function linkOperation(files: XendFiles): Operation {
  return async (argument, io) => {
    const args = argsOf(argument);
    const at = args.indexOf('-o');
    const output = at < 0 ? undefined : args[at + 1];
    if (output === undefined) {
      io.eprint('xenlink: no output file\n');
      return { status: 1 };
    }
    const acm = args.includes('-DXSM_ENABLE') && args.includes('-DACM_SECURITY');
    files.write(output.startsWith('/') ? output : `${io.cwd}/${output}`, xenImage({ acm }));
    return { status: 0 };
  };
}
