/** Calendar time for people: strftime's formats and the dates of `ls -l`. The guest's time zone is UTC. */

export const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];
export const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

const HALF_YEAR_S = 15778476;

const two = (n: number) => String(n).padStart(2, '0');
const blank = (n: number, width = 2) => String(n).padStart(width, ' ');

export interface Calendar {
  readonly year: number;
  /** 0 … 11. */
  readonly month: number;
  readonly day: number;
  readonly weekday: number;
  readonly hours: number;
  readonly minutes: number;
  readonly seconds: number;
  /** 1 … 366. */
  readonly yearDay: number;
}

/** Seconds since 1970 as a date. */
export function calendar(seconds: number): Calendar {
  const date = new Date(Math.floor(seconds) * 1000);
  const year = date.getUTCFullYear();
  return {
    year,
    month: date.getUTCMonth(),
    day: date.getUTCDate(),
    weekday: date.getUTCDay(),
    hours: date.getUTCHours(),
    minutes: date.getUTCMinutes(),
    seconds: date.getUTCSeconds(),
    yearDay: Math.floor((date.getTime() - Date.UTC(year, 0, 1)) / 86_400_000) + 1,
  };
}

/** `Nov  1 12:00`, or with the year when it is more than half a year away. */
export function listingDate(seconds: number, nowSeconds: number): string {
  const at = calendar(seconds);
  const isRecent = seconds > nowSeconds - HALF_YEAR_S && seconds <= nowSeconds + 1;
  const last = isRecent ? `${two(at.hours)}:${two(at.minutes)}` : ` ${at.year}`;
  return `${MONTHS[at.month]!.slice(0, 3)} ${blank(at.day)} ${last}`;
}

/** strftime in the C locale; `-` and `_` flags as in GNU date. Unknown letters stay as they are. */
export function formatDate(format: string, seconds: number): string {
  const at = calendar(seconds);
  return format.replace(/%([-_0]?)([a-zA-Z%])/g, (whole, flag: string, letter: string) => {
    const text = field(letter, at, seconds);
    if (text === undefined) return whole;
    if (flag === '-') return text.replace(/^[0 ]+(?=.)/, '');
    if (flag === '_') return text.replace(/^0+(?=.)/, (zeros) => ' '.repeat(zeros.length));
    return text;
  });
}

function field(letter: string, at: Calendar, seconds: number): string | undefined {
  const sub = (format: string) => formatDate(format, seconds);
  const hour12 = at.hours % 12 || 12;
  switch (letter) {
    case 'a': return DAYS[at.weekday]!.slice(0, 3);
    case 'A': return DAYS[at.weekday];
    case 'b': case 'h': return MONTHS[at.month]!.slice(0, 3);
    case 'B': return MONTHS[at.month];
    case 'c': return sub('%a %b %e %H:%M:%S %Y');
    case 'C': return two(Math.floor(at.year / 100));
    case 'd': return two(at.day);
    case 'D': case 'x': return sub('%m/%d/%y');
    case 'e': return blank(at.day);
    case 'F': return sub('%Y-%m-%d');
    case 'H': return two(at.hours);
    case 'I': return two(hour12);
    case 'j': return String(at.yearDay).padStart(3, '0');
    case 'k': return blank(at.hours);
    case 'l': return blank(hour12);
    case 'm': return two(at.month + 1);
    case 'M': return two(at.minutes);
    case 'n': return '\n';
    case 'N': return String(Math.round((seconds - Math.floor(seconds)) * 1e9)).padStart(9, '0');
    case 'p': return at.hours < 12 ? 'AM' : 'PM';
    case 'r': return sub('%I:%M:%S %p');
    case 'R': return sub('%H:%M');
    case 's': return String(Math.floor(seconds));
    case 'S': return two(at.seconds);
    case 't': return '\t';
    case 'T': case 'X': return sub('%H:%M:%S');
    case 'u': return String(at.weekday || 7);
    case 'U': return two(Math.floor((at.yearDay + 6 - at.weekday) / 7));
    case 'V': return two(isoWeek(at));
    case 'w': return String(at.weekday);
    case 'W': return two(Math.floor((at.yearDay + 6 - ((at.weekday + 6) % 7)) / 7));
    case 'y': return two(at.year % 100);
    case 'Y': return String(at.year);
    case 'z': return '+0000';
    case 'Z': return 'UTC';
    case '%': return '%';
    default: return undefined;
  }
} // biome-ignore format: a table

