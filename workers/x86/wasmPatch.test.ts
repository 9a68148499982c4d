import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { EmulatorMismatch, patchEmulator } from './wasmPatch';

const require = createRequire(import.meta.url);
const wasm = new Uint8Array(readFileSync(require.resolve('v86/build/v86.wasm')));
const lock = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  dependencies: Record<string, string>;
};

describe('the hooks in the emulator', () => {
  it('are all found in the pinned release, and the result is valid WebAssembly with the same imports and exports', () => {
    expect(lock.dependencies['v86']).toBe('0.5.462');
    const before = new WebAssembly.Module(wasm);
    const after = new WebAssembly.Module(patchEmulator(wasm) as BufferSource);
    expect(WebAssembly.Module.imports(after)).toEqual(WebAssembly.Module.imports(before));
    expect(WebAssembly.Module.exports(after)).toEqual(WebAssembly.Module.exports(before));
  });

  it('lengthen exactly five functions', () => {
    const grown = patchEmulator(wasm).length - wasm.length;
    // Four prologues that ask (≥ 9 bytes each), one that answers (≥ 15); the bodies' sizes may take a byte more.
    expect(grown).toBeGreaterThanOrEqual(4 * 9 + 15);
    expect(grown).toBeLessThan(100);
  });

  it.each([
    ['instr_0FA2', 'instr_0FA2 (cpuid)'],
    ['instr_0F30', 'instr_0F30 (wrmsr)'],
    ['instr_0F32', 'instr_0F32 (rdmsr)'],
    ['3cpu10trigger_ud', 'cpu::trigger_ud'],
    ['3pic19pic_acknowledge_irq', 'pic::pic_acknowledge_irq'],
    ['io_port_read32', 'import io_port_read32'],
    ['io_port_write32', 'import io_port_write32'],
  ])('are reported by name when a build lacks %s', (name, what) => {
    const other = Buffer.from(wasm);
    for (let at = other.indexOf(name); at >= 0; at = other.indexOf(name, at + 1)) other[at] = 0x34;
    expect(() => patchEmulator(other)).toThrow(EmulatorMismatch);
    expect(() => patchEmulator(other)).toThrow(
      new RegExp(`not found in its WebAssembly: ${what.replace(/[()]/g, '.')}$`),
    );
  });

  it('are not looked for in something else', () => {
    expect(() => patchEmulator(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0))).toThrow(EmulatorMismatch);
  });
});
