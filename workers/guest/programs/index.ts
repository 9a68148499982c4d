/** The common userland: every program that Domain-0 and the guests have in /bin and /sbin. */
import type { Program } from '../sys';
import { filePrograms } from './files/index';
import { netPrograms } from './net/index';
import { storagePrograms } from './storage/index';
import { systemPrograms } from './system/index';
import { textPrograms } from './text/index';

export const commonPrograms: readonly Program[] = [...filePrograms, ...textPrograms, ...systemPrograms, ...storagePrograms, ...netPrograms];
