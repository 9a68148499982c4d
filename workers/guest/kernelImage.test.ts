import { expect, it } from 'vitest';
import { VIRT_BASE } from '../abi/cpu';
import { parseKernel } from '../xend/elf';
import { FakeCpu } from './fakeCpu.testkind';
import { isMiniKernel, kernelImage } from './kernelImage';

it('is an ELF kernel that the domain builder accepts', () => {
  const kernel = parseKernel(kernelImage());
  expect(kernel).toMatchObject({ entry: VIRT_BASE, virtBase: VIRT_BASE, hypercallPage: VIRT_BASE + 4096 });
  expect(kernel.segments.map(({ va, size }) => [va, size])).toEqual([[VIRT_BASE, 8192]]);
  expect(kernel.notes.text.get('guest-os')).toBe('linux');
  expect(kernel.notes.text.get('pae-mode')).toBe('yes');
});

it('is recognised where it is loaded and nowhere else', () => {
  const cpu = new FakeCpu();
  expect(isMiniKernel(cpu, cpu.entry)).toBe(true);
  expect(isMiniKernel(cpu, { ...cpu.entry, eip: VIRT_BASE + 4096 })).toBe(false);
  expect(isMiniKernel(cpu, { ...cpu.entry, eip: VIRT_BASE + 4095 })).toBe(false);
});
