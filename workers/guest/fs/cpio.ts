/**
 * cpio archives ("newc"), the form of initial ramdisks: read into file trees, and made for images.
 *
 * Each member is a 110-byte header of ASCII hexadecimal fields behind the magic 070701, its name with a NUL, and its
 * content, both filled up to a multiple of four bytes; the last member is called TRAILER!!!. Format: Linux
 * Documentation/driver-api/early-userspace/buffer-format.rst. An archive may be compressed with gzip, and several may
 * follow each other.
 */
import { gzipSync, Inflate } from 'fflate';
import { formatOfKind, kindOfMode } from './ext2/layout';
import { FileData } from './fileData';
import type { Inode, InodeKind } from './inode';
import type { Volume } from './volume';

export interface CpioMember {
  /** Relative to the archive's root, without a slash in front. */
  readonly path: string;
  readonly kind: InodeKind;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Seconds since 1970. */
  readonly mtime: number;
  readonly rdevMajor: number;
  readonly rdevMinor: number;
  /** Content of a file; the target of a symbolic link. */
  readonly data: Uint8Array;
  /** Members with the same number other than 0 are names of one file; its content stands with one of them. */
  readonly linkGroup: number;
}

/** The bytes are no cpio archive, or a broken one. */
export class CpioError extends Error {
  override readonly name = 'CpioError';
}

const HEADER_SIZE = 110;
const TRAILER = 'TRAILER!!!';
const NOTHING = new Uint8Array(0);
/** An archive that unpacks to more than this is refused rather than exhausting the memory. */
const UNPACKED_LIMIT = 512 * 1024 * 1024;
/** Compressed bytes handed to the inflater at a time: bounds what one step can unpack to. */
const PUSH_BYTES = 64 * 1024;

/** Reads an archive, unpacking it first when it is compressed. Throws CpioError. */
export function readCpio(bytes: Uint8Array): CpioMember[] {
  const archive = isGzip(bytes) ? unpack(bytes) : bytes;
  const members: CpioMember[] = [];
  let archives = 0;
  // Inode numbers mean something inside one archive and one device only.
  const groups = new Map<string, number>();
  const groupOf = (file: string) => {
    const key = `${archives}/${file}`;
    const group = groups.get(key) ?? groups.size + 1;
    groups.set(key, group);
    return group;
  };
  for (let at = skipZeros(archive, 0); at < archive.length; at = skipZeros(archive, at)) {
    const { member, next } = readMember(archive, at, groupOf);
    if (member) members.push(member);
    else archives++;
    at = next;
  }
  if (members.length === 0 && archives === 0) throw new CpioError('no cpio archive');
  return members;
}

function readMember(
  archive: Uint8Array,
  at: number,
  groupOf: (file: string) => number,
): { member?: CpioMember; next: number } {
  const magic = text(archive.subarray(at, at + 6));
  if (magic !== '070701' && magic !== '070702') throw new CpioError(`no member at ${at}`);
  const field = (index: number): number => {
    const digits = text(archive.subarray(at + 6 + 8 * index, at + 14 + 8 * index));
    if (!/^[0-9a-fA-F]{8}$/.test(digits)) throw new CpioError(`no number at ${at + 6 + 8 * index}`);
    return Number.parseInt(digits, 16);
  };
  const [size, nameSize] = [field(6), field(11)];
  const nameAt = at + HEADER_SIZE;
  const dataAt = aligned(nameAt + nameSize);
  if (nameSize < 1 || dataAt + size > archive.length) throw new CpioError(`the member at ${at} is cut off`);
  const name = text(archive.subarray(nameAt, nameAt + nameSize - 1));
  const next = Math.min(aligned(dataAt + size), archive.length);
  if (name === TRAILER) return { next };
  const mode = field(1);
  const kind = kindOfMode(mode);
  if (!kind) throw new CpioError(`mode ${mode.toString(8)} of ${name}`);
  const isLinked = field(4) > 1 && kind !== 'dir';
  const member: CpioMember = {
    path: name.replace(/^(\.?\/+)+/, '').replace(/\/+$/, ''),
    kind,
    mode: mode & 0o7777,
    uid: field(2),
    gid: field(3),
    mtime: field(5),
    rdevMajor: field(9),
    rdevMinor: field(10),
    data: archive.slice(dataAt, dataAt + size),
    linkGroup: isLinked ? groupOf(`${field(7)}/${field(8)}/${field(0)}`) : 0,
  };
  return { member, next };
}

