/** The policy tools' hypercalls as typed calls: xsm_op (tools/python/xen/lowlevel/acm/acm.c in Xen 3.4). */
import {
  ACM_ACCESS_PERMITTED,
  ACM_ERROR_PAIRS,
  ACM_GETBY_ssidref,
  ACM_INTERFACE_VERSION,
  ACM_OP_SIZE,
  ACMHOOK_authorization,
  ACMHOOK_conflictset,
  ACMHOOK_sharing,
  ACMOP_chgpolicy,
  ACMOP_getdecision,
  ACMOP_getpolicy,
  ACMOP_relabeldoms,
  ACM_OP_FIELDS as F,
} from '../abi/acm';
import { hypercall } from '../abi/xen';
import type { HypercallBuffer, Privcmd } from '../guest/services';
import { XenError } from '../lib/errno';

/** Bytes asked for at first; a larger policy is asked for again. */
const POLICY_BUFFER = 8192;
const LARGEST_POLICY = 1 << 20;
const ERROR_BYTES = 8 * ACM_ERROR_PAIRS;

/** What the hypervisor reports when it refuses a change: pairs of a code and what it is about. */
export type ErrorPairs = readonly (readonly [code: number, data: number])[];

export class XcAcm {
  constructor(readonly privcmd: Privcmd) {}

  /** The binary policy in force, with its counts. Undefined: this hypervisor has no ACM. */
  policy(): Uint8Array | undefined {
    for (let size = POLICY_BUFFER; ; size *= 4) {
      try {
        return this.#with(size, (buffer) => {
          this.#op(ACMOP_getpolicy, (op) => {
            op.u64(F, BigInt(buffer.va));
            op.u32(F + 8, size);
          });
          return buffer.read(0, new DataView(buffer.read(8, 4).slice().buffer).getUint32(0)).slice();
        });
      } catch (error) {
        if (!(error instanceof XenError)) throw error;
        if (error.code === 'ENOSYS') return undefined;
        if (error.code !== 'EFAULT' || size >= LARGEST_POLICY) throw error;
      }
    }
  }

  /** A common STE type. */
  sharing(a: number, b: number): boolean {
    return this.#decision(ACMHOOK_sharing, a, b);
  }

  /** The first label has every STE type of the second. */
  authorization(subject: number, object: number): boolean {
    return this.#decision(ACMHOOK_authorization, subject, object);
  }

  /** A domain with this label could start beside those that run. */
  conflictset(ssidref: number): boolean {
    return this.#decision(ACMHOOK_conflictset, ssidref, ssidref);
  }

  #decision(hook: number, a: number, b: number): boolean {
    return this.#op(
      ACMOP_getdecision,
      (op) => {
        [ACM_GETBY_ssidref, ACM_GETBY_ssidref, a, b, hook].forEach((word, i) => {
          op.u32(F + 4 * i, word);
        });
      },
      (op) => op.u32(F + 20) === ACM_ACCESS_PERMITTED,
    );
  }

  /** Undefined: done. Otherwise nothing has changed, and the pairs say why (none: the policy itself is refused). */
  changePolicy(
    binary: Uint8Array,
    deletions: readonly number[],
    changes: readonly (readonly [number, number])[],
  ): ErrorPairs | undefined {
    return this.#with(binary.length, (policy) =>
      this.#withWords(deletions, (gone) =>
        this.#withWords(changes.flat(), (moved) =>
          this.#with(ERROR_BYTES, (errors) => {
            policy.write(0, binary);
            return this.#refusal(errors, () =>
              this.#op(ACMOP_chgpolicy, (op) => {
                op.u64(F, BigInt(policy.va));
                op.u32(F + 8, binary.length);
                op.u64(F + 16, BigInt(gone.va));
                op.u32(F + 24, 4 * deletions.length);
                op.u64(F + 32, BigInt(moved.va));
                op.u32(F + 40, 8 * changes.length);
                op.u64(F + 48, BigInt(errors.va));
                op.u32(F + 56, ERROR_BYTES);
              }),
            );
          }),
        ),
      ),
    );
  }

  /** As changePolicy. */
  relabel(pairs: readonly (readonly [domid: number, ssidref: number])[]): ErrorPairs | undefined {
    return this.#withWords(pairs.flat(), (map) =>
      this.#with(ERROR_BYTES, (errors) =>
        this.#refusal(errors, () =>
          this.#op(ACMOP_relabeldoms, (op) => {
            op.u64(F, BigInt(map.va));
            op.u32(F + 8, 8 * pairs.length);
            op.u64(F + 16, BigInt(errors.va));
            op.u32(F + 24, ERROR_BYTES);
          }),
        ),
      ),
    );
  }

  #refusal(errors: HypercallBuffer, attempt: () => void): ErrorPairs | undefined {
    try {
      attempt();
      return undefined;
    } catch (error) {
      if (!(error instanceof XenError && error.code === 'EFAULT')) throw error;
    }
    const view = new DataView(errors.read(0, ERROR_BYTES).slice().buffer);
    const pairs = Array.from(
      { length: ACM_ERROR_PAIRS },
      (_, i) => [view.getUint32(8 * i), view.getUint32(8 * i + 4)] as const,
    );
    return pairs.filter(([code]) => code !== 0);
  }

  #op(command: number, fill: (op: HypercallBuffer) => void): void;
  #op<T>(command: number, fill: (op: HypercallBuffer) => void, result: (op: HypercallBuffer) => T): T;
  #op<T>(command: number, fill: (op: HypercallBuffer) => void, result?: (op: HypercallBuffer) => T): T | undefined {
    return this.#with(ACM_OP_SIZE, (op) => {
      op.u32(0, command);
      op.u32(4, ACM_INTERFACE_VERSION);
      fill(op);
      this.privcmd.hypercall(hypercall.xsm_op, op.va);
      return result?.(op);
    });
  }

  #withWords<T>(words: readonly number[], body: (buffer: HypercallBuffer) => T): T {
    return this.#with(Math.max(4, 4 * words.length), (buffer) => {
      words.forEach((word, i) => {
        buffer.u32(4 * i, word);
      });
      return body(buffer);
    });
  }

  #with<T>(size: number, body: (buffer: HypercallBuffer) => T): T {
    const buffer = this.privcmd.alloc(size);
    try {
      return body(buffer);
    } finally {
      buffer.free();
    }
  }
}
