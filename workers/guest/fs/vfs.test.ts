import { describe, expect, it } from 'vitest';
import { dir, file, fillVolume, symlink } from '../rootTree';
import { Vfs } from './vfs';
import { Volume } from './volume';

const root = { uid: 0, gid: 0 };
const alice = { uid: 500, gid: 500 };
const bob = { uid: 501, gid: 501 };

function makeVfs() {
  const volume = new Volume(1, 'tmpfs', 'none');
  fillVolume(
    volume,
    [
      dir('/tmp', 0o1777),
      dir('/home'),
      { ...dir('/home/alice', 0o700), uid: 500, gid: 500 },
      file('/etc/motd', 'hello'),
      symlink('/loop', '/loop'),
      symlink('/home/up', '../etc'),
    ],
    1000,
  );
  return new Vfs(volume, 'rw', () => 2000);
}

describe('vfs', () => {
  it('follows links and dots to one absolute path', () => {
    const vfs = makeVfs();
    expect(vfs.locate('/home', 'up/./../etc/motd', root).path).toBe('/etc/motd');
    expect(vfs.locate('/', '../../..', root).path).toBe('/');
  });

  it('gives up on a link to itself', () => {
    expect(() => makeVfs().find('/', '/loop', root)).toThrow('Too many levels of symbolic links');
  });

  it('refuses names that are too long, files used as directories, and closed directories', () => {
    const vfs = makeVfs();
    expect(() => vfs.find('/', `/${'x'.repeat(256)}`)).toThrow('File name too long');
    expect(() => vfs.find('/', '/etc/motd/x')).toThrow('Not a directory');
    expect(() => vfs.find('/', '/home/alice/x', bob)).toThrow('Permission denied');
  });

  it('lets only the owner remove from a sticky directory', () => {
    const vfs = makeVfs();
    vfs.create('/tmp', 'a', 'file', 0o666, alice);
    expect(() => vfs.unlink('/tmp', 'a', bob)).toThrow('Operation not permitted');
    expect(() => vfs.rename('/tmp', 'a', 'b', bob)).toThrow('Operation not permitted');
    vfs.unlink('/tmp', 'a', alice);
  });

  it('keeps link counts', () => {
    const vfs = makeVfs();
    const top = vfs.find('/', '/tmp');
    vfs.mkdir('/tmp', 'd', 0o755, root);
    expect(top.nlink).toBe(3);
    vfs.create('/tmp', 'f', 'file', 0o644, root);
    vfs.link('/tmp', 'f', 'd/g', root);
    expect(vfs.find('/', '/tmp/d/g').nlink).toBe(2);
    vfs.unlink('/tmp', 'f', root);
    expect(vfs.find('/', '/tmp/d/g').nlink).toBe(1);
    expect(() => vfs.rmdir('/tmp', 'd', root)).toThrow('Directory not empty');
    vfs.unlink('/tmp', 'd/g', root);
    vfs.rmdir('/tmp', 'd', root);
    expect(top.nlink).toBe(2);
  });

  it('renames over files and empty directories of the same sort only', () => {
    const vfs = makeVfs();
    vfs.mkdir('/tmp', 'd', 0o755, root);
    vfs.mkdir('/tmp', 'e', 0o755, root);
    vfs.create('/tmp', 'f', 'file', 0o644, root);
    expect(() => vfs.rename('/tmp', 'f', 'd', root)).toThrow('Is a directory');
    expect(() => vfs.rename('/tmp', 'd', 'f', root)).toThrow('Not a directory');
    expect(() => vfs.rename('/tmp', 'd', 'd/x', root)).toThrow('Invalid argument');
    vfs.rename('/tmp', 'd', 'e', root);
    expect(vfs.readdir('/', '/tmp', root)).toEqual(['f', 'e']);
  });

  it('changes nothing on a read-only volume', () => {
    const vfs = makeVfs();
    vfs.mounts.rootVolume.readonly = true;
    expect(() => vfs.mkdir('/', '/x', 0o755, root)).toThrow('Read-only file system');
    expect(() => vfs.unlink('/', '/etc/motd', root)).toThrow('Read-only file system');
  });

  it('says which path changed', () => {
    const vfs = makeVfs();
    const changed: string[] = [];
    vfs.onFileChanged = (path) => changed.push(path);
    vfs.create('/home', 'up/new', 'file', 0o644, root);
    expect(changed).toEqual(['/etc/new']);
  });
});
