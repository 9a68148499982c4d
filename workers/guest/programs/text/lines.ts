/** Reading lines from a descriptor as plain state: what programs that need one line at a time (sed, diff, tail) share. */
import type { Sys } from '../../sys';

export interface LineReader {
  fd: number;
  /** Read but not handed out; `at` is where the next line starts. */
  bytes: Uint8Array;
  at: number;
  isEnd: boolean;
}

export const lineReader = (fd: number): LineReader => ({ fd, bytes: new Uint8Array(0), at: 0, isEnd: false });

export interface Line {
  readonly text: string;
  /** False for a last line without newline. */
  readonly isTerminated: boolean;
}

const decoder = new TextDecoder();

/** The next line; null at the end; undefined while there is none yet (wait until `fd` is readable). */
export function nextLine(sys: Sys, reader: LineReader): Line | null | undefined {
  for (;;) {
    const end = reader.bytes.indexOf(10, reader.at);
    if (end >= 0) {
      const text = decoder.decode(reader.bytes.subarray(reader.at, end));
      reader.at = end + 1;
      return { text, isTerminated: true };
    }
    if (reader.isEnd) {
      if (reader.at >= reader.bytes.length) return null;
      const text = decoder.decode(reader.bytes.subarray(reader.at));
      reader.at = reader.bytes.length;
      return { text, isTerminated: false };
    }
    const more = sys.read(reader.fd);
    if (more === undefined) return undefined;
    if (more.length === 0) reader.isEnd = true;
    else {
      const rest = reader.bytes.subarray(reader.at);
      const joined = new Uint8Array(rest.length + more.length);
      joined.set(rest);
      joined.set(more, rest.length);
      reader.bytes = joined;
      reader.at = 0;
    }
  }
}

/** Lines of a text as programs count them: a newline at the end starts no further line. */
export function splitLines(text: string): string[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
}
