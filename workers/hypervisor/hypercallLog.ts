/**
 * Which hypercalls a domain has made: each number and sub-operation once, in the order of its first call, with how often it
 * was made and refused. By it one sees what a kernel needs of Xen, and that nothing pretends to be there.
 */
import { hypercall } from '../abi/xen';
import { errno } from '../lib/errno';
import { subOperations } from './subOperations';

const SUB_OPERATIONS = 64;
/** Bits of memory_op's command that count the work done already. */
const MEMOP_CMD_MASK = 63;
/** Stands for numbers that no interface has, so that a domain which calls them all fills no memory. */
export const BEYOND = SUB_OPERATIONS;

export interface HypercallCount {
  readonly op: number;
  /** Undefined: this hypercall has none. */
  readonly sub: number | undefined;
  readonly calls: number;
  /** Answered ENOSYS. */
  readonly refused: number;
  /** Answered with another error. */
  readonly failed: number;
}

export class HypercallLog {
  readonly #counts = new Map<number, { -readonly [key in keyof HypercallCount]: HypercallCount[key] }>();

  note(op: number, argument: number, result: number): void {
    const number = op >>> 0 < BEYOND ? op : BEYOND;
    const sub = hasSubOperations[number] ? subOperationOf(number, argument) : undefined;
    const key = number * (BEYOND + 1) + (sub ?? 0);
    let count = this.#counts.get(key);
    if (!count) {
      count = { op: number, sub, calls: 0, refused: 0, failed: 0 };
      this.#counts.set(key, count);
    }
    count.calls++;
    if (result === -errno.ENOSYS) count.refused++;
    else if (result < 0) count.failed++;
  }

  /** In the order of the first calls. */
  get counts(): readonly HypercallCount[] {
    return [...this.#counts.values()];
  }
}

const hasSubOperations: readonly boolean[] = Array.from({ length: BEYOND + 1 }, (_, op) =>
  Object.keys(subOperations).some((name) => hypercall[name as keyof typeof hypercall] === op),
);

function subOperationOf(op: number, argument: number): number {
  const sub = op === hypercall.memory_op ? argument & MEMOP_CMD_MASK : argument >>> 0;
  return sub < SUB_OPERATIONS ? sub : BEYOND;
}
