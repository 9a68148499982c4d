/** Prompt strings: `\u`, `\h`, `\w` and the other escapes of PS1, then `$` expansion. */
import { expandString } from '../expand';
import type { Shell } from '../state';
import { getVar, ShellError } from '../variables';
import { textWord } from '../words';

export function prompt(sh: Shell, template: string): string {
  const decoded = template.replace(/\\([0-7]{3}|.)/gs, (whole, c: string) => decode(sh, c) ?? whole);
  try {
    const word = textWord(decoded);
    return word.some((s) => s.k === 'cmd') ? decoded : expandString({ sh, log: undefined, at: 0 }, word);
  } catch (error) {
    if (error instanceof ShellError) return decoded;
    throw error;
  }
}

const two = (n: number) => String(n).padStart(2, '0');
const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

function decode(sh: Shell, c: string): string | undefined {
  const { sys, st } = sh;
  const now = new Date(sys.wallClock * 1000);
  const time = `${two(now.getUTCHours())}:${two(now.getUTCMinutes())}`;
  if (/^[0-7]{3}$/.test(c)) return String.fromCharCode(Number.parseInt(c, 8));
  switch (c) {
    case 'u':
      return userName(sh);
    case 'h':
      return sys.uname().nodename.split('.')[0]!;
    case 'H':
      return sys.uname().nodename;
    case 'w':
    case 'W': {
      const home = getVar(sh, 'HOME');
      const path = getVar(sh, 'PWD') ?? sys.cwd;
      if (home && home !== '/' && path === home) return '~';
      if (c === 'W') return path.slice(path.lastIndexOf('/') + 1) || '/';
      return home && home !== '/' && path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path;
    }
    case '$':
      return sys.uid === 0 ? '#' : '\\$';
    case 't':
      return `${time}:${two(now.getUTCSeconds())}`;
    case 'T':
    case '@':
    case 'A':
      return time;
    case 'd':
      return `${DAYS[now.getUTCDay()]} ${MONTHS[now.getUTCMonth()]} ${two(now.getUTCDate())}`;
    case 's':
      return st.name.replace(/^-/, '').replace(/^.*\//, '');
    case 'v':
    case 'V':
      return '3.2';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 'a':
      return '\x07';
    case 'e':
      return '\x1b';
    case 'j':
      return String(st.jobs.filter((j) => j.num > 0).length);
    case '!':
    case '#':
      return String(st.history.length + 1);
    case 'l':
      return (sys.ttyName(0) ?? 'tty').replace(/^.*\//, '');
    case '[':
    case ']':
      return '';
    case '\\':
      return '\\\\';
    default:
      return undefined;
  }
}

function userName(sh: Shell): string {
  const { sys } = sh;
  if (sys.exists('/etc/passwd'))
    for (const line of sys.readText('/etc/passwd').split('\n')) {
      const [name, , uid] = line.split(':');
      if (name && Number(uid) === sys.uid && uid !== '') return name;
    }
  return getVar(sh, 'USER') ?? (sys.uid === 0 ? 'root' : 'I have no name!');
}
