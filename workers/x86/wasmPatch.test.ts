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

  it('are reported by name when a build lacks them', () => {
    const other = wasm.slice();
    const name = new TextEncoder().encode('3pic19pic_acknowledge_irq');
    const at = indexOf(other, name);
    other[at] = 0x34;
    expect(() => patchEmulator(other)).toThrow(EmulatorMismatch);
    expect(() => patchEmulator(other)).toThrow(/not found in its WebAssembly: pic::pic_acknowledge_irq$/);
  });

  it('are not looked for in something else', () => {
    expect(() => patchEmulator(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0))).toThrow(EmulatorMismatch);
  });
});

/** The last place: the name section stands behind the debugging sections, which name the function as well. */
function indexOf(bytes: Uint8Array, what: Uint8Array): number {
  return Buffer.from(bytes).lastIndexOf(Buffer.from(what));
}
