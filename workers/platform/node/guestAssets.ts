/** The x86 emulator and the guest images, read from the project's own folder. */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { GuestImage, GuestImageSource } from '../../machine/guestImages';
import type { V86Constructor } from '../../x86/emulator';
import type { X86Parts } from '../../x86/x86Vcpu';
import { guestBytes } from '../guestBytes';
import { wasmHost } from '../wasm';

const images = join(dirname(fileURLToPath(import.meta.url)), '../../../public/guests');
const v86 = dirname(createRequire(import.meta.url).resolve('v86/build/v86.wasm'));

export async function loadEmulator(): Promise<X86Parts> {
  const module = (await import(pathToFileURL(join(v86, 'libv86.mjs')).href)) as { V86: V86Constructor };
  return { V86: module.V86, wasmBytes: await readFile(join(v86, 'v86.wasm')), wasm: wasmHost };
}

export function guestImages(): GuestImageSource {
  const manifest = JSON.parse(readFileSync(join(images, 'manifest.json'), 'utf8')) as { images: readonly GuestImage[] };
  return { ...guestBytes, images: manifest.images, fetch: ({ name }) => readFile(join(images, name)) };
}
