import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { kernelImage } from '../guest/kernelImage';
import { parseKernel } from './elf';
import { VmError } from './errors';

describe('a kernel file', () => {
  it('says where it wants to be', () => {
    const kernel = parseKernel(kernelImage());
    expect(kernel.virtBase).toBe(0x4000_0000);
    expect(kernel.entry).toBe(0x4000_0000);
    expect(kernel.hypercallPage).toBe(0x4000_1000);
    expect(kernel.notes.text.get('guest-os')).toBe('linux');
  });

  it('without notes is no kernel for Xen', () => {
    const file = kernelImage();
    file[52 + 32] = 0; // the PT_NOTE header
    expect(() => parseKernel(file)).toThrow(/Not a Xen-ELF image: No ELF notes or '__xen_guest' section found/);
  });

  it('whatever its bytes are, is taken or refused as a kernel', () => {
    const edit = fc.tuple(fc.nat(300), fc.integer({ min: 0, max: 255 }));
    fc.assert(
      fc.property(fc.array(edit, { maxLength: 12 }), (edits) => {
        const file = kernelImage();
        for (const [at, value] of edits) file[at] = value;
        try {
          parseKernel(file);
        } catch (error) {
          expect(error).toBeInstanceOf(VmError);
        }
      }),
    );
  });
});
