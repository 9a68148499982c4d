/** xm mem-set, xm mem-max: how much memory a domain has and may have. */
import { intArgument, type XmCommand, type XmIo } from '../command';

export const memSet: XmCommand = {
  name: 'mem-set',
  usage: '<Domain> <Mem>',
  summary: 'Set the current memory usage for a domain.',
  group: 'domain',
  minArgs: 2,
  maxArgs: 2,
  async run({ io, xend }, [domain, size]) {
    const target = mebibytes(size!, io);
    await xend.setMemoryTarget(domain!, target);
    return 0;
  },
};

export const memMax: XmCommand = {
  name: 'mem-max',
  usage: '<Domain> <Mem>',
  summary: 'Set the maximum amount reservation for a domain.',
  group: 'domain',
  minArgs: 2,
  maxArgs: 2,
  async run({ io, xend }, [domain, size]) {
    const maximum = mebibytes(size!, io);
    await xend.setMaxMemory(domain!, maximum);
    return 0;
  },
};

/** `64`, `64m`, `65536k`, `1g` → MiB, rounded down; an unknown unit is said to be ignored. */
export function mebibytes(text: string, io: Pick<XmIo, 'print'>): number {
  const unit = text.slice(-1).toLowerCase();
  if (!/[a-z]/.test(unit)) return intArgument(text);
  const value = intArgument(text.slice(0, -1));
  if (unit === 'k') return Math.floor(value / 1024);
  if (unit === 'm') return value;
  if (unit === 'g') return value * 1024;
  io.print('ignoring unknown unit\n');
  return value;
}