/** Makes an archive. Of several names of one file the last one carries the content. */
export function writeCpio(members: readonly CpioMember[], options: { readonly gzip?: boolean } = {}): Uint8Array {
  const links = new Map<number, number>();
  const lastOf = new Map<number, CpioMember>();
  for (const member of members) {
    if (member.linkGroup === 0) continue;
    links.set(member.linkGroup, (links.get(member.linkGroup) ?? 0) + 1);
    lastOf.set(member.linkGroup, member);
  }
  const numbers = new Map<number, number>();
  const parts: Uint8Array[] = [];
  let nextIno = 1;
  for (const member of members) {
    const { linkGroup, kind } = member;
    const ino = numbers.get(linkGroup) ?? nextIno++;
    if (linkGroup !== 0) numbers.set(linkGroup, ino);
    const carries = linkGroup === 0 || lastOf.get(linkGroup) === member;
    const data = carries ? member.data : NOTHING;
    const nlink = links.get(linkGroup) ?? (kind === 'dir' ? 2 : 1);
    parts.push(...encodeMember(member.path || '.', ino, formatOfKind(kind) | member.mode, nlink, member, data));
  }
  parts.push(...encodeMember(TRAILER, 0, 0, 1, undefined, NOTHING));
  const archive = joined(parts, 512);
  // The header's time stays 0, so that the same members make the same bytes.
  return options.gzip ? gzipSync(archive, { mtime: 0 }) : archive;
}

/** Puts an archive's members into a volume, making directories that it leaves out. Later members replace earlier ones. */
export function unpackCpio(bytes: Uint8Array, volume: Volume): void {
  const groups = new Map<number, Inode>();
  for (const member of readCpio(bytes)) {
    const names = member.path.split('/').filter((name) => name !== '' && name !== '.');
    if (names.includes('..')) throw new CpioError(`${member.path} leaves the archive`);
    const name = names.pop();
    if (name === undefined) {
      setFields(volume.root, member);
      volume.touch(volume.root);
      continue;
    }
    const parent = makeDirectories(volume, names);
    const existing = parent.entries!.get(name);
    const linked = member.linkGroup === 0 ? undefined : groups.get(member.linkGroup);
    let inode: Inode;
    if (linked && linked.kind === member.kind) {
      inode = linked;
      if (existing !== inode) {
        remove(volume, parent, name);
        inode.nlink++;
        parent.entries!.set(name, inode);
        volume.touch(parent);
      }
    } else if (existing && existing.kind === 'dir' && member.kind === 'dir') {
      inode = existing;
    } else {
      remove(volume, parent, name);
      inode = enter(volume, parent, name, member.kind, member.mode);
      if (member.linkGroup !== 0) groups.set(member.linkGroup, inode);
    }
    setFields(inode, member);
    volume.touch(inode);
    if (member.kind === 'file' && member.data.length > 0) volume.fill(inode, FileData.of(member.data));
    if (member.kind === 'symlink') inode.target = new TextDecoder().decode(member.data);
  }
}

/** All that a volume holds, as members of an archive: directories before what is in them. */
export function membersOf(volume: Volume): CpioMember[] {
  const members: CpioMember[] = [];
  const visit = (inode: Inode, path: string) => {
    const content = inode.data?.read(0, inode.data.size);
    members.push({
      path,
      kind: inode.kind,
      mode: inode.mode,
      uid: inode.uid,
      gid: inode.gid,
      mtime: Math.floor(inode.mtime),
      rdevMajor: inode.rdevMajor,
      rdevMinor: inode.rdevMinor,
      data: content ?? new TextEncoder().encode(inode.target ?? ''),
      linkGroup: inode.kind !== 'dir' && inode.nlink > 1 ? inode.ino : 0,
    });
    for (const [name, child] of inode.entries ?? []) visit(child, path === '' ? name : `${path}/${name}`);
  };
  visit(volume.root, '');
  return members;
}

