/** Commands about time: date, cal, sleep, usleep, uptime. */
import { exit, type Program, wait } from '../../sys';
import { calendar, DAYS, formatDate, MONTHS, parseDate } from '../dates';
import { quietly, ToolError, tool } from '../options';

export const date = tool(
  'date',
  {
    usage: '[OPTION]... [+FORMAT]',
    options: 'us:d:r:RI::f:',
    long: { utc: 'u', universal: 'u', set: 's', date: 'd', reference: 'r', 'rfc-2822': 'R', 'iso-8601': 'I' },
  },
  (sys, options, words) => {
    const set =
      options.value('s') ??
      (/^\d{8}(\d\d|\d{4})?(\.\d\d)?$/.test(words[0] ?? '') ? fromDigits(words[0]!, sys.wallClock) : undefined);
    const given = options.value('d') ?? set;
    const reference = options.value('r');
    let seconds = reference === undefined ? sys.wallClock : sys.stat(reference).mtime;
    if (given !== undefined) {
      const parsed = parseDate(given, sys.wallClock);
      if (parsed === undefined) throw new ToolError(`invalid date \`${given}'`);
      seconds = parsed;
    }
    if (set !== undefined) {
      if (sys.uid !== 0) throw new ToolError('cannot set date: Operation not permitted');
      sys.setWallClock(seconds);
    }
    const format = words.find((word) => word.startsWith('+'));
    const wrong = words.find((word) => !word.startsWith('+'));
    if (wrong !== undefined && set === undefined) throw new ToolError(`invalid date \`${wrong}'`);
    const iso = {
      '': '%Y-%m-%d',
      date: '%Y-%m-%d',
      seconds: '%Y-%m-%dT%H:%M:%S%z',
      hours: '%Y-%m-%dT%H%z',
      minutes: '%Y-%m-%dT%H:%M%z',
    };
    const usual = options.has('R')
      ? '%a, %d %b %Y %H:%M:%S %z'
      : options.has('I')
        ? (iso[(options.value('I') ?? '') as keyof typeof iso] ?? iso[''])
        : '%a %b %e %H:%M:%S %Z %Y';
    sys.print(`${formatDate(format === undefined ? usual : format.slice(1), seconds)}\n`);
  },
);

/** MMDDhhmm[[CC]YY][.ss] as a date that parseDate understands. */
function fromDigits(text: string, now: number): string {
  const [digits = '', seconds = '00'] = text.split('.');
  const yearText = digits.slice(8);
  const year =
    yearText === ''
      ? calendar(now).year
      : yearText.length === 2
        ? Number(yearText) + (Number(yearText) < 69 ? 2000 : 1900)
        : Number(yearText);
  return `${year}-${digits.slice(0, 2)}-${digits.slice(2, 4)} ${digits.slice(4, 6)}:${digits.slice(6, 8)}:${seconds}`;
}

export const cal = tool('cal', { usage: '[-y] [[month] year]', options: 'ymj13' }, (sys, options, words) => {
  const now = calendar(sys.wallClock);
  const numbers = words.map((word) => {
    if (!/^\d+$/.test(word)) throw new ToolError(`illegal month value: use 1-12`);
    return Number(word);
  });
  const year = numbers.length === 0 ? now.year : numbers.at(-1)!;
  if (year < 1 || year > 9999) throw new ToolError('illegal year value: use 1-9999');
  if (options.has('y') || numbers.length === 1) {
    sys.print(`${' '.repeat(30)}${String(year)}\n\n`);
    for (let month = 0; month < 12; month += 3) {
      const blocks = [0, 1, 2].map((i) => monthLines(year, month + i, false));
      for (let row = 0; row < 8; row++)
        sys.print(
          `${blocks
            .map((lines) => (lines[row] ?? '').padEnd(20))
            .join('  ')
            .trimEnd()}\n`,
        );
    }
    return;
  }
  const month = numbers.length === 2 ? numbers[0]! : now.month + 1;
  if (month < 1 || month > 12) throw new ToolError('illegal month value: use 1-12');
  sys.print(
    `${monthLines(year, month - 1, true)
      .map((line) => line.trimEnd())
      .join('\n')}\n\n`,
  );
});

