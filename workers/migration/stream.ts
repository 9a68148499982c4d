/**
 * The bytes that carry a domain from one Xen to another: what stands where, and how numbers are put. A state file and a
 * migration's connection hold the same stream; docs/migration.md describes it whole.
 *
 * Source: tools/libxc/xc_domain_save.c and xg_save_restore.h, tools/python/xen/xend/XendCheckpoint.py, Xen 3.4.
 */
import { type ByteSink, type ByteSource, EndOfStream } from '../lib/byteStream';

export const SIGNATURE = 'LinuxGuestRecord';
/** First word after the frame count of a paravirtual domain's image. */
export const EXTENDED_INFO = 0xffff_ffff;
/** Frames that are announced and sent at a time, at most. */
export const MAX_BATCH = 1024;
export const PAGE_SIZE = 4096;
/** P2M entries on a page of a 32-bit guest. */
export const FRAMES_PER_LIST_PAGE = PAGE_SIZE / 4;

/** Type bits of an announced frame, and what they say of one that has no contents. */
export const TYPE_MASK = 0xf000_0000;
export const TYPE_ABSENT = 0xf000_0000;

/** Counts below zero announce something else than frames. */
export const CHUNK_END = 0;
export const CHUNK_VCPUS = -2;
export const CHUNK_IDENT_PT = -3;
export const CHUNK_VM86_TSS = -4;
/** From Xen 4: a guest with page tables of its own and a paravirtual console. */
export const CHUNK_CONSOLE_PFN = -8;

export const VCPU_CONTEXT_SIZE = 2800;
export const EXTENDED_VCPU_CONTEXT_SIZE = 128;

/** The bytes are no stream of ours, or not all of one. */
export class StreamError extends Error {
  override readonly name = 'StreamError';
}

/** Little-endian numbers, one after another. */
export class Words {
  readonly #bytes: number[] = [];

  u32(value: number): this {
    this.#bytes.push(value & 255, (value >>> 8) & 255, (value >>> 16) & 255, (value >>> 24) & 255);
    return this;
  }

  u64(value: bigint): this {
    return this.u32(Number(value & 0xffff_ffffn)).u32(Number((value >> 32n) & 0xffff_ffffn));
  }

  get bytes(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}

export async function readU32(source: ByteSource): Promise<number> {
  return viewOf(await source.read(4)).getUint32(0, true);
}

export async function readS32(source: ByteSource): Promise<number> {
  return viewOf(await source.read(4)).getInt32(0, true);
}

export async function readU64(source: ByteSource): Promise<bigint> {
  return viewOf(await source.read(8)).getBigUint64(0, true);
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** What stands before the memory image: signature and configuration (a printed s-expression). */
export async function writeHeader(sink: ByteSink, config: string): Promise<void> {
  const text = new TextEncoder().encode(config);
  const length = new Uint8Array(4);
  viewOf(length).setUint32(0, text.length);
  await sink.write(new TextEncoder().encode(SIGNATURE));
  await sink.write(length);
  await sink.write(text);
}

/** No configuration is longer, bytes. */
const MAX_CONFIG = 1 << 20;

/** The configuration's text; rejects with StreamError in xend's words. */
export async function readHeader(source: ByteSource): Promise<string> {
  const read = async (length: number, what: string) => {
    try {
      return await source.read(length);
    } catch (error) {
      if (error instanceof EndOfStream) throw invalid(what);
      throw error;
    }
  };
  const signature = new TextDecoder().decode(await read(SIGNATURE.length, 'signature read'));
  if (signature !== SIGNATURE) throw invalid(`found '${signature}'`);
  const length = viewOf(await read(4, 'config size read')).getUint32(0);
  if (length > MAX_CONFIG) throw invalid('config parse');
  return new TextDecoder().decode(await read(length, 'config read'));
}

function invalid(why: string): StreamError {
  return new StreamError(`not a valid guest state file: ${why}`);
}
