/**
 * The x86 emulator and the guest images in the page: fetched when a Linux guest is first started, never before, and kept
 * in the browser's cache storage for use without a network.
 */
import wasmUrl from 'v86/build/v86.wasm?url';
import type { GuestImage, GuestImageSource } from '../../machine/guestImages';
import type { V86Constructor } from '../../x86/emulator';
import type { X86Parts } from '../../x86/x86Vcpu';
import { guestBytes } from '../guestBytes';
import { wasmHost } from '../wasm';

const FOLDER = `${import.meta.env.BASE_URL}guests/`;
const CACHE = 'xen-lab-guests';

/** By address: what is on its way into the storage, while whoever wanted it goes on with it. */
const keeping = new Map<string, Promise<void>>();

/** Called as bytes of an image arrive. */
export type Progress = (name: string, loaded: number, total: number) => void;

/** The build names the file by its contents, so a kept one is never an old one. */
export async function loadEmulator(progress: Progress): Promise<X86Parts> {
  const wasm = fetchKept(wasmUrl, (loaded, total) => progress('x86 emulator', loaded, total));
  const [module, wasmBytes] = await Promise.all([import('v86'), wasm]);
  const { V86 } = module as unknown as { V86: V86Constructor };
  return { V86, wasmBytes, wasm: wasmHost };
}

/** Without the manifest there are no such files, and everything else works. */
export async function guestImages(progress: Progress): Promise<GuestImageSource | undefined> {
  const response = await fetch(`${FOLDER}manifest.json`);
  if (!response.ok) return undefined;
  const { images } = (await response.json()) as { images: readonly GuestImage[] };
  return {
    ...guestBytes,
    images,
    fetch: (image) => fetchKept(addressOf(image), (loaded, total) => progress(image.name, loaded, total), image.size),
    forget: (image) => forget(addressOf(image)),
  };
}

/** The hash in the address: an image that has changed is another one. */
function addressOf(image: GuestImage): string {
  return `${FOLDER}${image.name}?${image.sha256.slice(0, 16)}`;
}

/** Told how many bytes have come; all of them, when no more will come. */
type Loaded = (bytes: number, total: number) => void;

/** From the browser's storage when it is there, else from the network and into the storage. */
async function fetchKept(url: string, loaded: Loaded, size?: number): Promise<Uint8Array> {
  const cache = await openCache();
  const kept = await cache?.match(url);
  if (kept) return new Uint8Array(await kept.arrayBuffer());
  const bytes = await fetchBytes(url, loaded, size);
  if (cache) keeping.set(url, keep(cache, url, bytes));
  return bytes;
}

async function keep(cache: Cache, url: string, bytes: Uint8Array): Promise<void> {
  try {
    await cache.put(url, new Response(bytes as BodyInit));
  } catch {
    // No room: it works for now, and is fetched again the next time.
  }
}

async function forget(url: string): Promise<void> {
  await keeping.get(url);
  await (await openCache())?.delete(url);
}

/** Undefined where the browser keeps nothing (a private window, an insecure address). */
async function openCache(): Promise<Cache | undefined> {
  try {
    return await caches.open(CACHE);
  } catch {
    return undefined; // then it is fetched again the next time
  }
}

/** `size` as far as it is known before the answer, which says how long it is packed: then the bar ends early rather than late. */
async function fetchBytes(url: string, loaded: Loaded, size = 0): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  loaded(0, size);
  try {
    const response = await fetch(url);
    if (!response.ok || !response.body) throw new Error(`${url}: ${response.status} ${response.statusText}`);
    const total = size || Number(response.headers.get('content-length') ?? 0);
    const reader = response.body.getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      pieces.push(part.value);
      length += part.value.length;
      if (length < total) loaded(length, total);
    }
  } finally {
    loaded(length, length);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
