/** The ustar format with GNU's long names: headers written, members read. */
import type { Stat, Sys } from '../../sys';
import { ToolError } from '../options';
import { groupName, userName } from '../users';

export const BLOCK = 512;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The type letter of each kind of file. */
export const TYPE: Readonly<Record<Stat['kind'], string>> = {
  file: '0',
  symlink: '2',
  char: '3',
  block: '4',
  dir: '5',
  fifo: '6',
  socket: '0',
};
const KIND = new Map<string, Stat['kind']>([
  ['0', 'file'],
  ['\0', 'file'],
  ['1', 'file'],
  ['2', 'symlink'],
  ['3', 'char'],
  ['4', 'block'],
  ['5', 'dir'],
  ['6', 'fifo'],
]);

/** Headers of one member, with those for names that are too long before it. */
export function header(sys: Sys, name: string, stat: Stat, size: number, type: string, link: string): Uint8Array[] {
  const out: Uint8Array[] = [];
  // Names that do not fit go before as a member of their own (GNU).
  for (const [text, letter] of [
    [name, 'L'],
    [link, 'K'],
  ] as const) {
    const bytes = encoder.encode(`${text}\0`);
    if (bytes.length > 101)
      out.push(
        oneHeader('././@LongLink', { mode: 0, uid: 0, gid: 0, mtime: 0 }, bytes.length, letter, '', '', '', 0, 0),
        bytes,
        new Uint8Array((BLOCK - (bytes.length % BLOCK)) % BLOCK),
      );
  }
  out.push(
    oneHeader(
      name,
      stat,
      size,
      type,
      link,
      userName(sys, stat.uid),
      groupName(sys, stat.gid),
      stat.rdevMajor,
      stat.rdevMinor,
    ),
  );
  return out;
}

function oneHeader(
  name: string,
  stat: Pick<Stat, 'mode' | 'uid' | 'gid' | 'mtime'>,
  size: number,
  type: string,
  link: string,
  user: string,
  group: string,
  major: number,
  minor: number,
): Uint8Array {
  const block = new Uint8Array(BLOCK);
  const put = (at: number, length: number, text: string) => block.set(encoder.encode(text).subarray(0, length), at);
  const octal = (at: number, length: number, value: number) =>
    put(
      at,
      length,
      Math.floor(value)
        .toString(8)
        .padStart(length - 1, '0'),
    );
  put(0, 100, name);
  octal(100, 8, stat.mode);
  octal(108, 8, stat.uid);
  octal(116, 8, stat.gid);
  octal(124, 12, size);
  octal(136, 12, stat.mtime);
  put(148, 8, '        ');
  put(156, 1, type);
  put(157, 100, link);
  put(257, 8, 'ustar  ');
  put(265, 32, user);
  put(297, 32, group);
  octal(329, 8, major);
  octal(337, 8, minor);
  put(
    148,
    8,
    `${block
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
  );
  return block;
}

export interface Member {
  name: string;
  link: string;
  readonly type: string;
  readonly stat: Pick<Stat, 'kind' | 'mode' | 'uid' | 'gid' | 'mtime' | 'size' | 'rdevMajor' | 'rdevMinor'>;
  readonly owner: string;
  readonly data: Uint8Array;
}

/** What an archive holds. Throws UsageError for what is none. */
export function* members(archive: Uint8Array): Generator<Member> {
  let [longName, longLink] = ['', ''];
  for (let at = 0; at + BLOCK <= archive.length; ) {
    const block = archive.subarray(at, at + BLOCK);
    if (block.every((byte) => byte === 0)) return;
    const text = (from: number, length: number) =>
      decoder.decode(block.subarray(from, from + length)).replace(/\0.*$/s, '');
    const octal = (from: number, length: number) => Number.parseInt(text(from, length).trim() || '0', 8);
    const sum = block.reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 32 : byte), 0);
    if (sum !== octal(148, 8))
      throw new ToolError('This does not look like a tar archive\ntar: Error exit delayed from previous errors', 2);
    const type = String.fromCharCode(block[156]!);
    const size = octal(124, 12);
    const data = archive.subarray(at + BLOCK, at + BLOCK + size);
    if (data.length < size)
      throw new ToolError('Unexpected EOF in archive\ntar: Error is not recoverable: exiting now', 2);
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
    if (type === 'L') longName = decoder.decode(data).replace(/\0.*$/s, '');
    else if (type === 'K') longLink = decoder.decode(data).replace(/\0.*$/s, '');
    else {
      const prefix = text(257, 6) === 'ustar' && text(345, 155) !== '' && block[263] === 48 ? `${text(345, 155)}/` : '';
      const stat = {
        kind: KIND.get(type) ?? 'file',
        mode: octal(100, 8) & 0o7777,
        uid: octal(108, 8),
        gid: octal(116, 8),
        mtime: octal(136, 12),
        size,
        rdevMajor: octal(329, 8),
        rdevMinor: octal(337, 8),
      } as const;
      yield {
        name: longName || prefix + text(0, 100),
        link: longLink || text(157, 100),
        type,
        stat,
        owner: `${text(265, 32) || stat.uid}/${text(297, 32) || stat.gid}`,
        data,
      };
      [longName, longLink] = ['', ''];
    }
  }
}

/** Where the empty blocks at the end of an archive begin. */
export function endOfMembers(archive: Uint8Array): number {
  let at = 0;
  while (at + BLOCK <= archive.length && archive.subarray(at, at + BLOCK).some((byte) => byte !== 0)) {
    const size = Number.parseInt(decoder.decode(archive.subarray(at + 124, at + 135)).trim() || '0', 8);
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
  return at;
}
