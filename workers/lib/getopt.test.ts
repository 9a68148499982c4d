import { describe, expect, it } from 'vitest';
import { GetoptError, getopt } from './getopt';

const specs = [
  { short: 'l', long: 'long' },
  { long: 'label' },
  { short: 'd', long: 'domain', takesValue: true },
  { short: 'w', takesValue: true },
];

describe('getopt', () => {
  it('takes options after words', () => {
    const parsed = getopt(['vm1', '-l', 'vm2', '-d5', '--domain', 'x', '-w', '7'], specs);
    expect(parsed.words).toEqual(['vm1', 'vm2']);
    expect(parsed.options).toEqual([
      { name: 'long', value: '' },
      { name: 'domain', value: '5' },
      { name: 'domain', value: 'x' },
      { name: 'w', value: '7' },
    ]);
    expect(parsed.value('domain')).toBe('x');
  });

  it('stops at the first word when told to', () => {
    expect(getopt(['-l', 'vm', '-w', '1'], specs, { stopAtWord: true }).words).toEqual(['vm', '-w', '1']);
  });

  it('accepts unique prefixes of long options', () => {
    expect(getopt(['--dom=1', '--lo'], specs).options.map((o) => o.name)).toEqual(['domain', 'long']);
  });

  it.each([
    [['-z'], 'option -z not recognized'],
    [['--foo'], 'option --foo not recognized'],
    [['--foo=3'], 'option --foo not recognized'],
    [['-d'], 'option -d requires argument'],
    [['--domain'], 'option --domain requires argument'],
    [['--l'], 'option --l not a unique prefix'],
    [['--long=1'], 'option --long must not have an argument'],
  ])('%j: %s', (argv, text) => {
    expect(() => getopt(argv, specs)).toThrow(new GetoptError(text));
  });

  it('treats everything after -- as words, and - as a word', () => {
    expect(getopt(['-', '--', '-l'], specs).words).toEqual(['-', '-l']);
  });
});
