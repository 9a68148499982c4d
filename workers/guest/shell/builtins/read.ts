/** `read`: one line from a descriptor, byte by byte, so that what follows is left for the next reader. */
import { type Step, wait } from '../../sys';
import { finish, setEcho } from '../flow';
import { complain, type FrameOf, out, type Shell } from '../state';
import { getVar, isName, ShellError, setArray, setVar } from '../variables';
import type { Builtin } from './call';

const read: Builtin = ({ sh, argv, frame }) => {
  const { st, sys } = sh;
  const request: FrameOf<'read'> = {
    k: 'read',
    src: frame.src,
    at: frame.at,
    fd: 0,
    data: '',
    names: [],
    raw: false,
    array: false,
    delim: '\n',
    count: 0,
  };
  let prompt = '';
  let fd = '0';
  let i = 1;
  for (; i < argv.length && /^-./.test(argv[i]!); i++) {
    if (argv[i] === '--') {
      i++;
      break;
    }
    for (let j = 1; j < argv[i]!.length; j++) {
      const letter = argv[i]![j]!;
      if (letter === 'r') request.raw = true;
      else if (letter === 's') request.silent = true;
      else if (letter === 'e') continue;
      else if ('ptadnu'.includes(letter)) {
        const value = argv[i]!.slice(j + 1) || (argv[++i] ?? '');
        if (letter === 'p') prompt = value;
        else if (letter === 't') {
          if (!/^\d*\.?\d+$/.test(value)) {
            complain(sh, `read: ${value}: invalid timeout specification`);
            return 1;
          }
          request.until = sys.nowNs + Number(value) * 1e9;
        } else if (letter === 'a') {
          request.array = true;
          request.names = [value];
        } else if (letter === 'd') request.delim = value[0] ?? '\0';
        else if (letter === 'n') request.count = Number(value) || 0;
        else fd = value;
        break;
      } else {
        complain(sh, `read: -${letter}: invalid option`);
        return 2;
      }
    }
  }
  if (!request.array) request.names = argv.slice(i);
  for (const name of request.names) {
    if (isName(name)) continue;
    complain(sh, `read: \`${name}': not a valid identifier`);
    return 1;
  }
  const real = st.fds[fd];
  if (real === undefined) {
    complain(sh, `read: ${fd}: invalid file descriptor: Bad file descriptor`);
    return 1;
  }
  request.fd = real;
  if (prompt && sys.isatty(real)) out(sh, prompt, 2);
  if (request.silent) setEcho(sh, real, false);
  st.frames.push(request);
  return undefined;
};

/** Advances `read`; bounded, because a line may be long. */
export function advanceRead(sh: Shell, f: FrameOf<'read'>): Step | undefined {
  const { sys } = sh;
  for (let i = 0; i < 4096; i++) {
    if (f.until !== undefined && sys.nowNs >= f.until) return end(sh, f, 142);
    const bytes = sys.read(f.fd, 1);
    if (!bytes)
      return f.until === undefined ? wait({ readable: f.fd }) : wait({ readable: f.fd }, { untilNs: f.until });
    if (bytes.length === 0) return end(sh, f, 1);
    const c = String.fromCharCode(bytes[0]!);
    if (f.escaped) {
      f.escaped = false;
      // A backslash hides the next character from splitting; \u0001 marks it until then.
      if (c !== '\n') f.data += `\x01${c}`;
      continue;
    }
    if (!f.raw && c === '\\') {
      f.escaped = true;
      continue;
    }
    if (c === f.delim) return end(sh, f, 0);
    f.data += c;
    if (f.count > 0 && f.data.length >= f.count) return end(sh, f, 0);
  }
  return undefined;
}

const decoder = new TextDecoder();

function end(sh: Shell, f: FrameOf<'read'>, status: number): undefined {
  const text = decoder.decode(Uint8Array.from(f.data, (c) => c.charCodeAt(0)));
  try {
    assignFields(sh, f, text);
    finish(sh, status);
  } catch (error) {
    if (!(error instanceof ShellError)) throw error;
    complain(sh, error.message);
    finish(sh, 1);
  }
}

function assignFields(sh: Shell, f: FrameOf<'read'>, text: string): void {
  const plain = (s: string) => s.replace(/\x01(.)/gsu, '$1');
  if (f.names.length === 0) {
    setVar(sh, 'REPLY', plain(text));
    return;
  }
  const ifs = getVar(sh, 'IFS') ?? ' \t\n';
  const limit = f.array ? Number.POSITIVE_INFINITY : f.names.length;
  const fields = splitFields(text, ifs, limit).map(plain);
  if (f.array)
    setArray(
      sh,
      f.names[0]!,
      fields.map((value) => ({ value })),
      false,
    );
  else for (const [i, name] of f.names.entries()) setVar(sh, name, fields[i] ?? '');
}

/** At most `limit` fields; the last one keeps the delimiters inside it. */
function splitFields(text: string, ifs: string, limit: number): string[] {
  const isSpace = (c: string) => ' \t\n'.includes(c) && ifs.includes(c);
  const chars = text.match(/\x01.|./gsu) ?? [];
  const fields: string[] = [];
  let i = 0;
  const skip = () => {
    while (i < chars.length && isSpace(chars[i]!)) i++;
  };
  skip();
  while (i < chars.length) {
    if (fields.length === limit - 1) {
      let end = chars.length;
      while (end > i && isSpace(chars[end - 1]!)) end--;
      const rest = chars.slice(i, end);
      // One delimiter at the very end belongs to the last field only if there are others.
      const last = rest[rest.length - 1];
      const others = rest.slice(0, -1).some((c) => ifs.includes(c) && !isSpace(c));
      if (last !== undefined && ifs.includes(last) && !others) rest.pop();
      fields.push(rest.join(''));
      break;
    }
    let field = '';
    while (i < chars.length && !ifs.includes(chars[i]!)) field += chars[i++];
    fields.push(field);
    skip();
    if (i < chars.length && ifs.includes(chars[i]!) && !isSpace(chars[i]!)) i++;
    skip();
  }
  return fields;
}

export const readInput = { read } satisfies Record<string, Builtin>;
