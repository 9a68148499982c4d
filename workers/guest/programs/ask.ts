/** Questions that a command asks on its terminal (`rm -i`), answered by a line of standard input. */
import type { Sys } from '../sys';

/** Plain: what has been typed so far. */
export interface Answer {
  text: string;
}

/** Reads up to the end of the line, byte by byte so that nothing behind it is lost. Undefined: not complete yet. */
export function readAnswer(sys: Sys, answer: Answer): string | undefined {
  for (;;) {
    const byte = sys.read(0, 1);
    if (byte === undefined) return undefined;
    if (byte.length === 0 || byte[0] === 10) {
      const { text } = answer;
      answer.text = '';
      return text;
    }
    answer.text += String.fromCharCode(byte[0]!);
  }
}

export const isYes = (answer: string) => /^\s*[yY]/.test(answer);
