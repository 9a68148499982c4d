/** awk's built-in functions that neither wait nor change variables, and substitution. */

import type { Sys } from '../../../sys';
import { formatDate } from '../../dates';
import { slotOf } from './code';
import { formatAwk } from './format';
import { type AwkState, awkRegex, convfmt, textOf } from './state';
import { toNumber, type Value } from './values';

/** Undefined: there is no such function here (it may wait). */
export function callBuiltin(sys: Sys, state: AwkState, name: string, args: readonly Value[]): Value | undefined {
  const text = (index: number) => textOf(state, args[index]);
  const number = (index: number) => toNumber(args[index]);
  switch (name) {
    case 'length':
      return text(0).length;
    case 'substr':
      return substring(text(0), number(1), args.length > 2 ? number(2) : Infinity);
    case 'index':
      return text(0).indexOf(text(1)) + 1;
    case 'match': {
      const found = awkRegex(text(1)).exec(text(0));
      state.globals[slotOf('RSTART')] = found ? found.index + 1 : 0;
      state.globals[slotOf('RLENGTH')] = found ? found[0].length : -1;
      return found ? found.index + 1 : 0;
    }
    case 'sprintf':
      return formatAwk(text(0), args.slice(1), convfmt(state));
    case 'toupper':
      return text(0).toUpperCase();
    case 'tolower':
      return text(0).toLowerCase();
    case 'int':
      return Math.trunc(number(0)) + 0;
    case 'sqrt':
      return Math.sqrt(number(0));
    case 'exp':
      return Math.exp(number(0));
    case 'log':
      return Math.log(number(0));
    case 'sin':
      return Math.sin(number(0));
    case 'cos':
      return Math.cos(number(0));
    case 'atan2':
      return Math.atan2(number(0), number(1));
    case 'rand':
      return random(state);
    case 'srand': {
      const before = state.previousSeed;
      state.previousSeed = args.length > 0 ? number(0) : Math.floor(sys.wallClock);
      state.seed = state.previousSeed | 0;
      return before;
    }
    case 'systime':
      return Math.floor(sys.wallClock);
    case 'strftime':
      return formatDate(
        args.length > 0 ? text(0) : '%a %b %d %H:%M:%S %Z %Y',
        args.length > 1 ? number(1) : sys.wallClock,
      );
    default:
      return undefined;
  }
}

/** Positions count from 1; what lies outside of the text is left out (POSIX rounding). */
function substring(text: string, from: number, length: number): string {
  const start = Math.round(from);
  const end = length === Infinity ? Infinity : start + Math.round(length);
  return text.slice(Math.max(0, start - 1), Math.max(0, Math.min(text.length, end - 1)));
}

/** mulberry32: the same numbers in every run that does not call srand, as in every awk. */
function random(state: AwkState): number {
  state.seed = (state.seed + 0x6d2b79f5) | 0;
  let t = Math.imul(state.seed ^ (state.seed >>> 15), 1 | state.seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}

/** sub and gsub: `&` in the replacement is what matched, `\&` the character. */
export function substitute(text: string, source: string, replacement: string, isGlobal: boolean): [string, number] {
  let count = 0;
  let end = -1;
  const changed = text.replace(awkRegex(source, isGlobal ? 'g' : ''), (...found: readonly unknown[]) => {
    const matched = String(found[0]);
    const at = Number(found[found.length - 2]);
    // Nothing right behind a match is not another one.
    if (matched === '' && at === end) return '';
    end = at + matched.length;
    count++;
    return replacement.replace(/\\\\&|\\&|&/g, (it) => (it === '&' ? matched : it === '\\&' ? '&' : `\\${matched}`));
  });
  return [changed, count];
}