function isoWeek(at: Calendar): number {
  const thursday = at.yearDay + 4 - (at.weekday || 7);
  const days = (year: number) => (new Date(Date.UTC(year, 1, 29)).getUTCMonth() === 1 ? 366 : 365);
  if (thursday < 1) return Math.ceil((thursday + days(at.year - 1)) / 7);
  return thursday > days(at.year) ? 1 : Math.ceil(thursday / 7);
}

/** A date as people write it, to seconds since 1970; undefined when it is none. `now`: for what is left out. */
export function parseDate(text: string, now: number): number | undefined {
  const trimmed = text.trim();
  if (trimmed === 'now' || trimmed === '') return now;
  if (/^@-?\d+(\.\d+)?$/.test(trimmed)) return Number(trimmed.slice(1));
  const day = Math.floor(now / 86400) * 86400;
  if (trimmed === 'today') return now;
  if (trimmed === 'yesterday') return now - 86400;
  if (trimmed === 'tomorrow') return now + 86400;
  const relative = /^([-+]?\d+)\s*(second|sec|minute|min|hour|day|week)s?(\s+ago)?$/.exec(trimmed);
  if (relative) {
    const unit = { second: 1, sec: 1, minute: 60, min: 60, hour: 3600, day: 86400, week: 604800 }[relative[2]!]!;
    return now + Number(relative[1]) * unit * (relative[3] ? -1 : 1);
  }
  const clock = /^(\d{1,2}):(\d\d)(?::(\d\d))?$/.exec(trimmed);
  if (clock) return day + Number(clock[1]) * 3600 + Number(clock[2]) * 60 + Number(clock[3] ?? 0);
  const iso = /^(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ](\d{1,2}):(\d\d)(?::(\d\d))?)?(?:\s*(?:UTC|Z))?$/.exec(trimmed);
  if (iso) return utc(iso.slice(1).map((part) => Number(part ?? 0)));
  const dayFirst =
    /^(?:[A-Z][a-z]{2},?\s+)?(\d{1,2})\s+([A-Za-z]{3})[a-z]*\s+(\d{4})(?:\s+(\d{1,2}):(\d\d)(?::(\d\d))?)?(?:\s*(?:UTC|GMT|[+]0000))?$/.exec(
      trimmed,
    );
  if (dayFirst) {
    const number = MONTHS.findIndex((name) => name.toLowerCase().startsWith(dayFirst[2]!.toLowerCase()));
    const [, of, , year, ...time] = dayFirst;
    return number < 0
      ? undefined
      : utc([Number(year), number + 1, Number(of), ...time.map((part) => Number(part ?? 0))]);
  }
  const long =
    /^(?:[A-Z][a-z]{2}\s+)?([A-Z][a-z]{2})[a-z]*\s+(\d{1,2})\s+(?:(\d{1,2}):(\d\d)(?::(\d\d))?\s+)?(?:UTC\s+|GMT\s+)?(\d{4})$/.exec(
      trimmed,
    );
  const month = long ? MONTHS.findIndex((name) => name.startsWith(long[1]!)) : -1;
  if (!long || month < 0) return undefined;
  return utc([
    Number(long[6]),
    month + 1,
    Number(long[2]),
    Number(long[3] ?? 0),
    Number(long[4] ?? 0),
    Number(long[5] ?? 0),
  ]);
}

function utc(parts: readonly number[]): number | undefined {
  const [year = 1970, month = 1, day = 1, hours = 0, minutes = 0, seconds = 0] = parts;
  if (month < 1 || month > 12 || day < 1 || day > 31 || hours > 23 || minutes > 59 || seconds > 60) return undefined;
  return Date.UTC(year, month - 1, day, hours, minutes, seconds) / 1000;
}
