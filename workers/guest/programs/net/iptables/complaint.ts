/** How iptables ends when something is wrong (xtables' exit codes, iptables 1.3.5). */
import type { Sys } from '../../../sys';

export const VERSION = '1.3.5';

export class Complaint extends Error {
  override readonly name = 'Complaint';
  constructor(
    message: string,
    /** 2: wrong use; 3: the kernel will not do it; 1: anything else. */
    readonly status: 1 | 2 | 3 = 2,
  ) {
    super(message);
  }
}

/** Wrong use that is not introduced by the program's name and version. */
export class BadArgument extends Error {
  override readonly name = 'BadArgument';
}

/** What libiptc says when an operation on a table is refused. */
export class Refused extends Error {
  override readonly name = 'Refused';
}

/** Prints what went wrong; the status to end with. `line`: of the file that iptables-restore reads. */
export function report(sys: Sys, program: string, error: unknown, line?: number): number {
  if (error instanceof Complaint) {
    sys.eprint(`${program} v${VERSION}: ${error.message}\n`);
    if (error.status === 3) sys.eprint('Perhaps iptables or your kernel needs to be upgraded.\n');
    if (error.status === 2) tryHelp(sys, program, line);
    return error.status;
  }
  if (error instanceof BadArgument) {
    sys.eprint(`${error.message}\n`);
    tryHelp(sys, program, line);
    return 2;
  }
  if (!(error instanceof Refused)) throw error;
  sys.eprint(line === undefined ? `${program}: ${error.message}\n` : `${program}: line ${line} failed\n`);
  return 1;
}

function tryHelp(sys: Sys, program: string, line: number | undefined): void {
  if (line !== undefined) sys.eprint(`Error occurred at line: ${line}\n`);
  sys.eprint(`Try \`${program} -h' or '${program} --help' for more information.\n`);
}
