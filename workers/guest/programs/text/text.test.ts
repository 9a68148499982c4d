import { describe, expect, it } from 'vitest';
import { testKernel } from '../../testing';
import { textPrograms } from './index';

const machine = testKernel(textPrograms);

/** Outputs are those of GNU's tools. */
const table: readonly (readonly [argv: readonly string[], stdin: string, stdout: string])[] = [
  [['sed', '2d'], 'a\nb\nc\n', 'a\nc\n'],
  [['sed', '-n', '$p'], 'a\nb\nc\n', 'c\n'],
  [['sed', 's/\\(a*\\)b/[\\1]/g'], 'aab b\n', '[aa] []\n'],
  [['sed', 'N;s/\\n/-/'], 'a\nb\nc\n', 'a-b\nc\n'],
  [['sed', '-r', 's/(.)(.)/\\2\\1/2'], 'abcd\n', 'abdc\n'],
  [['sed', '/a/,/c/{s/^/>/;}'], 'x\na\nb\nc\nd\n', 'x\n>a\n>b\n>c\nd\n'],
  [['sed', '$!d'], 'a\nb', 'b'],
  [['grep', '-n', 'b\\+'], 'abb\nac\n', '1:abb\n'],
  [['grep', '-c', '-v', 'a'], 'a\nb\nc\n', '2\n'],
  [['grep', '-ow', '[a-z]*'], 'ab cd\n', 'ab\ncd\n'],
  [['grep', '-A1', 'b'], 'a\nb\nc\nd\nb\n', 'b\nc\n--\nb\n'],
  [['egrep', '^(a|b){2}$'], 'ab\nabc\n', 'ab\n'],
  [['fgrep', 'a.c'], 'abc\na.c\n', 'a.c\n'],
  [['sort', '-t:', '-k2,2n', '-k1'], 'b:2\na:10\na:2\n', 'a:2\nb:2\na:10\n'],
  [['sort', '-ru'], 'a\nb\na\n', 'b\na\n'],
  [['cut', '-d:', '-f1,3-'], 'a:b:c:d\nx\n', 'a:c:d\nx\n'],
  [['cut', '-c2-3'], 'abcd\n', 'bc\n'],
  [['tr', 'a-z', 'A-Z'], 'hello\n', 'HELLO\n'],
  [['tr', '-cd', '[:digit:]'], 'a1b2\n', '12'],
  [['tr', '-s', ' '], 'a   b\n', 'a b\n'],
  [['head', '-2'], 'a\nb\nc\n', 'a\nb\n'],
  [['head', '-c3'], 'abcdef', 'abc'],
  [['tail', '-2'], 'a\nb\nc\n', 'b\nc\n'],
  [['tail', '-n', '+2'], 'a\nb\nc\n', 'b\nc\n'],
  [['wc', '-l'], 'a\nb\n', '2\n'],
  [['uniq', '-c'], 'a\na\nb\n', '      2 a\n      1 b\n'],
  [['uniq', '-d'], 'a\na\nb\n', 'a\n'],
  [['cat', '-An'], 'a\tb\n', '     1\ta^Ib$\n'],
  [['tac'], 'a\nb\n', 'b\na\n'],
  [['fold', '-w3'], 'abcdefg\n', 'abc\ndef\ng\n'],
  [['seq', '-w', '8', '10'], '', '08\n09\n10\n'],
  [['expr', '1', '+', '2', '*', '3'], '', '7\n'],
  [['expr', 'abc', ':', 'a\\(.\\)c'], '', 'b\n'],
  [['od', '-An', '-tx1'], 'ab', ' 61 62\n'],
  [
    ['hexdump', '-C'],
    'hello world\n',
    '00000000  68 65 6c 6c 6f 20 77 6f  72 6c 64 0a              |hello world.|\n0000000c\n',
  ],
];

describe('text tools print what GNU prints', () => {
  it.each(table)('%j of %j', (argv, stdin, stdout) => {
    expect(machine.run(argv, { stdin })).toEqual({ status: 0, stdout, stderr: '' });
  });
});

describe('wrong use', () => {
  it.each([
    [['grep', 'x', '/nope'], 2, 'grep: /nope: No such file or directory\n'],
    [['cat', '-z'], 1, "cat: invalid option -- z\nTry `cat --help' for more information.\n"],
    [['sed', 'k'], 1, "sed: -e expression #1, char 1: unknown command: `k'\n"],
    [
      ['cut'],
      1,
      "cut: you must specify a list of bytes, characters, or fields\nTry `cut --help' for more information.\n",
    ],
    [['sort', '/nope'], 2, 'sort: /nope: No such file or directory\n'],
    [['expr', '1', '/', '0'], 2, 'expr: division by zero\n'],
  ] as const)('%j ends with %i', (argv, status, stderr) => {
    expect(machine.run(argv, { stdin: '' })).toEqual({ status, stdout: '', stderr });
  });
});

it('tail -f shows what is added later', () => {
  const kernel = testKernel(textPrograms);
  kernel.run(['tee', '/tmp/log'], { stdin: 'one\n' });
  const follower = kernel.start(['tail', '-f', '/tmp/log']);
  kernel.advance(1500);
  kernel.run(['tee', '-a', '/tmp/log'], { stdin: 'two\n' });
  kernel.advance(1500);
  expect(follower.stdout).toBe('one\ntwo\n');
});

it('diff -u finds the shortest change', () => {
  machine.run(['tee', '/tmp/a'], { stdin: 'a\nb\nc\n' });
  machine.run(['tee', '/tmp/b'], { stdin: 'a\nx\nc\n' });
  const { status, stdout } = machine.run(['diff', '-u', '/tmp/a', '/tmp/b']);
  expect(status).toBe(1);
  expect(stdout.split('\n').slice(2).join('\n')).toBe('@@ -1,3 +1,3 @@\n a\n-b\n+x\n c\n');
});
