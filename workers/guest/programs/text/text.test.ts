import { describe, expect, it } from 'vitest';
import { shell } from '../../shell/index';
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
  [['head', '-n', '-2'], '1\n2\n3\n4', '1\n2\n'],
  [['head', '-c', '-2'], 'abcd', 'ab'],
  [['grep', '-bn', 'b'], 'aé\nxb\nb\n', '2:4:xb\n3:7:b\n'],
  [['grep', '-B1', '-b', 'c'], 'a\nbb\nc\n', '2-bb\n5:c\n'],
  [['grep', '-E', '-o', '(ab)+|c'], 'ababc\n', 'abab\nc\n'],
  [['sort', '-z'], 'b\0a\0', 'a\0b\0'],
  [['sort', '-k2,2nr', '-k1'], 'b 2\na 10\nc 1\na 2\n', 'a 10\na 2\nb 2\nc 1\n'],
  [['uniq', '-D'], 'a\na\nb\nc\nc\n', 'a\na\nc\nc\n'],
  [['sed', '-n', 'l'], 'a\tb\\\x01é\n', 'a\\tb\\\\\\001\\303\\251$\n'],
  [['sed', '-n', 'l'], `${'x'.repeat(70)}\n`, `${'x'.repeat(69)}\\\nx$\n`],
  [['sed', '$!N;P;D'], 'a\nb\nc\n', 'a\nb\nc\n'],
  [['sed', ':a;N;$!ba;s/\\n/,/g'], 'a\nb\nc\n', 'a,b,c\n'],
  [['sed', '1!G;h;$!d'], 'a\nb\nc\n', 'c\nb\na\n'],
  [['sed', 's/\\(a\\)\\(p*\\)/\\u\\1\\U\\2\\E!/'], 'apple\n', 'APP!le\n'],
  [['sed', 's/x*/-/g'], 'abc\n', '-a-b-c-\n'],
  [['sed', '0,/a/s//X/'], 'ab\na\n', 'Xb\na\n'],
  [['sed', '$a new'], 'no end', 'no end\nnew\n'],
  [['sed', '2,3c changed'], 'a\nb\nc\nd\n', 'a\nchanged\nd\n'],
  [['tr', '[:upper:]', '[:lower:]'], 'AbC\n', 'abc\n'],
  [['tr', '-ds', 'a', 'p'], 'apple\n', 'ple\n'],
  [['cut', '-d:', '-f1,2', '--output-delimiter=-'], 'a:b:c\n', 'a-b\n'],
  [['od', '-c'], 'a\n\0', '0000000   a  \\n  \\0\n0000003\n'],
  [['od', '-td4', '-N8'], 'apple\nBanana', '0000000  1819308129  1631717989\n0000010\n'],
  [['od', '-j2', '-N4', '-c'], 'apple\n', '0000002   p   l   e  \\n\n0000006\n'],
  [['od', '-tx1z', '-w8'], 'abcdefghi\n', '0000000 61 62 63 64 65 66 67 68  >abcdefgh<\n0000010 69 0a                    >i.<\n0000012\n'],
  [['od', '-b'], 'ab', '0000000 141 142\n0000002\n'],
  [['hexdump'], 'abc', '0000000 6261 0063                              \n0000003\n'],
  [['hexdump', '-n8', '-s2', '-C'], 'apple\nBanana\n', '00000002  70 6c 65 0a 42 61 6e 61                           |ple.Bana|\n0000000a\n'],
  [['hexdump', '-C'], '\0'.repeat(64), `00000000  ${'00 '.repeat(8)} ${'00 '.repeat(8)} |${'.'.repeat(16)}|\n*\n00000040\n`],
  [['hexdump', '-x'], 'abcd', '0000000    6261    6463                                                \n0000004\n'],
]; // biome-ignore format: a table

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

describe('diff', () => {
  const compare = (options: string, a: string, b: string) => {
    const it = testKernel([...textPrograms, shell]);
    it.run(['tee', '/tmp/a'], { stdin: a });
    it.run(['tee', '/tmp/b'], { stdin: b });
    return it.run(`cat /tmp/b | diff ${options} /tmp/a - | grep -v '^\\(---\\|+++\\|\\*\\*\\*\\) [/-]'`).stdout;
  };
  it.each([
    ['', 'a\nb\nc\n', 'a\nx\nc\nd\n', '2c2\n< b\n---\n> x\n3a4\n> d\n'],
    ['', 'a\nb', 'a\nb\n', '2c2\n< b\n\\ No newline at end of file\n---\n> b\n'],
    ['-U0', 'a\nb\nc\n', 'a\nc\n', '@@ -2 +1,0 @@\n-b\n'],
    ['-c', 'a\nb\nc\n', 'a\nx\nc\n', '***************\n*** 1,3 ****\n  a\n! b\n  c\n--- 1,3 ----\n  a\n! x\n  c\n'],
    ['-C0', 'a\nb\n', 'a\nb\nc\n', '***************\n*** 2 ****\n--- 3 ----\n+ c\n'],
    ['-b', 'a  b\n', 'a b\n', ''],
    ['-B', 'a\n\nb\n', 'a\nb\n', ''],
  ])('%s of %j and %j', (options, a, b, output) => {
    expect(compare(options, a, b)).toBe(output);
  });

  it('reads what comes through pipes, on both sides', () => {
    const it = testKernel([...textPrograms, shell]);
    expect(it.run('diff <(echo a; echo b) <(echo a)').stdout).toBe('2d1\n< b\n');
    expect(it.run('echo x | cmp - /dev/null').stderr).toBe('cmp: EOF on /dev/null\n');
  });
});