function monthLines(year: number, month: number, withYear: boolean): string[] {
  const title = withYear ? `${MONTHS[month]} ${year}` : MONTHS[month]!;
  const first = new Date(Date.UTC(year, month, 1)).getUTCDay();
  const days = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
  const lines = [' '.repeat(Math.floor((20 - title.length) / 2)) + title, DAYS.map((day) => day.slice(0, 2)).join(' ')];
  let line = '   '.repeat(first);
  for (let day = 1; day <= days; day++) {
    line += `${String(day).padStart(2)} `;
    if ((first + day) % 7 !== 0 && day !== days) continue;
    lines.push(line.slice(0, -1));
    line = '';
  }
  return lines;
}

interface SleepState {
  readonly untilNs: number;
  readonly status: number;
}

const sleeper = (name: string, unitNs: number, pattern: RegExp): Program<SleepState> => ({
  name,
  start(sys) {
    const words = sys.argv.slice(1);
    const fail = (text: string): SleepState => {
      sys.eprint(`${name}: ${text}\nTry \`${name} --help' for more information.\n`);
      return { untilNs: 0, status: 1 };
    };
    if (words[0] === '--help') {
      sys.print(`Usage: ${name} NUMBER[SUFFIX]...\n`);
      return { untilNs: 0, status: 0 };
    }
    if (words.length === 0) return fail('missing operand');
    let totalNs = 0;
    for (const word of words) {
      const match = pattern.exec(word);
      if (!match)
        return fail(/^-[^\d]/.test(word) ? `invalid option -- ${word[1]}` : `invalid time interval \`${word}'`);
      totalNs += Number(match[1]) * unitNs * ({ s: 1, m: 60, h: 3600, d: 86400 }[match[2] ?? ''] ?? 1);
    }
    // Longer than a hundred years is for ever.
    return { untilNs: sys.nowNs + Math.round(Math.min(totalNs, 3.2e18 / 1000)), status: -1 };
  },
  step(sys, { untilNs, status }) {
    if (status >= 0) return exit(status);
    return sys.nowNs >= untilNs ? exit(0) : wait({ untilNs });
  },
});

export const sleep = sleeper('sleep', 1e9, /^(\d+\.?\d*|\.\d+)([smhd]?)$/);
export const usleep = sleeper('usleep', 1e3, /^(\d+)()$/);

/** ` 12:00:00 up 3 min,  1 user,  load average: 0.00, 0.00, 0.00`. */
export function uptimeLine(seconds: number, wallClock: number, users: number, load: readonly string[]): string {
  const minutes = Math.floor(seconds / 60);
  const [days, hours, rest] = [Math.floor(minutes / 1440), Math.floor(minutes / 60) % 24, minutes % 60];
  const dayText = days > 0 ? `${days} day${days === 1 ? '' : 's'}, ` : '';
  const clock = hours > 0 ? `${String(hours).padStart(2)}:${String(rest).padStart(2, '0')}` : `${rest} min`;
  return ` ${formatDate('%H:%M:%S', wallClock)} up ${dayText}${clock}, ${String(users).padStart(2)} user${users === 1 ? '' : 's'},  load average: ${load.join(', ')}`;
}

export const uptime = tool('uptime', { usage: '[-V]', options: 'V' }, (sys, options) => {
  if (options.has('V')) {
    sys.print('procps version 3.2.7\n');
    return;
  }
  sys.print(`${uptimeLine(...uptimeFacts(sys))}\n`);
});

/** Since boot, now, sessions on terminals, load averages. */
export function uptimeFacts(sys: Parameters<Program['start']>[0]): [number, number, number, readonly string[]] {
  const up = Number((quietly(() => sys.readText('/proc/uptime')) ?? '').split(' ')[0] || sys.nowNs / 1e9);
  const load = (quietly(() => sys.readText('/proc/loadavg')) ?? '0.00 0.00 0.00').split(' ').slice(0, 3);
  const sessions = new Set(
    sys
      .processes()
      .filter(({ tty, uid }) => tty !== undefined && uid >= 0)
      .map(({ sid }) => sid),
  );
  const terminals = [...sessions].filter((sid) =>
    sys.processes().some(({ pid, comm }) => pid === sid && comm !== 'getty'),
  );
  return [up, sys.wallClock, terminals.length, load];
}
