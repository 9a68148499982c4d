import { describe, expect, it } from 'vitest';
import { SysError } from '../guest/sys';
import type { XendFiles } from './environment';
import { StagedFiles } from './stagedFiles';

/** Files in a map; writing to one of `broken` fails, from the n-th write on if a number is given. */
function disk(contents: Readonly<Record<string, string>>, broken: Readonly<Record<string, number>> = {}) {
  const files = new Map(Object.entries(contents));
  const writes = new Map<string, number>();
  const stand: Partial<XendFiles> = {
    read: (path) => (files.has(path) ? new TextEncoder().encode(files.get(path)!) : undefined),
    write(path, data) {
      const count = (writes.get(path) ?? 0) + 1;
      writes.set(path, count);
      if (count === broken[path]) throw new SysError('ENOSPC', path);
      files.set(path, typeof data === 'string' ? data : new TextDecoder().decode(data));
    },
    exists: (path) => files.has(path),
    remove: (path) => void files.delete(path),
    kindOf: (path) => (files.has(path) ? 'file' : undefined),
  };
  return { staged: new StagedFiles(stand as XendFiles), contents: () => Object.fromEntries(files) };
}

describe('staged files', () => {
  it('are seen by whoever reads them, and by nobody else before the commit', () => {
    const { staged, contents } = disk({ a: '1', b: '2' });
    staged.write('a', '3');
    staged.append('a', '4');
    staged.remove('b');
    expect(new TextDecoder().decode(staged.read('a'))).toBe('34');
    expect(staged.exists('b')).toBe(false);
    expect(contents()).toEqual({ a: '1', b: '2' });
    staged.prepare();
    staged.commit();
    expect(contents()).toEqual({ a: '34' });
  });

  it('that cannot all be written leave nothing behind', () => {
    const { staged, contents } = disk({ a: '1' }, { 'c.new': 1 });
    for (const path of ['a', 'b', 'c']) staged.write(path, 'new');
    expect(() => staged.prepare()).toThrow('c: No space left on device');
    expect(contents()).toEqual({ a: '1' });
  });

  it('are put back when one fails in the last moment', () => {
    const { staged, contents } = disk({ a: '1', b: '2' }, { c: 1 });
    for (const path of ['a', 'c']) staged.write(path, 'new');
    staged.remove('b');
    staged.prepare();
    expect(() => staged.commit()).toThrow('c: No space left on device');
    expect(contents()).toEqual({ a: '1', b: '2' });
  });
});
