/** One line of the benchmark table. */
export interface Row {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** What it may be at most or must be at least, where the project has a budget for it (docs, *Budgets*). */
  readonly budget?: { readonly most: number } | { readonly least: number };
}

/** What is reported in place of rows that cannot be measured here. */
export interface Skipped {
  readonly name: string;
  readonly reason: string;
}

export type Part = () => Promise<readonly (Row | Skipped)[]>;

export function isMet({ value, budget }: Row): boolean {
  if (!budget) return true;
  return 'most' in budget ? value <= budget.most : value >= budget.least;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Wall time of an action, ms. */
export async function wallMs(action: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await action();
  return performance.now() - start;
}

/** Processor time of this process during an action, ms: what else runs on the machine does not count. */
export async function cpuMs(action: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await action();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
