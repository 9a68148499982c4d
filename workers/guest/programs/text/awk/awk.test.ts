import { describe, expect, it } from 'vitest';
import { shell } from '../../../shell/index';
import { TestKernel, testKernel } from '../../../testing';
import { textPrograms } from '../index';

const programs = [...textPrograms, shell];
const XM_LIST = 'Name ID Mem State\nDomain-0 0 512 r-----\nvm1 3 64 -b----\nvm2 4 128 --p---\n';

function awk(program: string, stdin = '', ...options: readonly string[]) {
  return testKernel(programs).run(['awk', ...options, program], { stdin });
}

/** Outputs are those of gawk and mawk, which agree on them. */
const table: readonly (readonly [program: string, stdin: string, stdout: string])[] = [
  ['{print $1, $NF}', XM_LIST, 'Name State\nDomain-0 r-----\nvm1 -b----\nvm2 --p---\n'],
  ['NR>1{s+=$3} END{print s, s/3, NR}', XM_LIST, '704 234.667 4\n'],
  ['$3>=100&&$1!~/^D/{print $1}', XM_LIST, 'Name\nvm2\n'],
  ['/vm1/,/vm2/{print NR": "$0}', XM_LIST, '3: vm1 3 64 -b----\n4: vm2 4 128 --p---\n'],
  ['{$2="X"; NF=3} 1', 'a b c d\n', 'a X c\n'],
  ['{$5="e"; print NF": "$0}', 'a b\n', '5: a b   e\n'],
  ['{n=gsub(/-/,"<&>")} {print n, $0}', 'a-b-\n', '2 a<->b<->\n'],
  ['{sub("b","\\\\&"); print}', 'abc\n', 'a&c\n'],
  ['BEGIN{s="a.b"; gsub(/x*/,"_",s); print s}', '', '_a_._b_\n'],
  ['!seen[$1]++', 'a\nb\na\n', 'a\nb\n'],
  ['{a[NR]=$0} END{for(i=NR;i>0;i--) print a[i]; delete a[2]; print (2 in a), length(a)}', 'x\ny\n', 'y\nx\n0 1\n'],
  ['BEGIN{a["x",1]=5; for(k in a){split(k,p,SUBSEP); print p[1], p[2]} if(("x",1) in a) print "yes"}', '', 'x 1\nyes\n'],
  ['BEGIN{n=split("a1b22c",x,/[0-9]+/); print n, x[3]; print split("  a  b ",y), y[2]}', '', '3 c\n2 b\n'],
  ['BEGIN{print length("hello"), substr("hello",2,3), substr("hello",-1), index("hello","ll")}', '', '5 ell hello 3\n'],
  ['BEGIN{print match("foobar",/o+/), RSTART, RLENGTH; print toupper("ab") tolower("CD")}', '', '2 2 2\nABcd\n'],
  ['BEGIN{printf "%5d|%-5s|%05d|%.2f|%e|%g|%x|%c|%%\\n", 42, "s", 42, 3.14159, 31415.9, 0.0001, 255, 65}', '', '   42|s    |00042|3.14|3.141590e+04|0.0001|ff|A|%\n'],
  ['BEGIN{print 1/3, 1e6, 0.1+0.2, 1e-5, 2^10, -7%3, 2^3^2, -2^2}', '', '0.333333 1000000 0.3 1e-05 1024 -1 512 -4\n'],
  ['BEGIN{print 1==1.0, "a"<"b", "10"<"9", 10<9, !0, !"a", 1&&0||1}', '', '1 1 1 0 1 0 1\n'],
  ['BEGIN{print 1 " " 2, -12 " " -24; print (1>2)?"y":"n"; print 1,2 > "/dev/stdout"}', '', '1 2 -12-24\nn\n1 2\n'],
  ['BEGIN{while(i<3){if(i++==1)continue; printf "%d ",i} do i--; while(i>0); print i}', '', '1 3 0\n'],
  ['function f(n){return n<2?1:n*f(n-1)} BEGIN{print f(10)}', '', '3628800\n'],
  ['function fill(a,n,  i){for(i=1;i<=n;i++)a[i]=i*i} BEGIN{fill(q,4); print q[4] "" i}', '', '16\n'],
  ['{getline; print}', 'a\nb\nc\nd\n', 'b\nd\n'],
  ['BEGIN{RS=""}{print NR": "$1"-"$NF}', 'a b\nc d\n\n\ne f\n', '1: a-d\n2: e-f\n'],
  ['BEGIN{RS=":"}{printf "%s|", $0}', 'a:b:c', 'a|b|c|'],
  ['BEGIN{x["a"]; exit} END{print "end", ("a" in x)}', '', 'end 1\n'],
  ['BEGIN{OFMT="%.2f"; x=3.14159; print x, x ""; CONVFMT="%.3f"; print x ""}', '', '3.14 3.14159\n3.142\n'],
  ['NR==1{while((getline line)>0) n++; print n}', 'a\nb\nc\n', '2\n'],
  ['BEGIN{"echo hi; echo ho" | getline x; "echo hi; echo ho" | getline; print x, $0}', '', 'hi ho\n'],
  ['BEGIN{print "x"; r=system("echo y; exit 3"); print r}', '', 'x\ny\n3\n'],
  ['{print $1 | "sort -r"} END{print "first"}', 'a\nc\nb\n', 'first\nc\nb\na\n'],
  ['{print > "/tmp/o" NR} END{close("/tmp/o1"); while((getline l < "/tmp/o1")>0) print "got", l}', 'a\nb\n', 'got a\n'],
]; // biome-ignore format: a table

