/** od and hexdump: bytes as numbers (coreutils 5.97, util-linux 2.13). */
import { filter } from '../adapters';
import { optionsOf } from '../options';

interface DumpState {
  readonly format: 'o2' | 'x2' | 'x1' | 'c' | 'canonical';
  readonly addressBase: number;
  readonly addressWidth: number;
  readonly limit: number;
  readonly all: boolean;
  skip: number;
  rest: Uint8Array;
  offset: number;
  last: string;
  isStarred: boolean;
}

const ESCAPES: Readonly<Record<number, string>> = {
  0: '\\0',
  7: '\\a',
  8: '\\b',
  9: '\\t',
  10: '\\n',
  11: '\\v',
  12: '\\f',
  13: '\\r',
};
const pad = (value: number, base: number, width: number) => value.toString(base).padStart(width, '0');

function row(state: DumpState, bytes: Uint8Array): string {
  const words: number[] = [];
  for (let i = 0; i < bytes.length; i += 2) words.push(bytes[i]! | ((bytes[i + 1] ?? 0) << 8));
  switch (state.format) {
    case 'o2':
      return words.map((word) => ` ${pad(word, 8, 6)}`).join('');
    case 'x2':
      return words.map((word) => ` ${pad(word, 16, 4)}`).join('');
    case 'x1':
      return [...bytes].map((byte) => ` ${pad(byte, 16, 2)}`).join('');
    case 'c':
      return [...bytes]
        .map((byte) =>
          (ESCAPES[byte] ?? (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : pad(byte, 8, 3))).padStart(4),
        )
        .join('');
    case 'canonical': {
      const hex = [...bytes].map((byte, i) => `${i === 8 ? ' ' : ''} ${pad(byte, 16, 2)}`).join('');
      return ` ${hex.padEnd(49)}  |${[...bytes].map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '.')).join('')}|`;
    }
  }
}

const dumper = (name: 'od' | 'hexdump') =>
  filter<DumpState>(name, {
    parse(sys, args) {
      const options = optionsOf(
        sys,
        name,
        name === 'od'
          ? { usage: '[OPTION]... [FILE]...', options: 'A:t:N:j:vcxob' }
          : { usage: '[-bcCdovx] [-n length] [-s skip] [file ...]', options: 'Cn:s:vxc' },
        [...args],
      );
      if (typeof options === 'number') return options;
      const type = options.value('t') ?? '';
      const base = { o: 8, x: 16, d: 10, n: 0 }[options.value('A') ?? (name === 'od' ? 'o' : 'x')] ?? 8;
      const format = options.has('C')
        ? 'canonical'
        : options.has('c') || type === 'c'
          ? 'c'
          : type.startsWith('x1')
            ? 'x1'
            : options.has('x') || type.startsWith('x') || name === 'hexdump'
              ? 'x2'
              : 'o2';
      const addressWidth = format === 'canonical' ? 8 : name === 'hexdump' ? 7 : base === 16 ? 6 : 7;
      const number = (letter: string, fallback: number) => Number(options.value(letter) ?? fallback);
      const state: DumpState = {
        format,
        addressBase: base,
        addressWidth,
        limit: number(name === 'od' ? 'N' : 'n', Number.MAX_SAFE_INTEGER),
        all: options.has('v'),
        skip: number(name === 'od' ? 'j' : 's', 0),
        rest: new Uint8Array(0),
        offset: 0,
        last: '',
        isStarred: false,
      };
      return { files: options.words, state };
    },
    bytes(sys, state, bytes) {
      let fresh = bytes;
      const skipped = Math.min(state.skip, fresh.length);
      state.skip -= skipped;
      if (skipped > 0) state.offset += skipped;
      fresh = fresh.subarray(skipped);
      const all = new Uint8Array(state.rest.length + fresh.length);
      all.set(state.rest);
      all.set(fresh, state.rest.length);
      let at = 0;
      for (; at + 16 <= all.length; at += 16) sys.print(line(state, all.subarray(at, at + 16)));
      state.rest = all.slice(at);
    },
    end(sys, state) {
      if (state.rest.length > 0) sys.print(line(state, state.rest));
      const isEmpty = state.offset === 0 && name === 'hexdump';
      if (!isEmpty && state.addressBase > 0)
        sys.print(`${pad(Math.min(state.offset, state.limit), state.addressBase, state.addressWidth)}\n`);
    },
  });

/** One line, or `*` for a run of equal ones. */
function line(state: DumpState, given: Uint8Array): string {
  const bytes = given.subarray(0, Math.max(0, state.limit - state.offset));
  if (bytes.length === 0) return '';
  const text = row(state, bytes);
  const address = state.addressBase === 0 ? '' : pad(state.offset, state.addressBase, state.addressWidth);
  state.offset += bytes.length;
  if (!state.all && bytes.length === 16 && text === state.last) {
    const star = state.isStarred ? '' : '*\n';
    state.isStarred = true;
    return star;
  }
  state.last = text;
  state.isStarred = false;
  return `${address}${text}\n`;
}

export const od = dumper('od');
export const hexdump = dumper('hexdump');
