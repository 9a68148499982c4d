import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bufferOf, enter, textOf } from './lineEditor';

function edit(text: string, ...typed: string[]): { text: string; output: string; quit: boolean; save: boolean } {
  const buffer = bufferOf(text);
  let output = '';
  let last = {};
  for (const line of typed) {
    const outcome = enter(buffer, line);
    output += outcome.output;
    last = outcome;
  }
  return { text: textOf(buffer), output, quit: 'quit' in last, save: 'save' in last };
}

describe('the line editor', () => {
  it('keeps every text that nobody changes, a last line without an end gets one', () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[^\n]*$/)), (lines) => {
        const text = lines.map((line) => `${line}\n`).join('');
        expect(textOf(bufferOf(text))).toBe(text);
      }),
    );
    expect(textOf(bufferOf('a'))).toBe('a\n');
  });

  it('appends, inserts and changes lines up to a line with a single dot', () => {
    expect(edit('a\nb\n', '1a', 'x', 'y', '.').text).toBe('a\nx\ny\nb\n');
    expect(edit('a\nb\n', '1i', 'x', '.').text).toBe('x\na\nb\n');
    expect(edit('a\nb\n', '2c', 'x', '.').text).toBe('a\nx\n');
    expect(edit('', 'a', 'first', '.').text).toBe('first\n');
  });

  it('prints, deletes and substitutes in ranges', () => {
    expect(edit('a\nb\nc\n', '1,2n').output).toBe('1\ta\n2\tb\n');
    expect(edit('a\nb\nc\n', '2,$d').text).toBe('a\n');
    expect(edit('m = 64\nn = 64\n', ',s/64/128/').text).toBe('m = 128\nn = 128\n');
    expect(edit('aa\n', 's/a/b/g').text).toBe('bb\n');
  });

  it('warns once before changes are lost', () => {
    expect(edit('a\n', 'd', 'q').quit).toBe(false);
    expect(edit('a\n', 'd', 'q', 'q')).toMatchObject({ quit: true, save: false });
    expect(edit('a\n', 'd', ':wq')).toMatchObject({ quit: true, save: true });
  });

  it('answers nonsense with a question mark and changes nothing', () => {
    fc.assert(
      fc.property(fc.string(), (command) => {
        const { text } = edit('a\n', '7d', 'zz', '2,1p');
        expect(text).toBe('a\n');
        expect(() => edit('a\nb\n', command)).not.toThrow();
      }),
    );
  });
});
