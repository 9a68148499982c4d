import { describe, expect, it } from 'vitest';
import { answerText, matches, parseTranscript } from './transcript.testkind';

describe('a transcript', () => {
  it('is comments, commands and what they print', () => {
    const text = '# About.\ndom0# a\none\n\ntwo\nstatus 2\n# More.\ndom0# b\n';
    expect(parseTranscript(text)).toEqual([
      { lead: '# About.\n', command: 'a', expected: 'one\n\ntwo\nstatus 2\n' },
      { lead: '# More.\n', command: 'b', expected: '' },
    ]);
    expect(() => parseTranscript('one\n')).toThrow('begins with');
  });

  it('shows a status that is not 0, and an end of line that was missing', () => {
    expect(answerText({ status: 0, output: '' })).toBe('');
    expect(answerText({ status: 3, output: 'a' })).toBe('a\nstatus 3\n');
    expect(answerText({ status: 0, output: '#!/bin/sh\n' })).toBe('\\#!/bin/sh\n');
  });

  it.each([
    ['a\n', 'a\n', true],
    ['a\n', 'a\nb\n', false],
    ['a.c\n', 'abc\n', false],
    ['x{n} y\n', 'x   12.5 y\n', true],
    ['x{n} y\n', 'x z y\n', false],
    ['a {…} c\n', 'a b b c\n', true],
    ['a {…} c\n', 'a b\nb c\n', false],
    ['a\n{…}\nd\n', 'a\nb\nc\nd\n', true],
    ['a\n{…}\nd\n', 'a\nd\n', true],
    ['', 'a\n', false],
  ])('%j against %j: %s', (expected, answer, isMatch) => {
    expect(matches(expected, answer)).toBe(isMatch);
  });
});