function makeDirectories(volume: Volume, names: readonly string[]): Inode {
  let dir = volume.root;
  for (const name of names) {
    let child = dir.entries!.get(name);
    if (child?.kind !== 'dir') {
      remove(volume, dir, name);
      child = enter(volume, dir, name, 'dir', 0o755);
    }
    dir = child;
  }
  return dir;
}

function enter(volume: Volume, parent: Inode, name: string, kind: InodeKind, mode: number): Inode {
  const inode = volume.createInode(kind, mode);
  if (kind === 'dir') {
    inode.nlink = 2;
    parent.nlink++;
  }
  parent.entries!.set(name, inode);
  volume.touch(parent);
  volume.touch(inode);
  return inode;
}

function remove(volume: Volume, parent: Inode, name: string): void {
  const inode = parent.entries!.get(name);
  if (!inode) return;
  for (const child of inode.entries?.keys() ?? []) remove(volume, inode, child);
  parent.entries!.delete(name);
  volume.touch(parent);
  volume.touch(inode);
  inode.nlink -= inode.kind === 'dir' ? 2 : 1;
  if (inode.kind === 'dir') parent.nlink--;
  volume.drop(inode);
}

function setFields(inode: Inode, member: CpioMember): void {
  inode.mode = member.mode;
  inode.uid = member.uid;
  inode.gid = member.gid;
  inode.atime = inode.mtime = inode.ctime = member.mtime;
  inode.rdevMajor = member.rdevMajor;
  inode.rdevMinor = member.rdevMinor;
}

// ------------------------------------------------------------------------------------------------------------- bytes

function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** RFC 1952: header, deflate stream, trailer; whatever follows (a ramdisk is filled up to whole pages) is left out. */
function unpack(bytes: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [];
  let length = 0;
  const inflate = new Inflate((part) => {
    length += part.length;
    if (length > UNPACKED_LIMIT) throw new CpioError('the archive is too large');
    parts.push(part);
  });
  try {
    for (let at = gzipHeaderSize(bytes); at < bytes.length; at += PUSH_BYTES)
      inflate.push(bytes.subarray(at, at + PUSH_BYTES), false);
    inflate.push(NOTHING, true);
  } catch (error) {
    if (error instanceof CpioError || !(error instanceof Error)) throw error;
    throw new CpioError(`broken gzip stream: ${error.message}`);
  }
  return joined(parts, 1);
}

function gzipHeaderSize(bytes: Uint8Array): number {
  const flags = bytes[3] ?? 0;
  let at = 10;
  if (flags & 4) at += 2 + (bytes[at] ?? 0) + 256 * (bytes[at + 1] ?? 0);
  for (const field of [8, 16]) {
    if ((flags & field) === 0) continue;
    const end = bytes.indexOf(0, at);
    if (end < 0) throw new CpioError('broken gzip header');
    at = end + 1;
  }
  return flags & 2 ? at + 2 : at;
}

function encodeMember(
  name: string,
  ino: number,
  mode: number,
  nlink: number,
  member: CpioMember | undefined,
  data: Uint8Array,
): Uint8Array[] {
  const nameBytes = new TextEncoder().encode(`${name}\0`);
  const fields = [
    ino,
    mode,
    member?.uid ?? 0,
    member?.gid ?? 0,
    nlink,
    member?.mtime ?? 0,
    data.length,
    0,
    0,
    member?.rdevMajor ?? 0,
    member?.rdevMinor ?? 0,
    nameBytes.length,
    0,
  ];
  const header = `070701${fields.map((value) => value.toString(16).padStart(8, '0')).join('')}`;
  const head = new Uint8Array(aligned(HEADER_SIZE + nameBytes.length));
  head.set(new TextEncoder().encode(header));
  head.set(nameBytes, HEADER_SIZE);
  return [head, data, new Uint8Array(aligned(data.length) - data.length)];
}

function joined(parts: readonly Uint8Array[], multiple: number): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const all = new Uint8Array(Math.ceil(length / multiple) * multiple);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function aligned(at: number): number {
  return (at + 3) & ~3;
}

function skipZeros(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at < bytes.length && bytes[at] === 0) at++;
  return at;
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
