/** Questions for passwords: the answer is read from standard input and not shown on a terminal. */
import type { Sys } from '../../sys';
import { type Answer, readAnswer } from '../ask';

/** Plain. */
export interface SecretQuestion {
  isAsked: boolean;
  readonly answer: Answer;
}

export const newQuestion = (): SecretQuestion => ({ isAsked: false, answer: { text: '' } });

/** Asks once, then returns the answer when it is complete; undefined: wait for standard input. */
export function askSecret(sys: Sys, question: SecretQuestion, prompt: string): string | undefined {
  if (!question.isAsked) {
    question.isAsked = true;
    sys.eprint(prompt);
    setEcho(sys, false);
  }
  const text = readAnswer(sys, question.answer);
  if (text === undefined) return undefined;
  setEcho(sys, true);
  if (sys.isatty(0)) sys.eprint('\n');
  question.isAsked = false;
  return text;
}

export function setEcho(sys: Sys, echo: boolean): void {
  if (sys.isatty(0)) sys.setTermios(0, { ...sys.getTermios(0), echo });
}
