/** Column formats of xm's tables, printf patterns of Xen 3.4 (tools/python/xen/xm/main.py). */
import type { DomainSummary, VcpuSummary } from '../xend/api';
import { formatCpuList } from '../xend/cpuList';

/**
 * C's and Python's % formatting for the few conversions that xm uses: `%s`, `%d`, `%.1f`, `%02d`, with width and `-`.
 */
export function format(pattern: string, ...values: readonly (string | number)[]): string {
  let at = 0;
  return pattern.replace(/%(-?)(0?)(\d*)(?:\.(\d+))?([sdfx%])/g, (_, minus, zero, width, precision, kind) => {
    if (kind === '%') return '%';
    const value = values[at++] ?? '';
    let text = String(value);
    if (kind === 'd') text = String(Math.trunc(Number(value)));
    if (kind === 'f') text = Number(value).toFixed(precision === undefined ? 6 : Number(precision));
    if (kind === 'x') text = Number(value).toString(16);
    if (kind === 's' && precision !== undefined) text = text.slice(0, Number(precision));
    const size = Number(width || '0');
    if (minus) return text.padEnd(size);
    return zero ? text.padStart(size, '0') : text.padStart(size);
  });
}

const seconds = (ns: number) => ns / 1e9;

export const LIST_HEADER = format('%-40s %5s %5s %5s %10s %9s', 'Name', 'ID', 'Mem', 'VCPUs', 'State', 'Time(s)');

export function listRow(domain: DomainSummary): string {
  return format(
    '%-40s %5s %5d %5d %10s %8.1f',
    domain.name,
    domain.domid ?? -1,
    domain.memoryMiB,
    domain.vcpus,
    domain.state ?? '------',
    seconds(domain.cpuTimeNs),
  );
}

export const LABEL_LIST_HEADER = `${LIST_HEADER} ${format('%-10s', 'Label')}`;

export function labelListRow(domain: DomainSummary): string {
  return `${listRow(domain)} ${format('%10s', domain.label ?? '')}`;
}

export const VCPU_HEADER = format(
  '%-32s %5s %5s %5s %5s %9s %s',
  'Name',
  'ID',
  'VCPU',
  'CPU',
  'State',
  'Time(s)',
  'CPU Affinity',
);

/** `hostCpus`: how many physical cpus there are, for `any cpu`. */
export function vcpuRow(domain: DomainSummary, vcpu: VcpuSummary, hostCpus: number): string {
  const isRunning = domain.domid !== undefined;
  const state = vcpu.online ? `${vcpu.running ? 'r' : '-'}${vcpu.blocked ? 'b' : '-'}-` : '--p';
  return format(
    '%-32s %5s %5d %5s %5s  %8.1f %s',
    domain.name,
    domain.domid ?? '',
    vcpu.number,
    isRunning ? (vcpu.online ? vcpu.cpu : '-') : '',
    isRunning ? state : '',
    seconds(vcpu.cpuTimeNs),
    affinityText(vcpu.affinity, hostCpus),
  );
}

function affinityText(affinity: readonly number[], hostCpus: number): string {
  const usable = affinity.filter((cpu) => cpu < hostCpus);
  if (usable.length === 0) return 'no cpus';
  return usable.length === hostCpus ? 'any cpu' : formatCpuList(usable);
}

/** `D days, HH:MM:SS`; the days only when there are any. */
export function uptimeText(uptimeSeconds: number): string {
  const total = Math.max(0, Math.floor(uptimeSeconds));
  const clock = format('%2d:%02d:%02d', Math.floor(total / 3600) % 24, Math.floor(total / 60) % 60, total % 60);
  return daysText(total) + clock;
}

/** The `--short` form: `[D days, ]HH:MM`. */
export function shortUptimeText(uptimeSeconds: number): string {
  const total = Math.max(0, Math.floor(uptimeSeconds));
  return daysText(total) + format('%2d:%02d', Math.floor(total / 3600) % 24, Math.floor(total / 60) % 60);
}

function daysText(total: number): string {
  const days = Math.floor(total / 86400);
  if (days === 0) return '';
  return days === 1 ? '1 day, ' : `${days} days, `;
}

/** Words of at most `width − 1` columns a line. */
export function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/).filter((part) => part !== '')) {
    if (line !== '' && line.length + 1 + word.length >= width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  if (line !== '' || lines.length === 0) lines.push(line);
  return lines;
}
