/**
 * An initial ramdisk: a cpio archive in the `newc` format (Linux Documentation/early-userspace/buffer-format.txt), possibly
 * compressed by gzip and possibly several archives one after another. Also writes such archives.
 */
import { gunzipSync } from 'fflate';

export interface CpioEntry {
  /** Without a leading slash. */
  readonly path: string;
  /** Type and permission bits, as in st_mode. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Seconds since 1970. */
  readonly mtime: number;
  readonly rdevMajor: number;
  readonly rdevMinor: number;
  /** Content of a file; target of a symbolic link. */
  readonly data: Uint8Array;
}

const HEADER = 110;
const MAGIC = '070701';
const MAGIC_CRC = '070702';
const TRAILER = 'TRAILER!!!';

/** The archive is damaged; what was read before stays valid in `entries`. */
export class BadRamdisk extends Error {
  override readonly name = 'BadRamdisk';
}

/** The entries in order; throws BadRamdisk. */
export function readRamdisk(bytes: Uint8Array): CpioEntry[] {
  return readCpio(bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzip(bytes) : bytes);
}

function gunzip(bytes: Uint8Array): Uint8Array {
  try {
    return gunzipSync(bytes);
  } catch (error) {
    throw new BadRamdisk(`crc error: ${error instanceof Error ? error.message : error}`);
  }
}

function readCpio(bytes: Uint8Array): CpioEntry[] {
  const decoder = new TextDecoder();
  const entries: CpioEntry[] = [];
  for (let at = 0; at + HEADER <= bytes.length; ) {
    // Zeros may stand between and after archives.
    if (bytes[at] === 0) {
      at += 4;
      continue;
    }
    const header = decoder.decode(bytes.slice(at, at + HEADER));
    if (!header.startsWith(MAGIC) && !header.startsWith(MAGIC_CRC)) throw new BadRamdisk('no cpio magic');
    const field = (index: number) => {
      const value = Number.parseInt(header.slice(6 + 8 * index, 14 + 8 * index), 16);
      if (Number.isNaN(value)) throw new BadRamdisk('junk in header');
      return value;
    };
    const size = field(6);
    const nameSize = field(11);
    const dataAt = align(at + HEADER + nameSize);
    if (nameSize === 0 || dataAt + size > bytes.length) throw new BadRamdisk('broken padding');
    const path = decoder.decode(bytes.slice(at + HEADER, at + HEADER + nameSize - 1));
    at = align(dataAt + size);
    if (path === TRAILER) continue;
    entries.push({
      path: path.replace(/^(\.?\/)+/, ''),
      mode: field(1),
      uid: field(2),
      gid: field(3),
      mtime: field(5),
      rdevMajor: field(9),
      rdevMinor: field(10),
      data: bytes.slice(dataAt, dataAt + size),
    });
  }
  return entries;
}

/** An archive of these entries. */
export function writeCpio(entries: readonly CpioEntry[]): Uint8Array {
  const end: CpioEntry = {
    path: TRAILER,
    mode: 0,
    uid: 0,
    gid: 0,
    mtime: 0,
    rdevMajor: 0,
    rdevMinor: 0,
    data: new Uint8Array(0),
  };
  const pieces: Uint8Array[] = [];
  const encoder = new TextEncoder();
  [...entries, end].forEach((entry, index) => {
    const name = encoder.encode(`${entry.path}\0`);
    const fields = [
      index + 1,
      entry.mode,
      entry.uid,
      entry.gid,
      1,
      entry.mtime,
      entry.data.length,
      0,
      0,
      entry.rdevMajor,
      entry.rdevMinor,
      name.length,
      0,
    ];
    const header = encoder.encode(MAGIC + fields.map((value) => (value >>> 0).toString(16).padStart(8, '0')).join(''));
    const piece = new Uint8Array(align(HEADER + name.length) + align(entry.data.length));
    piece.set(header);
    piece.set(name, HEADER);
    piece.set(entry.data, align(HEADER + name.length));
    pieces.push(piece);
  });
  const archive = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    archive.set(piece, at);
    at += piece.length;
  }
  return archive;
}

function align(offset: number): number {
  return (offset + 3) & ~3;
}
