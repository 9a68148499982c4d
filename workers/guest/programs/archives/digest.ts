/** md5sum, sha1sum, sha256sum and cksum: check sums of files, and their comparison with a list (`-c`). */

import { type Digest, digestHex, startDigest, updateDigest } from '../../../lib/digest';
import { strerror } from '../../../lib/errno';
import { again, exit, type Program, type Sys, SysError, wait } from '../../sys';
import { optionsOf, type ToolSpec } from '../options';
import { splitLines } from '../text/lines';

interface SumState {
  status: number;
  readonly check: boolean;
  readonly quiet: boolean;
  readonly binary: boolean;
  /** Files, with the sum that is expected when a list is checked. */
  todo: { file: string; expected: string }[];
  lists: string[];
  fd: number;
  digest: Digest | null;
  mismatches: number;
  unreadable: number;
  checked: number;
}

const SPEC: ToolSpec = {
  usage: '[OPTION] [FILE]...',
  options: 'bctw',
  long: { binary: 'b', check: 'c', text: 't', status: 'status', warn: 'w' },
};

const summer = (name: string, kind: Digest['kind'], digits: number): Program<SumState> => ({
  name,
  start(sys) {
    const options = optionsOf(sys, name, SPEC);
    const isStatus = typeof options === 'number';
    const files = isStatus ? [] : options.words.length > 0 ? options.words : ['-'];
    const check = !isStatus && options.has('c');
    return {
      status: isStatus ? options : -1,
      check,
      quiet: !isStatus && options.has('status'),
      binary: !isStatus && options.has('b'),
      todo: check ? [] : files.map((file) => ({ file, expected: '' })),
      lists: check ? [...files] : [],
      fd: -1,
      digest: null,
      mismatches: 0,
      unreadable: 0,
      checked: 0,
    };
  },
  step(sys, state) {
    if (state.status >= 0) return exit(state.status);
    if (state.todo.length === 0) {
      if (state.lists.length === 0) return exit(summary(sys, state, name));
      readList(sys, state, name, digits);
      return again();
    }
    const { file } = state.todo[0]!;
    try {
      if (state.fd < 0) {
        state.fd = file === '-' ? 0 : sys.open(file, { read: true });
        state.digest = startDigest(kind);
      }
      const bytes = sys.read(state.fd, 1 << 20);
      if (bytes === undefined) return wait({ readable: state.fd });
      if (bytes.length > 0) {
        updateDigest(state.digest!, bytes);
        return again(bytes.length * 4);
      }
      report(sys, state, digestHex(state.digest!));
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      sys.eprint(`${name}: ${file}: ${strerror[error.code]}\n`);
      if (state.check) sys.print(`${file}: FAILED open or read\n`);
      state.unreadable++;
    }
    if (state.fd > 0) sys.close(state.fd);
    state.fd = -1;
    state.todo.shift();
    return again();
  },
});

function report(sys: Sys, state: SumState, sum: string): void {
  const { file, expected } = state.todo[0]!;
  if (!state.check) {
    sys.print(`${sum} ${state.binary ? '*' : ' '}${file}\n`);
    return;
  }
  state.checked++;
  if (sum !== expected) state.mismatches++;
  if (!state.quiet) sys.print(`${file}: ${sum === expected ? 'OK' : 'FAILED'}\n`);
}

function readList(sys: Sys, state: SumState, name: string, digits: number): void {
  const list = state.lists.shift()!;
  let text: string;
  try {
    text = sys.readText(list === '-' ? '/dev/stdin' : list);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    sys.eprint(`${name}: ${list}: ${strerror[error.code]}\n`);
    state.unreadable++;
    return;
  }
  for (const line of splitLines(text)) {
    const match = new RegExp(`^\\\\?([0-9a-fA-F]{${digits}}) [ *](.+)$`).exec(line);
    if (match) state.todo.push({ file: match[2]!, expected: match[1]!.toLowerCase() });
  }
  if (state.todo.length > 0) return;
  sys.eprint(`${name}: ${list}: no properly formatted ${name.replace('sum', '').toUpperCase()} checksum lines found\n`);
  state.unreadable++;
}

function summary(sys: Sys, state: SumState, name: string): number {
  if (state.check && state.mismatches > 0 && !state.quiet)
    sys.eprint(
      `${name}: WARNING: ${state.mismatches} of ${state.checked} computed checksum${state.checked === 1 ? '' : 's'} did NOT match\n`,
    );
  return state.mismatches + state.unreadable > 0 ? 1 : 0;
}

export const md5sum = summer('md5sum', 'md5', 32);
export const sha1sum = summer('sha1sum', 'sha1', 40);
export const sha256sum = summer('sha256sum', 'sha256', 64);
