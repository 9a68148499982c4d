/** Programs that read text and write it changed, chosen or counted. */
import type { Program } from '../../sys';
import { awk, gawk } from './awk/index';
import { cat, nl, rev, tac } from './cat';
import { cmp, diff } from './compare';
import { cut } from './cut';
import { hd, hexdump, od } from './dump';
import { expr } from './expr';
import { egrep, fgrep, grep } from './grep';
import { head } from './head';
import { less, more } from './pager';
import { sed } from './sed';
import { seq } from './seq';
import { bracket, echo, fold, isFalse, isTrue, printf, strings, tee, test, yes } from './small';
import { sort } from './sort';
import { tail } from './tail';
import { tr } from './tr';
import { uniq } from './uniq';
import { wc } from './wc';

export const textPrograms: readonly Program[] = [
  ...[bracket, cat, cut, echo, egrep, expr, fgrep, fold, grep, head, isFalse, isTrue, nl, printf, rev, sed, seq, sort],
  ...[awk, cmp, diff, gawk, hd, hexdump, less, more, od, strings, tac, tail, tee, test, tr, uniq, wc, yes],
];
