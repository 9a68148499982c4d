/** The log of a domain's hypercalls in words: names, and how much of each there is. */
import { BEYOND, type HypercallLog } from './hypercallLog';
import { hypercalls } from './hypercalls';
import { type Support, subOperations } from './subOperations';

/** How one kind of call was met. */
export interface HypercallReport {
  /** `memory_op add_to_physmap`. */
  readonly name: string;
  readonly support: Support;
  readonly calls: number;
  readonly refused: number;
  readonly failed: number;
}

/** In the order of the first calls. */
export function reportHypercalls(log: HypercallLog): readonly HypercallReport[] {
  return log.counts.map(({ op, sub, calls, refused, failed }) => {
    const { name, support } = describe(op, sub);
    // What this domain may not call at all (a translated one most of them) was refused whatever the table says.
    return { name, support: refused === calls ? 'none' : support, calls, refused, failed };
  });
}

/** One line of debug key `l`. */
export function reportLine({ name, support, calls, refused, failed }: HypercallReport): string {
  const level = support === 'none' ? 'none, refused with ENOSYS' : support;
  const counts = [`calls=${calls}`];
  if (refused > 0 && support !== 'none') counts.push(`refused=${refused}`);
  if (failed > 0) counts.push(`failed=${failed}`);
  return `    ${name}: ${level} [${counts.join(' ')}]`;
}

function describe(op: number, sub: number | undefined): { name: string; support: Support } {
  const row = hypercalls.find(({ number }) => number === op);
  if (!row) return { name: op === BEYOND ? 'hypercall out of range' : `hypercall ${op}`, support: 'none' };
  if (sub === undefined) return row;
  const found = subOperations[row.name]?.find(({ number }) => number === sub);
  if (found) return { name: `${row.name} ${found.name}`, support: found.support };
  return { name: `${row.name} ${sub === BEYOND ? 'out of range' : sub}`, support: 'none' };
}
