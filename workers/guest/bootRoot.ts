/** The last steps of the boot: the root file system from a disk, and the first process. */
import type { ErrnoName } from '../lib/errno';
import type { Core } from './core';
import type { Volume } from './fs/volume';
import { findImage } from './programImage';
import { SysError } from './sys';

/** Puts a disk in the root's place; what is mounted below moves over. `done` gets the reason of a failure. */
export function mountRoot(
  core: Core,
  device: string,
  type: string,
  readonly: boolean,
  done: (error: ErrnoName | undefined) => void,
): void {
  const finish = (result: Volume | ErrnoName) => {
    if (typeof result === 'string') return done(result);
    core.vfs.mounts.replaceRoot(result, result.readonly ? 'ro' : 'rw', (target) => {
      const { inode } = core.vfs.locate('/', target, { uid: 0, gid: 0 });
      return inode?.kind === 'dir' ? inode : undefined;
    });
    done(undefined);
  };
  try {
    core.mounting.load('/', `/dev/${device.replace(/^\/dev\//, '')}`, type, [], readonly, finish);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    done(error.code);
  }
}

/** Process 1 on the console: `init=` of the command line, or the first of the usual places. False: there is none. */
export function startInit(core: Core): boolean {
  const given = /(?:^| )init=(\S+)/.exec(core.settings.cmdline)?.[1];
  const level = /(?:^| )(single|[1-5S])(?= |$)/.exec(core.settings.cmdline)?.[1];
  const env = { HOME: '/', TERM: 'linux', PATH: '/sbin:/bin:/usr/sbin:/usr/bin' };
  const candidates = given ? [given] : ['/sbin/init', '/etc/init', '/bin/init', '/bin/sh'];
  for (const path of candidates) {
    try {
      const argv = level ? [path, level] : [path];
      const image = findImage(core, '/', { uid: 0, gid: 0 }, argv, env);
      const file = core.files.create({ kind: 'tty', object: core.terminals.console.id, path: '/dev/console' });
      const fds = new Map([0, 1, 2].map((fd) => [fd, file] as const));
      core.processes.birth({
        image,
        parent: undefined,
        cwd: '/',
        uid: 0,
        ruid: 0,
        gid: 0,
        fds,
        pgid: 0,
        newSession: true,
        pid: 1,
      });
      return true;
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
    }
  }
  return false;
}
