/** free: memory from /proc/meminfo (procps 3.2). */
import { tool, UsageError } from '../options';

export const free = tool('free', { usage: '[-b|-k|-m|-g] [-o] [-t] [-V]', options: 'bkmgots:c:lV' }, (sys, options) => {
  if (options.has('V')) {
    sys.print('procps version 3.2.7\n');
    return;
  }
  if (options.has('s')) throw new UsageError('invalid option -- s');
  const text = sys.readText('/proc/meminfo');
  const kib = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0);
  const scale = (value: number) =>
    String(
      options.has('b')
        ? value * 1024
        : options.has('m')
          ? Math.floor(value / 1024)
          : options.has('g')
            ? Math.floor(value / 1048576)
            : value,
    ).padStart(10);
  const row = (label: string, values: readonly number[]) =>
    `${label.padEnd(8)}${values.map((value) => scale(value)).join(' ')}\n`;
  const [total, unused, buffers, cached] = [kib('MemTotal'), kib('MemFree'), kib('Buffers'), kib('Cached')];
  const [swap, swapFree] = [kib('SwapTotal'), kib('SwapFree')];
  const used = total - unused;
  sys.print('             total       used       free     shared    buffers     cached\n');
  sys.print(row('Mem:', [total, used, unused, 0, buffers, cached]));
  if (!options.has('o'))
    sys.print(`-/+ buffers/cache: ${scale(used - buffers - cached)} ${scale(unused + buffers + cached)}\n`);
  sys.print(row('Swap:', [swap, swap - swapFree, swapFree]));
  if (options.has('t')) sys.print(row('Total:', [total + swap, used + swap - swapFree, unused + swapFree]));
});
