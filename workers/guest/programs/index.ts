/** The common userland: every program that Domain-0 and the guests have in /bin and /sbin. */
import type { Program } from '../sys';
import { accountPrograms } from './accounts/index';
import { archivePrograms } from './archives/index';
import { burn } from './burn';
import { editorPrograms } from './editor/index';
import { filePrograms } from './files/index';
import { getty } from './getty';
import { init } from './init';
import { login } from './login';
import { netPrograms } from './net/index';
import { storagePrograms } from './storage/index';
import { systemPrograms } from './system/index';
import { textPrograms } from './text/index';

export const commonPrograms: readonly Program[] = [
  init,
  getty,
  login,
  burn,
  ...editorPrograms,
  ...filePrograms,
  ...archivePrograms,
  ...textPrograms,
  ...systemPrograms,
  ...storagePrograms,
  ...accountPrograms,
  ...netPrograms,
];
