import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isZero } from './zeroes';

it('finds a byte that is not zero wherever it stands, in any view', () => {
  fc.assert(
    fc.property(
      fc.nat(9),
      fc.integer({ min: 1, max: 40 }),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      (offset, length, at, value) => {
        const around = new Uint8Array(64).fill(1);
        const bytes = around.subarray(offset, offset + length).fill(0);
        expect(isZero(bytes)).toBe(true);
        bytes[at % length] = value;
        expect(isZero(bytes)).toBe(false);
      },
    ),
  );
});
