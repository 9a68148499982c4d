import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSxp, prettyPrint, printSxp, type Sxp, SxpError, sxpText, sxpValue } from './sxp';

const atom = fc.oneof(
  fc.stringMatching(/^[A-Za-z0-9._:/~-]{1,12}$/),
  fc.string({
    minLength: 1,
    maxLength: 12,
    unit: fc.integer({ min: 1, max: 0x7e }).map((c) => String.fromCharCode(c)),
  }),
  fc.string({ minLength: 1, maxLength: 8, unit: 'grapheme' }),
);
const { sxp } = fc.letrec<{ sxp: Sxp }>((tie) => ({
  sxp: fc.oneof({ maxDepth: 5 }, atom, fc.array(tie('sxp'), { maxLength: 6 })),
}));

describe('s-expressions', () => {
  it('reads back what it prints, flat or pretty', () => {
    fc.assert(
      fc.property(sxp, fc.integer({ min: 10, max: 100 }), (value, width) => {
        expect(parseSxp(printSxp(value))).toEqual([value]);
        expect(parseSxp(prettyPrint(value, width))).toEqual([value]);
      }),
    );
  });

  it('never throws anything but SxpError', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('(', ')', "'", '"', '\\', '#', '\n', ' ', 'a', '7') }), (text) => {
        try {
          parseSxp(text);
        } catch (error) {
          expect(error).toBeInstanceOf(SxpError);
        }
      }),
    );
  });

  it.each([
    ['/boot/vmlinuz-2.6', '/boot/vmlinuz-2.6'],
    ['/dev/sda1 ro', "'/dev/sda1 ro'"],
    ["it's", '"it\'s"'],
    ['0-3,^1', "'0-3,^1'"],
    ['a=b', "'a=b'"],
    ['', ''],
    ['@', '@'],
    ['a@b', "'a@b'"],
  ])('prints the atom %j as %s', (value, text) => {
    expect(printSxp(value)).toBe(text);
  });

  it('prints an empty value as nothing', () => {
    expect(printSxp(['fda', ''])).toBe('(fda )');
    expect(sxpValue(['image', ['fda']], 'fda')).toBe('');
  });

  it('breaks a list that does not fit, closing on a line of its own', () => {
    const long = [
      'vm',
      ['name', 'pv1'],
      ['image', ['linux', ['kernel', '/boot/vmlinuz-2.6.18-xen'], ['videoram', '4']]],
    ];
    expect(prettyPrint(long, 50)).toBe(
      '(vm\n    (name pv1)\n    (image\n        (linux\n            (kernel /boot/vmlinuz-2.6.18-xen)\n            (videoram 4)\n        )\n    )\n)\n',
    );
  });

  it('accepts comments, both quotes and escapes', () => {
    expect(parseSxp('# one\n(a "b\\n" \'\\x41\\102\') # two\n(c)')).toEqual([['a', 'b\n', 'AB'], ['c']]);
  });

  it('names the line of an error', () => {
    expect(() => parseSxp('(a\n(b)\n')).toThrow(expect.objectContaining({ line: 3 }));
    expect(() => parseSxp('(a)\n)')).toThrow(expect.objectContaining({ line: 2 }));
  });

  it('finds values by name', () => {
    expect(sxpText(['vm', ['name', 'x'], ['memory', '64']], 'memory')).toBe('64');
    expect(sxpText(['vm'], 'memory')).toBeUndefined();
  });
});
