import fc from 'fast-check';
import { expect, it } from 'vitest';
import { byCodePoint } from './policyModel';

it('orders as the code points of the names do, also beyond the first plane', () => {
  const name = fc.string({ unit: fc.constantFrom('A', 'a', '_', '.', '\uffee', '\ue000', '😀', '𝒜'), maxLength: 5 });
  fc.assert(
    fc.property(name, name, (a, b) => {
      const points = (text: string) => Array.from(text, (each) => each.codePointAt(0)!);
      const [left, right] = [points(a), points(b)];
      const at = left.findIndex((point, i) => point !== right[i]);
      const expected = at < 0 || right[at] === undefined ? left.length - right.length : left[at]! - right[at];
      expect(Math.sign(byCodePoint(a, b))).toBe(Math.sign(expected));
    }),
  );
});
