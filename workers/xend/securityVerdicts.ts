/** Tells whoever keeps the reasons what xend made of a question of the policy. */
import type { Verdict } from '../acm/decisionLog';
import type { XendEnvironment } from './environment';
import { XendError, XsmError } from './errors';

export type Question = Omit<Verdict, 'isPermitted' | 'text'>;

/** How the body ends is the answer. */
export function judged<T>(environment: XendEnvironment, question: Question, body: () => T): T {
  const result = refusable(environment, question, body);
  environment.onVerdict?.({ ...question, isPermitted: true });
  return result;
}

/** For what is worth a word only when it is refused. */
export function refusable<T>(environment: XendEnvironment, question: Question, body: () => T): T {
  try {
    return body();
  } catch (error) {
    if (error instanceof XendError) reportRefusal(environment, question, error);
    throw error;
  }
}

/** Answers the error. */
export function reportRefusal(environment: XendEnvironment, question: Question, error: XendError): XendError {
  const text = error instanceof XsmError ? [error.text, ...error.details].join('\n') : error.message;
  error.isByPolicy = true;
  environment.onVerdict?.({ ...question, isPermitted: false, text });
  return error;
}
