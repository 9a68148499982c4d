/** Running another program and waiting for it: what xargs, find -exec, time, watch and service have in common. */

import { signalNumber } from '../signals';
import { type ChildEvent, type SpawnOptions, type Sys, SysError } from '../sys';

/** Starts it; a failure is printed and gives the negative status (−127 not found, −126 not executable). */
export function launch(
  sys: Sys,
  name: string,
  argv: readonly string[],
  options: Omit<SpawnOptions, 'argv'> = {},
): number {
  try {
    return sys.spawn({ argv, ...options });
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    // A script without an interpreter line is the shell's to run.
    if (error.code === 'ENOEXEC') return sys.spawn({ ...options, argv: ['/bin/sh', ...argv] });
    sys.eprint(`${name}: ${new SysError(error.code, argv[0]).message}\n`);
    return error.code === 'ENOENT' ? -127 : -126;
  }
}

/** Status of a child as a shell reports it; undefined while it runs (or is stopped). */
export function childStatus(sys: Sys, pid: number): number | undefined {
  const event: ChildEvent | undefined = sys.waitChild(pid);
  if (!event || event.kind === 'stopped') return undefined;
  return event.kind === 'exited' ? event.status : 128 + signalNumber[event.signal];
}
