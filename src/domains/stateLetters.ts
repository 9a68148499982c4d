/** The six letters of `xm list`'s State column in words. */
import { text } from './text';

export interface StateWord {
  readonly letter: string;
  readonly word: string;
  readonly explanation: string;
}

/** The letters that are set; a domain with none is ready to run and waits for a cpu. */
export function stateWords(state: string): readonly StateWord[] {
  const words = Array.from(state).flatMap((letter): StateWord[] => {
    const entry = text.stateWords[letter];
    return entry ? [{ letter, word: entry[0], explanation: entry[1] }] : [];
  });
  if (words.length > 0) return words;
  return [{ letter: '-', word: text.runnable[0], explanation: text.runnable[1] }];
}

/** The word the table shows: what matters most first (a crashed domain is not just "shut down"). */
export function mainStateWord(state: string): StateWord {
  const words = stateWords(state);
  for (const letter of ['c', 'd', 's', 'p']) {
    const word = words.find((candidate) => candidate.letter === letter);
    if (word) return word;
  }
  return words[0]!;
}
