/** Programs that read text and write it changed, chosen or counted. */
import type { Program } from '../../sys';
import { cat, nl, rev, tac } from './cat';
import { cut } from './cut';
import { egrep, fgrep, grep } from './grep';
import { head } from './head';
import { sort } from './sort';
import { tail } from './tail';
import { tr } from './tr';
import { wc } from './wc';

export const textPrograms: readonly Program[] = [cat, cut, egrep, fgrep, grep, head, nl, rev, sort, tac, tail, tr, wc];
