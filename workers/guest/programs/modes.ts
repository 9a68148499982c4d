/** File modes: `drwxr-xr-x`, octal and the symbolic changes of chmod. */
import type { Stat } from '../sys';

const KIND_LETTER: Readonly<Record<Stat['kind'], string>> = {
  file: '-',
  dir: 'd',
  symlink: 'l',
  char: 'c',
  block: 'b',
  fifo: 'p',
  socket: 's',
};

/** S_IFMT bits. */
export const kindBits: Readonly<Record<Stat['kind'], number>> = {
  file: 0o100000,
  dir: 0o040000,
  symlink: 0o120000,
  char: 0o020000,
  block: 0o060000,
  fifo: 0o010000,
  socket: 0o140000,
};

export function modeText({ kind, mode }: Pick<Stat, 'kind' | 'mode'>): string {
  const triple = (shift: number, special: number, letter: string) => {
    const bits = mode >> shift;
    const isExecutable = (bits & 1) !== 0;
    const last = mode & special ? (isExecutable ? letter : letter.toUpperCase()) : isExecutable ? 'x' : '-';
    return (bits & 4 ? 'r' : '-') + (bits & 2 ? 'w' : '-') + last;
  };
  return KIND_LETTER[kind] + triple(6, 0o4000, 's') + triple(3, 0o2000, 's') + triple(0, 0o1000, 't');
}

const WHO: Readonly<Record<string, number>> = { u: 0o4700, g: 0o2070, o: 0o1007, a: 0o7777 };

/**
 * The mode after a change such as `755`, `u+x`, `go-w`, `a=rX`; undefined when it is malformed. Without a letter for whom,
 * bits of the umask are left alone.
 */
export function changeMode(change: string, stat: Pick<Stat, 'kind' | 'mode'>, umask: number): number | undefined {
  if (/^[0-7]{1,5}$/.test(change)) {
    const mode = Number.parseInt(change, 8);
    return mode > 0o7777 ? undefined : mode;
  }
  let { mode } = stat;
  for (const clause of change.split(',')) {
    const match = /^([ugoa]*)((?:[-+=][rwxXstugo]*)+)$/.exec(clause);
    if (!match) return undefined;
    const who = match[1]!;
    const mask = who === '' ? 0o7777 & ~umask : [...who].reduce((sum, letter) => sum | WHO[letter]!, 0);
    for (const [, operator, letters] of match[2]!.matchAll(/([-+=])([rwxXstugo]*)/g)) {
      const bits = bitsOf(letters!, mode, stat.kind) & mask;
      if (operator === '+') mode |= bits;
      else if (operator === '-') mode &= ~bits;
      else {
        const kept = stat.kind === 'dir' ? 0o6000 : 0;
        const cleared = who === '' ? 0o777 : mask & ~kept;
        mode = (mode & ~cleared) | bits;
      }
    }
  }
  return mode & 0o7777;
}

function bitsOf(letters: string, mode: number, kind: Stat['kind']): number {
  let bits = 0;
  for (const letter of letters) {
    if (letter === 'r') bits |= 0o444;
    else if (letter === 'w') bits |= 0o222;
    else if (letter === 'x') bits |= 0o111;
    else if (letter === 'X') bits |= kind === 'dir' || (mode & 0o111) !== 0 ? 0o111 : 0;
    else if (letter === 's') bits |= 0o6000;
    else if (letter === 't') bits |= 0o1000;
    else bits |= ((mode >> (letter === 'u' ? 6 : letter === 'g' ? 3 : 0)) & 7) * 0o111;
  }
  return bits;
}
