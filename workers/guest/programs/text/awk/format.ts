/** awk's printf: C's formats over awk's values. */
import { toNumber, toText, type Value } from './values';

const SPEC = /%([-+ #0]*)(\*|\d+)?(?:\.(\*|-?\d+)?)?[hlL]*([a-zA-Z%])/g;

/** A field no wider than this, whatever the format asks for. */
const WIDEST = 65536;

/** `numberFormat` (CONVFMT) makes text of numbers under %s. */
export function formatAwk(template: string, args: readonly Value[], numberFormat: string): string {
  let at = 0;
  const next = (): Value => args[at++] ?? null;
  return template.replace(
    SPEC,
    (whole, givenFlags: string, width: string | undefined, digits: string | undefined, kind: string) => {
      if (kind === '%') return '%';
      let flags = givenFlags;
      let columns = width === '*' ? Math.trunc(toNumber(next())) : Number(width ?? 0);
      if (columns < 0) {
        flags += '-';
        columns = -columns;
      }
      columns = Math.min(columns, WIDEST);
      const hasPrecision = whole.includes('.');
      const precision = hasPrecision
        ? digits === '*'
          ? Math.trunc(toNumber(next()))
          : Number(digits ?? 0)
        : undefined;
      const isNumber = 'diouxXeEfFgG'.includes(kind);
      let body: string;
      if (kind === 's') body = clip(toText(next(), numberFormat), precision);
      else if (kind === 'c') body = character(next());
      else if (isNumber) body = convert(kind, flags, precision, toNumber(next()));
      else return whole;
      const zeros = flags.includes('0') && isNumber && (precision === undefined || /[eEfFgG]/.test(kind));
      return pad(body, columns, flags.includes('-') ? '-' : zeros && /\d/.test(body) ? '0' : ' ');
    },
  );
}

const clip = (text: string, precision: number | undefined) =>
  precision === undefined || precision < 0 ? text : text.slice(0, precision);

function character(value: Value): string {
  if (typeof value === 'number') return String.fromCodePoint(Math.max(0, Math.trunc(value)) % 0x110000);
  return [...toText(value, '%.6g')][0] ?? '';
}

function pad(body: string, width: number, how: '-' | '0' | ' '): string {
  if (how === '-') return body.padEnd(width);
  if (how === ' ') return body.padStart(width);
  const prefix = /^(?:0[xX]|[-+ ])?/.exec(body)![0];
  return prefix + body.slice(prefix.length).padStart(width - prefix.length, '0');
}

function convert(kind: string, flags: string, precision: number | undefined, value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
  const sign = value < 0 ? '-' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '';
  const size = Math.abs(value);
  switch (kind) {
    case 'd':
    case 'i':
      return (
        sign.replace('-', size < 1 ? '' : '-') +
        BigInt(Math.trunc(size))
          .toString()
          .padStart(precision ?? 0, '0')
      );
    case 'f':
    case 'F':
      return sign + size.toFixed(Math.min(100, precision ?? 6));
    case 'e':
    case 'E':
      return cased(kind, sign + exponential(size, precision ?? 6));
    case 'g':
    case 'G':
      return cased(kind, sign + general(size, precision ?? 6, flags.includes('#')));
    default: {
      const base = kind === 'o' ? 8 : kind === 'u' ? 10 : 16;
      const digits = BigInt.asUintN(64, BigInt(Math.trunc(value)))
        .toString(base)
        .padStart(precision ?? 0, '0');
      const mark = flags.includes('#') && value !== 0 ? (kind === 'o' ? '0' : base === 16 ? '0x' : '') : '';
      return cased(kind, mark + digits);
    }
  }
}

const cased = (kind: string, text: string) => (kind < 'a' ? text.toUpperCase() : text);

/** Two digits of exponent at least. */
const exponential = (size: number, digits: number) =>
  size.toExponential(Math.min(100, digits)).replace(/e([+-])(\d)$/, 'e$10$2');

function general(size: number, precision: number, keepsZeros: boolean): string {
  const digits = Math.min(100, Math.max(1, precision));
  const exponent = size === 0 ? 0 : Number(size.toExponential(digits - 1).split('e')[1]);
  const isPlain = exponent >= -4 && exponent < digits;
  const text = isPlain ? size.toFixed(Math.min(100, digits - 1 - exponent)) : exponential(size, digits - 1);
  if (keepsZeros || !text.includes('.')) return text;
  return text.replace(/\.?0+(?=e|$)/, '');
}
