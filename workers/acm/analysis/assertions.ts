/**
 * Assertions about a policy, one a line, in words: `A-Bank may not run with B-Bank`, `domain1 may read file:/x.img`.
 * What stands behind # is a comment.
 */

export type AssertionVerb = 'run with' | 'share with' | 'use' | 'start' | 'reach';

export interface Assertion {
  readonly line: number;
  readonly text: string;
  readonly isNegative: boolean;
  readonly verb: AssertionVerb;
  readonly subject: string;
  /** '' for `start`. */
  readonly object: string;
  /** Of `reach`: labels whose flows do not count. */
  readonly except: readonly string[];
}

export interface AssertionSyntaxError {
  readonly line: number;
  readonly text: string;
  readonly problem: string;
}

export const GRAMMAR =
  'NAME may [not] run with NAME · share with NAME · read|write|use RESOURCE · start · reach NAME [except through NAME …]';

/** Words of a line; quotation marks keep blanks together, # ends it where a word could start. */
function wordsOf(line: string): readonly string[] {
  const words: string[] = [];
  for (const [, quoted, comment, plain] of line.matchAll(/"([^"]*)"|(#.*)|([^\s"]+)/g)) {
    if (comment !== undefined) break;
    words.push(quoted ?? plain!);
  }
  return words;
}

const verbs: Readonly<Record<string, AssertionVerb>> = {
  'run with': 'run with',
  'run beside': 'run with',
  'share with': 'share with',
  'talk to': 'share with',
  read: 'use',
  write: 'use',
  use: 'use',
  access: 'use',
  start: 'start',
  run: 'start',
  reach: 'reach',
};

export function parseAssertions(source: string): readonly (Assertion | AssertionSyntaxError)[] {
  return source.split('\n').flatMap((raw, at) => {
    const words = wordsOf(raw);
    if (words.length === 0) return [];
    return [parseLine(words, at + 1, raw.trim())];
  });
}

function parseLine(words: readonly string[], line: number, text: string): Assertion | AssertionSyntaxError {
  const error = (problem: string): AssertionSyntaxError => ({ line, text, problem });
  const [subject, may, ...rest] = words;
  const modal = may?.toLowerCase();
  if (subject === undefined || (modal !== 'may' && modal !== 'cannot')) return error(`expected: ${GRAMMAR}`);
  const isNegative = modal === 'cannot' || rest[0]?.toLowerCase() === 'not';
  const tail = modal === 'may' && isNegative ? rest.slice(1) : rest;
  const two = tail.slice(0, 2).join(' ').toLowerCase();
  const [first = ''] = tail;
  const word = two in verbs ? two : first.toLowerCase();
  const verb = Object.hasOwn(verbs, word) ? verbs[word] : undefined;
  if (verb === undefined) return error(first === '' ? `expected: ${GRAMMAR}` : `unknown verb ${first}; ${GRAMMAR}`);
  const [object, ...more] = tail.slice(word.split(' ').length);
  const base = { line, text, isNegative, verb, subject };
  if (verb === 'start')
    return object === undefined ? { ...base, object: '', except: [] } : error(`${object}: too much`);
  if (object === undefined) return error(`${word} whom or what?`);
  if (more.length === 0) return { ...base, object, except: [] };
  const [except, through, ...labels] = more;
  if (verb !== 'reach' || except?.toLowerCase() !== 'except' || through?.toLowerCase() !== 'through' || !labels.length)
    return error(`${more.join(' ')}: too much`);
  const names = labels.flatMap((label) => label.split(',')).filter((label) => label !== '' && label !== 'and');
  return { ...base, object, except: names };
}

export function isSyntaxError(each: Assertion | AssertionSyntaxError): each is AssertionSyntaxError {
  return 'problem' in each;
}
