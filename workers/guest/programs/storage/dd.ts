/** dd: copies blocks between files and devices (coreutils 5.97). */
import { strerror } from '../../../lib/errno';
import { again, exit, type Program, type Step, type Sys, SysError, wait } from '../../sys';
import { guarded, quietly, sizeOf, ToolError, UsageError } from '../options';
import { isWritten } from './drain';

/** How often conv=fsync looks whether the disks have everything, ns. */
const POLL_NS = 1_000_000;

interface DdState {
  status: number;
  readonly input: number;
  readonly output: number;
  readonly inputName: string;
  readonly outputName: string;
  readonly inSize: number;
  readonly outSize: number;
  /** −1: to the end. */
  readonly count: number;
  readonly sync: boolean;
  readonly noError: boolean;
  readonly upper: boolean;
  readonly lower: boolean;
  readonly quiet: boolean;
  readonly fsync: boolean;
  /** Input blocks still to be skipped on what cannot seek. */
  skip: number;
  /** Part of an input block that has arrived. */
  partial: Uint8Array;
  /** Bytes that wait to be written. */
  pending: Uint8Array;
  fullIn: number;
  partIn: number;
  fullOut: number;
  partOut: number;
  bytes: number;
  readonly startNs: number;
  isEnd: boolean;
  /** Status to end with once the output is where it belongs; −1 while it copies. */
  ending: number;
}

export const dd: Program<DdState> = {
  name: 'dd',
  start(sys) {
    const made = guarded(sys, 'dd', {}, () => open(sys));
    return typeof made === 'number' ? { ...blank(sys), status: made } : made;
  },
  step(sys, state) {
    if (state.status >= 0) return exit(state.status);
    if (state.ending >= 0) return finish(sys, state, state.ending);
    try {
      // A few blocks a step; large ones are one at a time.
      for (let moved = 0; moved < 1 << 20; moved += state.inSize) {
        const condition = moveBlock(sys, state);
        if (condition === 'end') return finish(sys, state, 0);
        if (condition) return condition;
      }
      return again();
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      const isWriting = state.pending.length > 0;
      sys.eprint(
        `dd: ${isWriting ? 'writing' : 'reading'} \`${isWriting ? state.outputName : state.inputName}': ${strerror[error.code]}\n`,
      );
      return finish(sys, state, 1);
    }
  },
  signal(sys, state, signal) {
    if (signal !== 'USR1' && signal !== 'INT') return false;
    report(sys, state);
    return signal === 'USR1';
  },
};

function blank(sys: Sys): DdState {
  return {
    status: -1, input: 0, output: 1, inputName: 'standard input', outputName: 'standard output', inSize: 512, outSize: 512, count: -1, sync: false, noError: false,
    upper: false, lower: false, quiet: false, fsync: false, skip: 0, partial: new Uint8Array(0), pending: new Uint8Array(0), fullIn: 0, partIn: 0, fullOut: 0,
    partOut: 0, bytes: 0, startNs: sys.nowNs, isEnd: false, ending: -1,
  }; // biome-ignore format: a record
}

function open(sys: Sys): DdState {
  const given: Record<string, string> = {};
  for (const word of sys.argv.slice(1)) {
    const equals = word.indexOf('=');
    const name = word.slice(0, equals);
    if (
      equals < 0 ||
      !['if', 'of', 'bs', 'ibs', 'obs', 'cbs', 'count', 'seek', 'skip', 'conv', 'iflag', 'oflag', 'status'].includes(
        name,
      )
    )
      throw new UsageError(`unrecognized operand \`${word}'`);
    given[name] = word.slice(equals + 1);
  }
  const number = (name: string, fallback: number, least: number) => {
    const text = given[name];
    if (text === undefined) return fallback;
    const value = text
      .split('x')
      .reduce<number | undefined>(
        (product, part) => (product === undefined || sizeOf(part) === undefined ? undefined : product * sizeOf(part)!),
        1,
      );
    if (value === undefined || value < least) throw new ToolError(`invalid number \`${text}'`);
    return value;
  };
  const conv = (given['conv'] ?? '').split(',').filter((it) => it !== '');
  for (const it of conv)
    if (!['notrunc', 'sync', 'noerror', 'ucase', 'lcase', 'fsync', 'fdatasync', 'nocreat', 'excl', 'swab'].includes(it))
      throw new UsageError(`invalid conversion: \`${it}'`);
  const bs = number('bs', 0, 1);
  const inSize = bs || number('ibs', 512, 1);
  const outSize = bs || number('obs', 512, 1);
  const [seek, skip, count] = [number('seek', 0, 0), number('skip', 0, 0), number('count', -1, 0)];
  const from = given['if'];
  const to = given['of'];
  const opened = (path: string, flags: Parameters<Sys['open']>[1]) => {
    try {
      return sys.open(path, flags);
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      throw new ToolError(`opening \`${path}': ${strerror[error.code]}`);
    }
  };
  const input = from === undefined ? 0 : opened(from, { read: true });
  const output =
    to === undefined
      ? 1
      : opened(to, {
          read: isBlockDevice(sys, to),
          write: true,
          create: !conv.includes('nocreat'),
          exclusive: conv.includes('excl'),
        });
  if (to !== undefined && sys.fstat(output).kind === 'file') {
    // The length becomes what `seek` says, also when nothing is written: how sparse files are made.
    if (!conv.includes('notrunc')) sys.truncate(to, seek * outSize);
    sys.seek(output, seek * outSize, 'set');
  } else if (seek > 0) seekOrFail(sys, output, seek * outSize, to ?? 'standard output');
  const state: DdState = {
    ...blank(sys), input, output, inputName: from ?? 'standard input', outputName: to ?? 'standard output', inSize, outSize, count,
    sync: conv.includes('sync'), noError: conv.includes('noerror'), upper: conv.includes('ucase'), lower: conv.includes('lcase'),
    quiet: given['status'] === 'noxfer' || given['status'] === 'none', fsync: conv.includes('fsync') || conv.includes('fdatasync'),
  }; // biome-ignore format: a record
  if (skip > 0) {
    try {
      sys.seek(input, skip * inSize, 'cur');
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      state.skip = skip;
    }
  }
  return state;
}

