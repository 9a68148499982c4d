/** Sizes as people read them: the `-h` of ls, du, df and free. */

const UNITS = ['', 'K', 'M', 'G', 'T', 'P'];

/** 1024-based with one digit below ten, rounded up as coreutils do: `1.1K`, `15M`. */
export function humanSize(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  if (unit === 0) return String(Math.ceil(value));
  const tenths = Math.ceil(value * 10 - 1e-9);
  if (tenths < 100) return `${(tenths / 10).toFixed(1)}${UNITS[unit]}`;
  const whole = Math.ceil(value - 1e-9);
  if (whole >= 1024 && unit < UNITS.length - 1) return `1.0${UNITS[unit + 1]}`;
  return `${whole}${UNITS[unit]}`;
}
