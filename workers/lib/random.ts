/** The one source of chance of a host: seeded, and small enough to go into a snapshot. */
import { xoroshiro128plus, xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';

export interface Random {
  /** An integer in 0 … 2^32 − 1. */
  u32(): number;
  /** An integer in 0 … limit − 1; limit is 1 … 2^32. */
  below(limit: number): number;
  bytes(length: number): Uint8Array;
}

export function seeded(seed: number): Random & { getState(): readonly number[] } {
  return fromGenerator(xoroshiro128plus(seed));
}

/** The generator that goes on where `getState` was taken. */
export function fromState(state: readonly number[]): Random & { getState(): readonly number[] } {
  return fromGenerator(xoroshiro128plusFromState(state));
}

function fromGenerator(generator: ReturnType<typeof xoroshiro128plus>): Random & { getState(): readonly number[] } {
  const u32 = () => generator.next() >>> 0;
  return {
    u32,
    below: (limit) => Math.floor((u32() / 0x1_0000_0000) * limit),
    bytes: (length) => Uint8Array.from({ length }, () => u32() & 0xff),
    getState: () => generator.getState(),
  };
}
