/** Lists of physical cpus as text: `0-3,5,^1`, evaluated left to right (xend/XendConfig.py parse_cpuset in Xen 3.4). */

/** Throws Error with the reason alone. */
export function parseCpuList(text: string): readonly number[] {
  const cpus: number[] = [];
  for (const word of text.split(',')) {
    const item = word.trim();
    if (item === '') continue;
    if (item.startsWith('^')) {
      const removed = cpuNumber(item.slice(1));
      for (let at = cpus.length - 1; at >= 0; at--) if (cpus[at] === removed) cpus.splice(at, 1);
      continue;
    }
    const range = /^(.*?)-(.*)$/.exec(item);
    const first = cpuNumber(range ? range[1]! : item);
    const last = range ? cpuNumber(range[2]!) : first;
    for (let cpu = first; cpu <= Math.min(last, 4095); cpu++) if (!cpus.includes(cpu)) cpus.push(cpu);
  }
  return cpus;
}

function cpuNumber(text: string): number {
  if (!/^\s*\d+\s*$/.test(text)) throw new Error(`invalid literal for int() with base 10: '${text}'`);
  return Number(text);
}

/** `0,2-3`: consecutive cpus as ranges. */
export function formatCpuList(cpus: readonly number[]): string {
  const sorted = [...cpus].sort((a, b) => a - b);
  const parts: string[] = [];
  for (let at = 0; at < sorted.length; ) {
    let end = at;
    while (sorted[end + 1] === sorted[end]! + 1) end++;
    parts.push(end > at ? `${sorted[at]}-${sorted[end]}` : String(sorted[at]));
    at = end + 1;
  }
  return parts.join(',');
}
