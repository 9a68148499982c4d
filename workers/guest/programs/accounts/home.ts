/** Home directories: filled from /etc/skel when an account is made, removed with it. */
import type { Sys } from '../../sys';
import { joinPath } from '../paths';

/** Copies what is in `from` into the directory `to`, as the new owner's. */
export function copyTree(sys: Sys, from: string, to: string, uid: number, gid: number): void {
  for (const name of sys.readdir(from)) {
    const source = joinPath(from, name);
    const target = joinPath(to, name);
    const { kind, mode } = sys.lstat(source);
    if (kind === 'symlink') {
      sys.symlink(sys.readlink(source), target);
      continue;
    }
    if (kind === 'dir') {
      sys.mkdir(target, mode);
      copyTree(sys, source, target, uid, gid);
    } else if (kind === 'file') sys.writeFile(target, sys.readFile(source));
    else continue;
    sys.chmod(target, mode);
    sys.chown(target, uid, gid);
  }
}

/** Removes a directory with all that is in it. */
export function removeTree(sys: Sys, path: string): void {
  if (sys.lstat(path).kind !== 'dir') {
    sys.unlink(path);
    return;
  }
  for (const name of sys.readdir(path)) removeTree(sys, joinPath(path, name));
  sys.rmdir(path);
}
