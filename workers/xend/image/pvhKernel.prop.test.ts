import fc from 'fast-check';
import { gzipSync } from 'fflate';
import { expect, it } from 'vitest';
import { VmError } from '../errors';
import { readPvhKernel } from './pvhKernel';
import { layOutPvh } from './pvhLayout';

/** A kernel of one segment of 64 bytes at 1 MiB, entered at its second byte. */
function kernel(): Uint8Array {
  const file = new Uint8Array(256);
  const view = new DataView(file.buffer);
  const words = (at: number, values: readonly number[]) =>
    values.forEach((value, i) => {
      view.setUint32(at + 4 * i, value, true);
    });
  words(0, [0x464c_457f, 0x0001_0101]);
  view.setUint16(16, 2, true);
  words(20, [1, 0, 52]);
  view.setUint16(42, 32, true);
  view.setUint16(44, 2, true);
  words(52, [4, 120, 0, 0, 20, 20, 4, 4]);
  words(84, [1, 160, 0x10_0000, 0x10_0000, 64, 4096, 7, 4096]);
  words(120, [4, 4, 18, 0x006e_6558, 0x10_0001]);
  return file;
}

const change = fc.record({ at: fc.nat(255), value: fc.nat(255) });

it('is read for what it is', () => {
  for (const file of [kernel(), gzipSync(kernel())])
    expect(readPvhKernel(file)).toMatchObject({
      entry: 0x10_0001,
      end: 0x10_1000,
      segments: [{ address: 0x10_0000, size: 4096 }],
    });
});

it('damaged in any way is either refused, or no kernel of this kind, or can be laid out', () => {
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 8 }), fc.nat(256), (changes, length) => {
      const file = kernel();
      for (const { at, value } of changes) file[at] = value;
      for (const bytes of [file, file.subarray(0, length)]) {
        try {
          const read = readPvhKernel(bytes);
          if (!read) continue;
          const layout = layOutPvh({ kernel: read, ramdisk: undefined, cmdline: '', pages: 2048 });
          for (const { address, bytes: piece } of layout.pieces)
            expect(address + piece.length).toBeLessThan(2048 * 4096);
        } catch (error) {
          expect(error).toBeInstanceOf(VmError);
        }
      }
    }),
    { numRuns: 2000 },
  );
});
