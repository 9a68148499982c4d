/** Commands about the terminal: stty, clear, reset (coreutils 5.97, ncurses 5.5). */
import type { Program, Sys, Termios } from '../../sys';
import { command } from '../adapters';

/** Letters of stty and what each switches; what this terminal does not have is fixed as a line discipline has it. */
const SWITCHES: Readonly<Record<string, keyof Termios>> = {
  isig: 'isig',
  icanon: 'icanon',
  echo: 'echo',
  icrnl: 'icrnl',
  onlcr: 'onlcr',
};
const SANE: Termios = { icanon: true, echo: true, isig: true, icrnl: true, onlcr: true };
const COOKED: Partial<Termios> = { icanon: true, isig: true, icrnl: true, onlcr: true };
const RAW: Partial<Termios> = { icanon: false, isig: false, icrnl: false, onlcr: false };
const SPEED = 38400;

export const stty = command('stty', (sys, args) => {
  const words = [...args];
  let fd = 0;
  const at = words.findIndex((word) => word === '-F' || word.startsWith('--file='));
  if (at >= 0) {
    const path = words[at] === '-F' ? words[at + 1] : words[at]!.slice('--file='.length);
    words.splice(at, words[at] === '-F' ? 2 : 1);
    fd = sys.open(path ?? '', { read: true });
  }
  if (!sys.isatty(fd)) {
    sys.eprint('stty: standard input: Inappropriate ioctl for device\n');
    return 1;
  }
  if (words.length === 0) return show(sys, fd, false);
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    if (word === '-a' || word === '--all') show(sys, fd, true);
    else if (word === '-g' || word === '--save') sys.print(`${saved(sys.getTermios(fd))}\n`);
    else if (word === 'size') sys.print(`${sys.winsize(fd).rows} ${sys.winsize(fd).cols}\n`);
    else if (word === 'speed') sys.print(`${SPEED}\n`);
    else if (['rows', 'cols', 'columns'].includes(word)) {
      const count = Number(words[++i]);
      if (!Number.isInteger(count) || count < 0) return complain(sys, `invalid integer argument \`${words[i] ?? ''}'`);
      const { rows, cols } = sys.winsize(fd);
      sys.setWinsize(fd, word === 'rows' ? count : rows, word === 'rows' ? cols : count);
    } else {
      const changes = changesOf(word);
      if (!changes) return complain(sys, `invalid argument \`${word}'`);
      sys.setTermios(fd, { ...sys.getTermios(fd), ...changes });
    }
  }
  return 0;
});

function complain(sys: Sys, text: string): number {
  sys.eprint(`stty: ${text}\nTry \`stty --help' for more information.\n`);
  return 1;
}

/** Settings that a word stands for; undefined when there is no such word. */
function changesOf(word: string): Partial<Termios> | undefined {
  if (word === 'sane') return SANE;
  if (word === 'raw' || word === '-cooked') return RAW;
  if (word === 'cooked' || word === '-raw') return COOKED;
  if (word === 'cbreak') return { icanon: false };
  if (word === '-cbreak') return { icanon: true };
  if (word === 'nl') return { icrnl: false, onlcr: false };
  if (word === '-nl') return { icrnl: true, onlcr: true };
  if (/^[0-9a-f]+(:[0-9a-f]+)+$/.test(word)) return restored(word);
  const isOff = word.startsWith('-');
  const name = SWITCHES[isOff ? word.slice(1) : word];
  return name && { [name]: !isOff };
}

/** `-g`: input, output, control and local modes as numbers (termbits.h of i386). */
function saved(termios: Termios): string {
  const input = termios.icrnl ? 0x500 : 0x400;
  const output = termios.onlcr ? 5 : 1;
  const local = 0x8a30 | (termios.isig ? 1 : 0) | (termios.icanon ? 2 : 0) | (termios.echo ? 8 : 0);
  return `${input.toString(16)}:${output.toString(16)}:bf:${local.toString(16)}:3:1c:7f:15:4:0:1:0:11:13:1a:0:12:f:17:16:0`;
}

function restored(text: string): Termios {
  const [input = 0, output = 0, , local = 0] = text.split(':').map((part) => Number.parseInt(part, 16));
  return {
    icrnl: (input & 0x100) !== 0,
    onlcr: (output & 4) !== 0,
    isig: (local & 1) !== 0,
    icanon: (local & 2) !== 0,
    echo: (local & 8) !== 0,
  };
}

function show(sys: Sys, fd: number, isLong: boolean): number {
  const termios = sys.getTermios(fd);
  const { rows, cols } = sys.winsize(fd);
  const sign = (name: keyof Termios) => `${termios[name] ? '' : '-'}${name}`;
  if (!isLong) {
    const changed = (Object.keys(SANE) as (keyof Termios)[]).filter((name) => !termios[name]);
    sys.print(`speed ${SPEED} baud; line = 0;\n`);
    if (changed.length > 0) sys.print(`${changed.map(sign).join(' ')}\n`);
    return 0;
  }
  sys.print(`speed ${SPEED} baud; rows ${rows}; columns ${cols}; line = 0;
intr = ^C; quit = ^\\; erase = ^?; kill = ^U; eof = ^D; eol = <undef>; eol2 = <undef>;
start = ^Q; stop = ^S; susp = ^Z; rprnt = ^R; werase = ^W; lnext = ^V; flush = ^O;
min = 1; time = 0;
-parenb -parodd cs8 -hupcl -cstopb cread -clocal -crtscts
-ignbrk -brkint -ignpar -parmrk -inpck -istrip -inlcr -igncr ${sign('icrnl')} -ixon -ixoff
-iuclc -ixany -imaxbel
opost -olcuc -ocrnl ${sign('onlcr')} -onocr -onlret -ofill -ofdel nl0 cr0 tab0 bs0 vt0 ff0
${sign('isig')} ${sign('icanon')} -iexten ${sign('echo')} echoe echok -echonl -noflsh -xcase -tostop -echoprt
echoctl echoke
`);
  return 0;
}

export const clear = command('clear', (sys) => sys.print('\x1b[H\x1b[2J'));

/** reset: the terminal as it was at the start, also after a program has left it raw. */
export const reset: Program<null> = command('reset', (sys) => {
  for (const fd of [0, 1, 2]) {
    if (!sys.isatty(fd)) continue;
    sys.setTermios(fd, { ...SANE });
    break;
  }
  sys.print('\x1bc\x1b[!p\x1b[?3;4l\x1b[4l\x1b>\x1b[H\x1b[2J');
});
