/** The programs that every mini guest has, in the order in which they appear here; the shell and Domain-0's own come on top. */
import type { Program } from '../sys';
import { burn } from './burn';
import { getty } from './getty';
import { init } from './init';
import { login } from './login';

export const commonPrograms: readonly Program[] = [init, getty, login, burn];
