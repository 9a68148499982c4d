/** Domain-0's files as xend and xm, which run beside the kernel, reach them: as root, at once. */
import type { Kernel } from '../guest/kernel';
import { SysError } from '../guest/sys';
import type { OpenFile, XendFiles } from '../xend/environment';
import type { XmFiles } from '../xm/command';

const ROOT = { uid: 0, gid: 0 };

export function xendFiles(kernel: Kernel): XendFiles & XmFiles {
  const { vfs } = kernel;
  /** The inode behind a path, links followed; undefined when there is none. */
  const find = (path: string) => {
    try {
      return vfs.find('/', path);
    } catch (error) {
      if (error instanceof SysError) return undefined;
      throw error;
    }
  };
  return {
    read: (path) => kernel.readFile(path),
    write: (path, data) => kernel.writeFile(path, typeof data === 'string' ? new TextEncoder().encode(data) : data),
    append(path, text) {
      const inode = find(path);
      if (inode?.kind !== 'file') kernel.writeFile(path, new TextEncoder().encode(text));
      else vfs.write(inode, inode.data!.size, new TextEncoder().encode(text), path);
    },
    exists: (path) => find(path) !== undefined,
    isDirectory: (path) => find(path)?.kind === 'dir',
    isExecutable: (path) => ((find(path)?.mode ?? 0) & 0o111) !== 0,
    deviceNumber(path) {
      const inode = find(path);
      return inode?.kind === 'block' || inode?.kind === 'char' ? inode.rdevMajor * 256 + inode.rdevMinor : undefined;
    },
    size: (path) => find(path)?.data?.size,
    rename: (from, to) => vfs.rename('/', from, to, ROOT),
    remove(path) {
      const inode = find(path);
      if (inode?.kind === 'dir') vfs.rmdir('/', path, ROOT);
      else if (inode) vfs.unlink('/', path, ROOT);
    },
    list: (path) => (find(path)?.kind === 'dir' ? vfs.readdir('/', path, ROOT) : undefined),
    realPath(path) {
      try {
        return vfs.locate('/', path, ROOT).path;
      } catch (error) {
        if (error instanceof SysError) return path;
        throw error;
      }
    },
    kindOf(path) {
      const kind = find(path)?.kind;
      return kind === undefined || kind === 'file' || kind === 'block' ? kind : 'other';
    },
  };
}

/** Opens a file, emptied and made when missing for `write`. Throws SysError. */
export function openFile(kernel: Kernel, path: string, mode: 'read' | 'write'): OpenFile {
  const { vfs } = kernel;
  if (mode === 'write') kernel.writeFile(path, new Uint8Array(0), 0o600);
  const inode = vfs.find('/', path);
  const { data } = inode;
  if (!data) throw new SysError(inode.kind === 'dir' ? 'EISDIR' : 'EINVAL', path);
  inode.opens++;
  let offset = 0;
  return {
    write(bytes) {
      vfs.write(inode, offset, bytes, path);
      offset += bytes.length;
    },
    read(length) {
      const bytes = data.read(offset, Math.min(length, Math.max(0, data.size - offset))).slice();
      offset += bytes.length;
      return bytes;
    },
    close: () => vfs.release(inode),
  };
}