function seekOrFail(sys: Sys, fd: number, offset: number, name: string): void {
  try {
    sys.seek(fd, offset, 'set');
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    if (error.code !== 'ESPIPE' || name !== '/dev/null')
      throw new ToolError(`\`${name}': cannot seek: ${strerror[error.code]}`);
  }
}

/** Reads or writes one piece. A step: wait for it. */
function moveBlock(sys: Sys, state: DdState): Step | 'end' | undefined {
  if (
    state.pending.length >= state.outSize ||
    (state.pending.length > 0 && (state.isEnd || state.inSize === state.outSize))
  ) {
    const piece = state.pending.subarray(0, state.outSize);
    const taken = sys.write(state.output, piece);
    if (taken === 0) return wait({ writable: state.output });
    state.bytes += taken;
    state.pending = state.pending.slice(taken);
    if (taken === state.outSize) state.fullOut++;
    else if (taken === piece.length) state.partOut++;
    return undefined;
  }
  if (state.isEnd || (state.count >= 0 && state.fullIn + state.partIn >= state.count && state.skip === 0)) {
    if (state.pending.length === 0) return 'end';
    state.isEnd = true;
    return undefined;
  }
  const isStream = sys.fstat(state.input).kind === 'fifo' || sys.isatty(state.input);
  const bytes = sys.read(state.input, state.inSize - state.partial.length);
  if (bytes === undefined) return wait({ readable: state.input });
  const block = join(state.partial, bytes);
  state.partial = new Uint8Array(0);
  if (bytes.length > 0 && block.length < state.inSize && !isStream) {
    state.partial = block;
    return undefined;
  }
  if (block.length === 0) {
    state.isEnd = true;
    return undefined;
  }
  if (state.skip > 0) {
    state.skip--;
    return undefined;
  }
  if (block.length === state.inSize) state.fullIn++;
  else state.partIn++;
  let out = block;
  if (state.sync && out.length < state.inSize) out = join(out, new Uint8Array(state.inSize - out.length));
  if (state.upper || state.lower)
    out = out.map((byte) =>
      state.upper && byte >= 97 && byte <= 122 ? byte - 32 : state.lower && byte >= 65 && byte <= 90 ? byte + 32 : byte,
    );
  state.pending = state.pending.length === 0 ? out : join(state.pending, out);
  return undefined;
}

function join(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length === 0) return b;
  const out = new Uint8Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}

function finish(sys: Sys, state: DdState, status: number): Step {
  if (state.ending < 0) {
    state.ending = status;
    report(sys, state);
    if (sys.fstat(state.output).kind === 'block') sys.seek(state.output, 0, 'set');
  }
  try {
    if (state.fsync && !sys.fsync(state.output)) return wait({ untilNs: sys.nowNs + POLL_NS });
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    sys.eprint(`dd: fsync failed for \`${state.outputName}': ${strerror[error.code]}\n`);
    return exit(1);
  }
  if (state.outputName !== 'standard output' && !isWritten(sys, state.output)) return wait({ readable: state.output });
  return exit(status);
}

/** Devices are opened for reading as well, to see when everything has reached them. */
const isBlockDevice = (sys: Sys, path: string) => quietly(() => sys.stat(path))?.kind === 'block';

/** `1048576 bytes (1.0 MB) copied, 0.01 seconds, 105 MB/s`. */
function report(sys: Sys, state: DdState): void {
  sys.eprint(`${state.fullIn}+${state.partIn} records in\n${state.fullOut}+${state.partOut} records out\n`);
  if (state.quiet) return;
  const seconds = Math.max((sys.nowNs - state.startNs) / 1e9, 1e-6);
  sys.eprint(
    `${state.bytes} byte${state.bytes === 1 ? '' : 's'} (${decimal(state.bytes, 0)}B) copied, ${sixDigits(seconds)} seconds, ${decimal(state.bytes / seconds, 1)}B/s\n`,
  );
}

/** As `%g` of printf. */
function sixDigits(value: number): string {
  const short = Number(value.toPrecision(6));
  if (short >= 1e-4) return String(short);
  const [mantissa, exponent = ''] = short.toExponential().split('e');
  return `${mantissa}e-${exponent.slice(1).padStart(2, '0')}`;
}

/** With a decimal unit, `least` being the first that may be used: sizes begin with B, speeds with kB. */
function decimal(value: number, least: number): string {
  const units = ['', 'k', 'M', 'G', 'T'];
  let unit = least;
  let scaled = value / 1000 ** least;
  while (scaled >= 1000 && unit < units.length - 1) {
    scaled /= 1000;
    unit++;
  }
  return `${scaled < 10 && unit > 0 ? scaled.toFixed(1) : scaled.toFixed(0)} ${units[unit]}`;
}
