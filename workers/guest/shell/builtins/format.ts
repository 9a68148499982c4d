/** printf's formats: `%s %d %i %u %o %x %X %c %b %q %e %f %g %%` with flags, width and precision; `*` takes an argument. */
import { quotedIfNeeded } from '../variables';
import { unescapeText } from './output';

/** The format is used again while arguments are left. */
export function format(
  template: string,
  args: readonly string[],
  complain: (message: string) => void,
): { text: string; failed: boolean } {
  let text = '';
  let failed = false;
  let at = 0;
  let stopped = false;
  const next = () => args[at++] ?? '';
  const numeric = (value: string): number => {
    if (/^["']/.test(value)) return value.codePointAt(1) ?? 0;
    const m = /^\s*([-+]?)(0[xX][0-9a-fA-F]+|\d+)/.exec(value);
    if (value !== '' && (!m || m[0].length !== value.length)) {
      complain(`${value}: invalid number`);
      failed = true;
    }
    if (!m) return 0;
    const digits = m[2]!;
    const n = /^0[xX]/.test(digits) ? Number(digits) : Number.parseInt(digits, /^0\d/.test(digits) ? 8 : 10);
    return m[1] === '-' ? -n : n;
  };
  const spec =
    /%([-+ #0]*)(\*|\d+)?(?:\.(\*|\d+)?)?([a-zA-Z%])|%|\\(?:[0-7]{1,3}|x[0-9a-fA-F]{1,2}|u[0-9a-fA-F]{1,4}|.)|[^%\\]+|\\/gsu;
  do {
    const start = at;
    spec.lastIndex = 0;
    for (let m = spec.exec(template); m && !stopped; m = spec.exec(template)) {
      const piece = m[0];
      if (piece.startsWith('\\')) {
        if (piece === '\\c') stopped = true;
        else if (/^\\[0-7]/.test(piece)) text += String.fromCharCode(Number.parseInt(piece.slice(1), 8));
        else text += piece === '\\"' ? '"' : piece === "\\'" ? "'" : unescapeText(piece).text;
        continue;
      }
      const kind = m[4];
      if (kind === undefined) {
        text += piece;
        continue;
      }
      if (kind === '%') {
        text += '%';
        continue;
      }
      let flags = m[1]!;
      let width = m[2] === '*' ? numeric(next()) : Number(m[2] ?? 0);
      const hasPrecision = piece.includes('.');
      const precision = hasPrecision ? (m[3] === '*' ? numeric(next()) : Number(m[3] ?? 0)) : undefined;
      if (width < 0) {
        flags += '-';
        width = -width;
      }
      const body = convert(kind, flags, precision, next, numeric);
      if (body === undefined) {
        complain(`\`${kind}': invalid format character`);
        return { text, failed: true };
      }
      if (kind === 'b' && body.includes('\uffff')) {
        text += body.slice(0, body.indexOf('\uffff'));
        stopped = true;
      } else
        text += pad(
          body,
          width,
          flags,
          /[diuoxXeEfFgG]/.test(kind) && (precision === undefined || /[eEfFgG]/.test(kind)),
        );
    }
    if (at === start) break;
  } while (at < args.length && !stopped);
  return { text, failed };
}

function convert(
  kind: string,
  flags: string,
  precision: number | undefined,
  next: () => string,
  numeric: (value: string) => number,
): string | undefined {
  const sign = (n: number, digits: string) =>
    (n < 0 ? '-' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '') + digits;
  const long = (digits: string) => digits.padStart(precision ?? 0, '0');
  switch (kind) {
    case 's':
      return Array.from(next()).slice(0, precision).join('');
    case 'b': {
      const { text, stopped } = unescapeText(next().replace(/\\([1-7][0-7]{0,2})/g, '\\0$1'));
      return text + (stopped ? '\uffff' : '');
    }
    case 'q':
      return shellQuoted(next());
    case 'c':
      return Array.from(next())[0] ?? '';
    case 'd':
    case 'i': {
      const n = numeric(next());
      return sign(n, long(wide(Math.abs(n), 10)));
    }
    case 'u':
      return long(wide(numeric(next()), 10));
    case 'o':
      return (flags.includes('#') ? '0' : '') + long(wide(numeric(next()), 8));
    case 'x':
      return (flags.includes('#') ? '0x' : '') + long(wide(numeric(next()), 16));
    case 'X':
      return (flags.includes('#') ? '0X' : '') + long(wide(numeric(next()), 16).toUpperCase());
    case 'f':
    case 'F': {
      const n = Number(next()) || 0;
      return sign(n, Math.abs(n).toFixed(precision ?? 6));
    }
    case 'e':
    case 'E': {
      const n = Number(next()) || 0;
      const text = Math.abs(n)
        .toExponential(precision ?? 6)
        .replace(/e([+-])(\d)$/, 'e$10$2');
      return sign(n, kind === 'E' ? text.toUpperCase() : text);
    }
    case 'g':
    case 'G': {
      const n = Number(next()) || 0;
      return sign(n, general(Math.abs(n), precision ?? 6));
    }
    default:
      return undefined;
  }
}

/** Negative numbers are shown as 64-bit two's complement. */
const wide = (n: number, base: number) => BigInt.asUintN(64, BigInt(Math.trunc(n))).toString(base);

function general(n: number, precision: number): string {
  const digits = precision || 1;
  const exponent = n === 0 ? 0 : Math.floor(Math.log10(n));
  if (exponent >= -4 && exponent < digits) return String(Number(n.toFixed(Math.max(0, digits - 1 - exponent))));
  return n
    .toExponential(digits - 1)
    .replace(/\.?0+e/, 'e')
    .replace(/e([+-])(\d)$/, 'e$10$2');
}

function pad(text: string, width: number, flags: string, isNumber: boolean): string {
  const missing = width - Array.from(text).length;
  if (missing <= 0) return text;
  if (flags.includes('-')) return text + ' '.repeat(missing);
  if (!flags.includes('0') || !isNumber) return ' '.repeat(missing) + text;
  const prefix = /^(0[xX]|[-+ ])?/.exec(text)![0];
  return prefix + '0'.repeat(missing) + text.slice(prefix.length);
}

function shellQuoted(text: string): string {
  if (text === '') return "''";
  if (/[\n\t\x1b]/.test(text)) return quotedIfNeeded(text);
  return text.replace(/[^\w@%+=:,./-]/gu, '\\$&');
}
