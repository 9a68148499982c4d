/** WebAssembly as browsers' workers and Node offer it alike. */
import type { WasmHost } from '../x86/emulator';

export const wasmHost: WasmHost = {
  compile: (bytes) => WebAssembly.compile(bytes as BufferSource),
  instantiate: (bytes, imports) =>
    new WebAssembly.Instance(new WebAssembly.Module(bytes as BufferSource), imports as WebAssembly.Imports),
  instantiateModule: (module, imports) =>
    new WebAssembly.Instance(module as WebAssembly.Module, imports as WebAssembly.Imports),
};
