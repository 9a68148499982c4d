import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { gzipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { CpioError, type CpioMember, membersOf, readCpio, unpackCpio, writeCpio } from './cpio';
import { Volume } from './volume';

const bytes = (text: string) => new TextEncoder().encode(text);
const plain: Omit<CpioMember, 'path'> = {
  kind: 'file',
  mode: 0o644,
  uid: 0,
  gid: 0,
  mtime: 1_100_000_000,
  rdevMajor: 0,
  rdevMinor: 0,
  data: new Uint8Array(0),
  linkGroup: 0,
};

const member: fc.Arbitrary<CpioMember> = fc.record({
  path: fc.stringMatching(/^[a-zä]{1,8}(\/[a-z.]{2,5}x)?$/),
  kind: fc.constantFrom('file' as const, 'symlink' as const, 'char' as const, 'fifo' as const),
  mode: fc.nat({ max: 0o7777 }),
  uid: fc.nat({ max: 0xffff_ffff }),
  gid: fc.nat({ max: 0xffff_ffff }),
  mtime: fc.nat({ max: 0xffff_ffff }),
  rdevMajor: fc.nat({ max: 4095 }),
  rdevMinor: fc.nat({ max: 0xfffff }),
  data: fc.uint8Array({ maxLength: 50 }),
  linkGroup: fc.constant(0),
});
const members = fc.array(member, { maxLength: 8 });

function unpacked(archive: Uint8Array): Volume {
  const volume = new Volume(1, 'rootfs', 'none');
  unpackCpio(archive, volume);
  return volume;
}

describe('an archive', () => {
  it('gives back its members, compressed or not, filled up with zeros or not', () => {
    fc.assert(
      fc.property(members, fc.boolean(), fc.nat({ max: 600 }), (list, gzip, padding) => {
        const archive = writeCpio(list, { gzip });
        const filled = new Uint8Array(archive.length + padding);
        filled.set(archive);
        expect(readCpio(filled)).toEqual(list);
      }),
    );
  });
  it('has the header of the kernel’s documentation', () => {
    const archive = writeCpio([{ ...plain, path: 'a', data: bytes('hi') }]);
    expect(new TextDecoder().decode(archive.subarray(0, 116))).toBe(
      `070701${['1', '81a4', '0', '0', '1', '4190ab00', '2', '0', '0', '0', '0', '2', '0'].map((f) => f.padStart(8, '0')).join('')}a\0hi\0\0`,
    );
  });
  it('may be followed by another one', () => {
    const [a, b] = [
      { ...plain, path: 'a' },
      { ...plain, path: 'b' },
    ];
    const both = [...writeCpio([a]), ...writeCpio([b])];
    expect(readCpio(Uint8Array.from(both))).toEqual([a, b]);
  });
  it('is refused when it is something else, cut off or damaged, and never hangs', () => {
    const archive = writeCpio([{ ...plain, path: 'a', data: bytes('x'.repeat(600)) }]);
    expect(() => readCpio(bytes('hello'))).toThrow(CpioError);
    expect(() => readCpio(new Uint8Array(0))).toThrow(CpioError);
    expect(() => readCpio(archive.subarray(0, 400))).toThrow(CpioError);
    expect(() => readCpio(gzipSync(archive).subarray(0, 40))).toThrow(CpioError);
    expect(() => readCpio(writeCpio([{ ...plain, path: 'x/../../y' }]))).not.toThrow();
    expect(() => unpacked(writeCpio([{ ...plain, path: 'x/../../y' }]))).toThrow(CpioError);
    fc.assert(
      fc.property(fc.nat({ max: archive.length - 1 }), fc.nat({ max: 255 }), fc.boolean(), (at, value, gzip) => {
        const damaged = gzip ? gzipSync(archive) : archive.slice();
        damaged[at % damaged.length] = value;
        try {
          unpacked(damaged);
        } catch (error) {
          expect(error).toBeInstanceOf(CpioError);
        }
      }),
    );
  });
});

describe('unpacking', () => {
  it('makes the tree, with directories that the archive leaves out', () => {
    const volume = unpacked(
      writeCpio([
        { ...plain, path: '', kind: 'dir', mode: 0o700 },
        { ...plain, path: 'etc/rc.d/init', data: bytes('#!/bin/sh') },
        { ...plain, path: 'bin', kind: 'symlink', data: bytes('usr/bin') },
        { ...plain, path: 'dev/console', kind: 'char', rdevMajor: 5, rdevMinor: 1 },
        { ...plain, path: 'etc', kind: 'dir', mode: 0o711 },
      ]),
    );
    const { root } = volume;
    expect([root.mode, root.nlink, [...root.entries!.keys()]]).toEqual([0o700, 4, ['etc', 'bin', 'dev']]);
    expect(root.entries!.get('etc')!.mode).toBe(0o711);
    expect(root.entries!.get('bin')!.target).toBe('usr/bin');
    expect(root.entries!.get('dev')!.entries!.get('console')).toMatchObject({ rdevMajor: 5, rdevMinor: 1 });
  });
  it('keeps several names of one file one file', () => {
    const link = { ...plain, linkGroup: 9, data: bytes('same') };
    const volume = unpacked(
      writeCpio([
        { ...link, path: 'a' },
        { ...plain, path: 'other' },
        { ...link, path: 'd/b' },
      ]),
    );
    const a = volume.root.entries!.get('a')!;
    expect(volume.root.entries!.get('d')!.entries!.get('b')).toBe(a);
    expect([a.nlink, a.size]).toEqual([2, 4]);
  });
  it('replaces what an earlier member made', () => {
    const volume = unpacked(
      writeCpio([
        { ...plain, path: 'd/x/y' },
        { ...plain, path: 'd', data: bytes('file now') },
      ]),
    );
    expect([volume.root.entries!.get('d')!.kind, volume.root.nlink, volume.inodeCount]).toEqual(['file', 2, 2]);
  });
  it('and packing again gives the same archive', () => {
    const link = { ...plain, linkGroup: 1, data: bytes('same') };
    const archive = writeCpio([
      { ...plain, path: '', kind: 'dir', mode: 0o755 },
      { ...plain, path: 'd', kind: 'dir', mode: 0o750 },
      { ...link, path: 'd/a' },
      { ...link, path: 'd/b' },
    ]);
    expect(writeCpio(membersOf(unpacked(archive)))).toEqual(archive);
  });
});

if (spawnSync('cpio', ['--version']).status === 0) {
  it('is understood by cpio', () => {
    const archive = writeCpio([
      { ...plain, path: 'etc', kind: 'dir', mode: 0o755 },
      { ...plain, path: 'etc/motd', data: bytes('hello\n') },
    ]);
    const { status, stdout } = spawnSync('cpio', ['-itv'], { input: archive, encoding: 'utf8' });
    expect([status, stdout.split('\n').map((line) => line.split(/\s+/).at(-1))]).toEqual([0, ['etc', 'etc/motd', '']]);
  });
}
