import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { diagnose } from './diagnose';

/** Text, then `line:column` and a part of the message of each problem. */
const table: readonly (readonly [source: string, ...problems: (readonly [at: string, message: string])[]])[] = [
  ["name = 'a'\nkernel = '/boot/k'\nmemory = 64\nvif = [ '' ]\ndisk = [ 'phy:hda1,hda1,w' ]\n"],
  // Syntax
  ["name = 'a\nmemory = 64\n", ['1:8', 'not closed before the end of the line']],
  ['extra = """a\nb\n', ['1:9', 'triple-quoted']],
  ["vif = [ ''\nmemory = 64\n", ['1:7', 'never closed']],
  ["vif = [ '' )\n", ['1:12', 'does not close']],
  ['memory = 64 )\n', ['1:13', 'no opening bracket']],
  ['memory = \nvcpus = 1\n', ['1:8', 'Syntax error']],
  ['full-screen=1\n', ['1:1', 'full-screen']],
  // Python 2 is no error
  ['print "a"\nx = 10L\nexec "x = 1"\ny = `x`\nz = 0755\nif x <> 3:\n  pass\n'],
  ["try:\n  x = 1\nexcept ValueError, e:\n  raise ValueError, 'm'\n"],
  ["# it's a comment with [ and '\nmemory = 64\n"],
  // Types and ranges
  ["memory = 'much'\n", ['1:10', 'must be an integer']],
  ["memory = '96'\n"],
  ['memory = 0\n', ['1:10', 'between 1']],
  ['vcpus = 33\n', ['1:9', 'between 1 and 32']],
  ['vcpus = -1\n', ['1:9', 'between 1 and 32']],
  ['vcpus = 4L\n', ['1:9', 'long integer']],
  ['localtime = True\n', ['1:13', 'ignored']],
  ['localtime = 2\n', ['1:13', '0 or 1']],
  ['name = 3.5\n', ['1:8', 'a string']],
  ["name = 'a b'\n", ['1:8', 'letters, digits']],
  ["vif = ''\n", ['1:7', 'a list']],
  ["on_crash = 'reboot'\n", ['1:12', 'one of destroy']],
  ["on_crash = 'coredump-restart'\n"],
  ["boot = 'x'\n", ['1:8', 'letters a']],
  ['memory = 64\nmaxmem = 32\n', ['2:10', 'smaller than memory']],
  ['memory = 64 * 2\n'],
  ['cpu_cap = 150\n', ['1:11', 'between 0 and 100']],
  ["vcpus = 2\ncpus = ['0']\n", ['2:8', 'one entry for each']],
  ["name = 'a'\nmemory = 64\n", ['1:8', 'neither kernel nor']],
  ["restart = 'always'\n", ['1:1', 'older name']],
  ["myown = 'anything'\n"],
  // Device strings
  ["disk = [ 'phy:hda1,hda1' ]\n", ['1:10', 'BACKEND,FRONTEND,MODE']],
  ["disk = [ 'phy:hda1, hda1, w' ]\n", ['1:10', 'Blanks']],
  ["disk = [ 'phy:hda1,hda1,x' ]\n", ['1:10', 'is no mode']],
  ["disk = [ 'hda1,hda1,w' ]\n", ['1:10', 'first field']],
  ["disk = [ 'tap:foo:/a,xvda,w' ]\n", ['1:10', 'no tap type']],
  ["disk = [ 'tap:aio:/a,xvda,w', 'file:/b,ioemu:hda,w!', ',hdc:cdrom,r' ]\n"],
  ["disk = [ 'phy:a,sda1,w',\n 'phy:b,sda1,w' ]\n", ['2:2', 'already defined']],
  ["disk = [ 'phy:sda%d,sda1,w' % (7+1), 'phy:sda6,sda6,r' ]\n"],
  ["vif = [ 'mac=00:16:3e:00:00:11, bridge=xenbr0', '' ]\n"],
  ["vif = [ 'bridg=xenbr0' ]\n", ['1:9', 'no option of vif']],
  ["vif = [ 'xenbr0' ]\n", ['1:9', 'pair']],
  ["vif = [ 'mac=00:16' ]\n", ['1:9', 'six bytes']],
  ["vfb = [ 'vnc=1,vncdisply=3' ]\n", ['1:9', 'no option of vfb']],
  ["vtpm = [ 'instance=0,backend=0' ]\n", ['1:10', 'from 1']],
  ["pci = [ '02:03.0', '0000:05:02.0@1f,msitranslate=1' ]\n"],
  ["pci = [ '02:03' ]\n", ['1:9', 'silently dropped']],
];

describe('diagnose', () => {
  it.each(table.map(([source, ...expected]) => ({ source, expected })))('$source', ({ source, expected }) => {
    const found = diagnose(source).map(({ line, column, message }) => [`${line}:${column}`, message] as const);
    expect(found.map(([at]) => at)).toEqual(expected.map(([at]) => at));
    for (const [n, [, part]] of expected.entries()) expect(found[n]?.[1]).toContain(part);
  });

  it('never throws and never marks a place outside the text', () => {
    const piece = fc.constantFrom(
      "'",
      '"',
      '[',
      ']',
      '(',
      '\n',
      ' ',
      '=',
      'disk',
      'vif',
      'memory',
      '64',
      ',',
      '\\',
      '#',
      '10L',
      '%',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const source = pieces.join('');
        const lines = source.split('\n');
        for (const problem of diagnose(source)) {
          expect(problem.line).toBeLessThanOrEqual(lines.length);
          expect(problem.column).toBeLessThanOrEqual(lines[problem.line - 1]!.length + 1);
        }
      }),
      { numRuns: 300 },
    );
  });
});
