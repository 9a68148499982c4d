/** The command line of the xenstore tools, and how they write values that contain unprintable bytes. */
import type { Sys } from '../../guest/sys';

export interface ToolOptions {
  readonly mode: string;
  readonly keys: readonly string[];
  /** -p: show keys (read, list) or permissions (ls). */
  /** Over the daemon's socket instead of the kernel's connection. */
  readonly socket: boolean;
  readonly prefix: boolean;
  /** -f: whole paths. */
  readonly full: boolean;
  readonly tidy: boolean;
  readonly upto: boolean;
  readonly recurse: boolean;
  /** -n: events to wait for (watch). */
  readonly count: number | undefined;
}

/** Ends a tool with this complaint and status 1. */
export class ToolFailure extends Error {
  override readonly name = 'ToolFailure';
}

export function fail(message: string): never {
  throw new ToolFailure(message);
}

/** Mode → what its usage line shows, and the option letters that it accepts besides -h and -s. */
const MODES: Readonly<Record<string, { readonly usage: string; readonly letters: string }>> = {
  read: { usage: '[-h] [-p] [-s] key [...]', letters: 'fp' },
  write: { usage: '[-h] [-s] key value [...]', letters: '' },
  rm: { usage: '[-h] [-s] [-t] key [...]', letters: 't' },
  exists: { usage: '[-h] [-s] key [...]', letters: '' },
  list: { usage: '[-h] [-s] key [...]', letters: 'fp' },
  ls: { usage: '[-h] [-s] [path]', letters: 'fp' },
  chmod: { usage: '[-h] [-s] key <mode [modes...]>', letters: 'ur' },
  watch: { usage: '[-h] [-n NR] key [...]', letters: 'n' },
};

const LONG_OPTIONS = new Map([
  ['help', 'h'],
  ['socket', 's'],
  ['prefix', 'p'],
  ['tidy', 't'],
  ['upto', 'u'],
  ['recurse', 'r'],
]);

/** Reads the command line, of `xenstore-CMD` and `xenstore CMD` alike. Throws ToolFailure. */
export function parseMode(sys: Sys): ToolOptions {
  const program = sys.argv[0]!;
  const base = program.replace(/^.*\//, '');
  const isGeneral = !base.startsWith('xenstore-');
  if (isGeneral && sys.argv.length < 2) fail(`Usage: ${program} <mode> [-h] [...]`);
  const mode = isGeneral ? sys.argv[1]! : base.slice('xenstore-'.length);
  const known = Object.hasOwn(MODES, mode) ? MODES[mode]! : fail(`unknown mode ${mode}\n`);
  const usage = () => fail(`Usage: ${program} ${isGeneral ? `${mode} ` : ''}${known.usage}`);
  const { letters, keys, count } = scan(sys, sys.argv.slice(isGeneral ? 2 : 1), isGeneral ? mode : base);
  for (const letter of letters) if (letter !== 's' && !known.letters.includes(letter)) usage();
  if (mode === 'write' && keys.length % 2 === 1) usage();
  if (mode !== 'ls' && keys.length === 0) usage();
  return {
    mode,
    keys,
    socket: letters.has('s'),
    prefix: letters.has('p'),
    full: letters.has('f'),
    tidy: letters.has('t'),
    upto: letters.has('u'),
    recurse: letters.has('r'),
    count,
  };
}

/** As getopt_long: options may follow keys, `--` ends them, an unknown one is complained about and then ignored. */
function scan(sys: Sys, words: readonly string[], name: string) {
  const letters = new Set<string>();
  const keys: string[] = [];
  let count: number | undefined;
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    if (word === '--') {
      keys.push(...words.slice(at + 1));
      break;
    }
    if (word.startsWith('--')) {
      const letter = LONG_OPTIONS.get(word.slice(2));
      if (letter) letters.add(letter);
      else sys.eprint(`${name}: unrecognized option \`${word}'\n`);
    } else if (word.startsWith('-') && word.length > 1) {
      for (let i = 1; i < word.length; i++) {
        const letter = word[i]!;
        if (!'fhsptrun'.includes(letter)) {
          sys.eprint(`${name}: invalid option -- ${letter}\n`);
          continue;
        }
        letters.add(letter);
        if (letter === 'n') {
          count = Number.parseInt(word.slice(i + 1) || words[++at] || '', 10) || 0;
          break;
        }
      }
    } else {
      keys.push(word);
    }
  }
  return { letters, keys, count };
}

const ESCAPES = new Map([
  ['\t', '\\t'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\\', '\\\\'],
]);

/** A value as the tools print it: bytes outside the printable ASCII as `\t \n \r \\`, `\NNN` below 8, else `\xHH`. */
export function sanitise(value: string): string {
  let text = '';
  for (const byte of new TextEncoder().encode(value)) {
    const character = String.fromCharCode(byte);
    const short = ESCAPES.get(character);
    if (short) text += short;
    else if (byte >= 0x20 && byte <= 0x7e) text += character;
    else text += byte < 8 ? `\\${byte.toString(8).padStart(3, '0')}` : `\\x${byte.toString(16).padStart(2, '0')}`;
  }
  return text;
}

/** The reverse, as `write` accepts it; a backslash before any other character is left out. */
export function unsanitise(text: string): string {
  const bytes: number[] = [];
  const source = new TextEncoder().encode(text);
  const plain = String.fromCharCode(...source);
  for (const [token] of plain.matchAll(/\\x[0-9a-fA-F]{1,2}|\\[0-7]{1,3}|\\[\s\S]?|[\s\S]/g)) {
    if (token[0] !== '\\') bytes.push(token.charCodeAt(0));
    else if (/^\\x./.test(token)) bytes.push(Number.parseInt(token.slice(2), 16));
    else if (/^\\[0-7]/.test(token)) bytes.push(Number.parseInt(token.slice(1), 8) & 0xff);
    else if (token.length > 1) bytes.push({ t: 9, n: 10, r: 13 }[token[1]!] ?? token.charCodeAt(1));
  }
  return new TextDecoder().decode(Uint8Array.from(bytes));
}