describe('awk prints what gawk and mawk print', () => {
  it.each(table)('%s of %j', (program, stdin, stdout) => {
    expect(awk(program, stdin)).toEqual({ status: 0, stdout, stderr: '' });
  });

  it('takes its separator, variables and assignments among the files', () => {
    expect(awk('{print $2, v+1}', 'a:b\n', '-F:', '-v', 'v=3').stdout).toBe('b 4\n');
    expect(awk('{print $3}', 'a|b/c\n', '-F', '[|/]').stdout).toBe('c\n');
    const machine = testKernel(programs);
    machine.run(['tee', '/tmp/f'], { stdin: 'x\ny\n' });
    const { stdout } = machine.run(['awk', 'FNR==1{print FILENAME, NR, v}', '/tmp/f', 'v=2', '/tmp/f']);
    expect(stdout).toBe('/tmp/f 1 \n/tmp/f 3 2\n');
  });
});

describe('awk and wrong programs', () => {
  it.each([
    ['{print $1', 1, 'awk: cmd. line:1: {print $1\nawk: cmd. line:1:          ^ unexpected newline or end of string\n'],
    ['BEGIN{print 1/0}', 2, 'awk: cmd. line:1: fatal: division by zero\n'],
    ['BEGIN{f(1)}', 1, "awk: cmd. line:1: fatal: function `f' not defined\n"],
    [
      'BEGIN{print > "/nope/x"}',
      2,
      "awk: cmd. line:1: fatal: can't redirect to `/nope/x' (No such file or directory)\n",
    ],
    ['function f(x){return f(x)} BEGIN{f(1)}', 2, 'awk: cmd. line:1: fatal: function calls are nested too deeply\n'],
    ['BEGIN{s="x"; while(1) s=s s}', 2, 'awk: cmd. line:1: fatal: memory exhausted\n'],
  ])('%s ends with %i', (program, status, stderr) => {
    expect(awk(program)).toEqual({ status, stdout: '', stderr });
  });

  it('names that mean something to JavaScript mean nothing to awk', () => {
    const program =
      'BEGIN{__proto__=1; a["__proto__"]=2; a["constructor"]++; for(k in a) print k, a[k]; print ("toString" in a)}';
    expect(awk(program).stdout).toBe('__proto__ 2\nconstructor 1\n0\n');
  });

  it('an endless loop can be killed, and others run beside it', () => {
    const machine = testKernel(programs);
    const loop = machine.start(['awk', 'BEGIN{while(1);}']);
    machine.advance(50);
    expect(machine.run(['echo', 'alive']).stdout).toBe('alive\n');
    loop.kill('TERM');
    machine.advance(50);
    expect(loop.status).toBe(143);
  });
});

it('goes on in a fresh kernel in the middle of a loop, with its arrays and function calls', () => {
  const program =
    'function f(a,n,  t,i){for(i in a)t+=a[i]; return n>0?f(a,n-1)+t:t} BEGIN{for(i=0;i<4000;i++){q[i%7]=i; s+=f(q,5)} print s > "/tmp/sum"}';
  const expected = (() => {
    const machine = testKernel(programs);
    machine.run(['awk', program]);
    return machine.run(['cat', '/tmp/sum']).stdout;
  })();
  const machine = testKernel(programs);
  machine.start(['awk', program]);
  machine.advance(1.5);
  const copy = TestKernel.restore(programs, {}, structuredClone(machine.save()));
  expect(copy.run(['cat', '/tmp/sum']).status).toBe(1);
  copy.advance(1000);
  expect(copy.run(['cat', '/tmp/sum']).stdout).toBe(expected);
});
