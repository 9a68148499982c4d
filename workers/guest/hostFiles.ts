/** Files of a guest as the machine around it reads and writes them: as root, whole, without a process. */
import type { Vfs } from './fs/vfs';
import { SysError } from './sys';

/** Undefined when there is no such file. */
export function readHostFile(vfs: Vfs, path: string): Uint8Array | undefined {
  try {
    const inode = vfs.find('/', path);
    if (inode.node?.read) return new TextEncoder().encode(inode.node.read());
    return inode.data?.read(0, inode.data.size);
  } catch (error) {
    if (error instanceof SysError) return undefined;
    throw error;
  }
}

/** As `readHostFile`, but says what is wrong: throws SysError (ENOENT, EISDIR, EINVAL for what has no content). */
export function requireHostFile(vfs: Vfs, path: string): Uint8Array {
  const inode = vfs.find('/', path);
  if (inode.kind === 'dir') throw new SysError('EISDIR', path);
  if (inode.node?.read) return new TextEncoder().encode(inode.node.read());
  if (!inode.data) throw new SysError('EINVAL', path);
  return inode.data.read(0, inode.data.size).slice();
}

/** Missing directories are made. Throws SysError. */
export function writeHostFile(vfs: Vfs, path: string, bytes: Uint8Array, mode: number): void {
  const who = { uid: 0, gid: 0 };
  const parts = path.split('/').filter((part) => part !== '');
  for (let i = 1; i < parts.length; i++) {
    const parent = `/${parts.slice(0, i).join('/')}`;
    if (!vfs.locate('/', parent, who).inode) vfs.mkdir('/', parent, 0o755, who);
  }
  const location = vfs.locate('/', path, who);
  const inode = location.inode ?? vfs.createAt(location, path, 'file', mode, who);
  if (inode.kind !== 'file') throw new SysError(inode.kind === 'dir' ? 'EISDIR' : 'EINVAL', path);
  vfs.requireWritable(inode, path, who);
  vfs.truncate(inode, 0, location.path);
  if (bytes.length > 0) vfs.write(inode, 0, bytes, location.path);
}
