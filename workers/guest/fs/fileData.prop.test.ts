import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FileData } from './fileData';

type Action =
  | { kind: 'write'; at: number; bytes: Uint8Array }
  | { kind: 'truncate'; size: number }
  | { kind: 'clone' }
  | { kind: 'save' };

const offset = fc.integer({ min: 0, max: 20_000 });
const action: fc.Arbitrary<Action> = fc.oneof(
  fc.record({
    kind: fc.constant('write' as const),
    at: offset,
    bytes: fc.uint8Array({ minLength: 1, maxLength: 6000 }),
  }),
  fc.record({ kind: fc.constant('truncate' as const), size: offset }),
  fc.constant({ kind: 'clone' as const }),
  fc.constant({ kind: 'save' as const }),
);

/** The same on a plain array. */
function applied(model: Uint8Array, act: Action): Uint8Array {
  if (act.kind === 'write') {
    const out = new Uint8Array(Math.max(model.length, act.at + act.bytes.length));
    out.set(model);
    out.set(act.bytes, act.at);
    return out;
  }
  if (act.kind !== 'truncate') return model;
  const out = new Uint8Array(act.size);
  out.set(model.subarray(0, act.size));
  return out;
}

it('behaves as an array of bytes, and no copy ever sees the other one’s writes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 9000 }), fc.array(action, { maxLength: 12 }), (initial, actions) => {
      const constant = initial.slice();
      let data = FileData.of(initial);
      let model: Uint8Array = initial.slice();
      const kept: { data: FileData; model: Uint8Array }[] = [];
      for (const act of actions) {
        if (act.kind === 'write') data.write(act.at, act.bytes);
        else if (act.kind === 'truncate') data.truncate(act.size);
        else {
          kept.push({ data, model });
          data = act.kind === 'clone' ? data.clone() : FileData.restore(data.save());
        }
        model = applied(model, act);
      }
      kept.push({ data, model });
      for (const it of kept) {
        expect(it.data.size).toBe(it.model.length);
        expect(Buffer.compare(it.data.read(0, 1 << 20), it.model)).toBe(0);
      }
      expect(Buffer.compare(initial, constant)).toBe(0);
    }),
    { numRuns: 60 },
  );
});

it('takes no memory for holes', () => {
  const data = new FileData();
  data.write(1 << 30, Uint8Array.of(1));
  expect(data.allocatedExtents).toBe(1);
  expect(data.read((1 << 30) - 2, 10)).toEqual(Uint8Array.of(0, 0, 1));
});
