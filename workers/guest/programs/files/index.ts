/** Programs about files, directories and their attributes. */
import type { Program } from '../../sys';
import { cp } from './cp';
import { find } from './find';
import { dir, ls } from './ls';
import { mv } from './mv';
import {
  basename,
  dirname,
  ln,
  mkdir,
  mkfifo,
  mknod,
  mktemp,
  readlink,
  realpath,
  rmdir,
  sync,
  touch,
  truncate,
} from './names';
import { chgrp, chmod, chown } from './owners';
import { rm } from './rm';
import { stat } from './stat';
import { which } from './which';

export const filePrograms: readonly Program[] = [
  ...[
    basename,
    chgrp,
    chmod,
    chown,
    cp,
    dir,
    dirname,
    find,
    ln,
    ls,
    mkdir,
    mkfifo,
    mknod,
    mktemp,
    mv,
    readlink,
    realpath,
  ],
  ...[rm, rmdir, stat, sync, touch, truncate, which],
];
