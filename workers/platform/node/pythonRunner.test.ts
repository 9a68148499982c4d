import { afterAll, describe, expect, it } from 'vitest';
import { createPythonRunner } from './pythonRunner';

const runner = createPythonRunner();
afterAll(() => runner.dispose());
const facts = {
  uname: ['Linux', 'lab', '2.6.18-xen', '#1 SMP', 'i686'] as const,
  cwd: '/root',
  environ: { HOME: '/root' },
};
const run = (source: string, scriptVars: Record<string, string> = {}) =>
  runner.run(source, '/etc/xen/x', scriptVars, facts);
const values = async (source: string, scriptVars?: Record<string, string>) => {
  const result = await run(source, scriptVars);
  if ('error' in result) throw new Error(`${result.error.type}: ${result.error.message}`);
  return result.values;
};

describe('configuration scripts (Python 2 as xm runs it)', () => {
  it('keeps strings, lists, integers and floats, and ignores the other types', async () => {
    expect(
      await values(
        "name = 'a'\nmemory = 64\nx = 1.0\ndisk = ['phy:hda1,hda1,w', 5]\nb = True\nl = 4L\nt = (1, 2)\nd = {}\nn = None\n",
      ),
    ).toEqual({ name: 'a', memory: 64, x: { float: '1.0' }, disk: ['phy:hda1,hda1,w', 5] });
  });

  it('knows Python 2: print, integer division, octal numbers, except with a comma', async () => {
    const result = await run(
      "print 'hi', 2\na = 7/2\nb = 0755\ntry:\n  int('q')\nexcept ValueError, e:\n  c = str(e)\n",
    );
    expect(result).toEqual({
      values: { a: 3, b: 493, c: "invalid literal for int() with base 10: 'q'" },
      stdout: 'hi 2\n',
    });
  });

  it('hides the names of the file from its functions', async () => {
    expect(await run('q = 1\ndef f():\n  return q\nz = f()\n')).toMatchObject({
      error: { type: 'NameError', message: "global name 'q' is not defined" },
    });
    expect(await run('x = nosuch\n')).toMatchObject({ error: { message: "name 'nosuch' is not defined", line: 1 } });
    expect(await values('q = 2\nz = [q for i in range(2)]\n')).toMatchObject({ z: [2, 2] });
  });

  const example = `
def vmid_check(var, val):
    val = int(val)
    if val <= 0:
        raise ValueError
    return val
xm_vars.var('vmid',
            use="Virtual machine id. Integer greater than 0.",
            check=vmid_check)
xm_vars.check()
name = "VM%d" % vmid
disk = [ 'phy:sda%d,sda1,w' % (7+vmid),
         'phy:sda6,sda6,r' ]
`;
  it('checks declared variables and stores what the check returns', async () => {
    expect(await values(example, { vmid: '2' })).toMatchObject({
      vmid: 2,
      name: 'VM2',
      disk: ['phy:sda9,sda1,w', 'phy:sda6,sda6,r'],
    });
    expect(await run(example)).toMatchObject({
      error: { message: "vmid - int() argument must be a string or a number, not 'NoneType'" },
    });
    expect(await run(example, { vmid: '0' })).toMatchObject({ error: { message: 'vmid - ' } });
    expect(await run(example, { vmid: 'x' })).toMatchObject({
      error: { message: "vmid - invalid literal for int() with base 10: 'x'" },
    });
  });

  it('offers os, re and xen.util.ip', async () => {
    expect(
      await values(
        "import os, re\narch = os.uname()[4]\nif re.search('64', arch):\n  lib = 'lib64'\nelse:\n  lib = 'lib'\nip = add_offset_to_ip('10.0.0.1', 300)\nhome = os.environ['HOME']\nf = os.path.join('/a', 'b')\n",
      ),
    ).toMatchObject({ arch: 'i686', lib: 'lib', ip: '10.0.1.45', home: '/root', f: '/a/b' });
    expect(await run('import nosuchmodule\n')).toMatchObject({ error: { message: 'No module named nosuchmodule' } });
  });

  it('leaves text in triple quotes and continued strings alone', async () => {
    expect(await values("a = '''x\n  y\n'''\nb = \"p\\\nq\"\nc = [1,\n2]\nif a:\n\td = 1\n")).toEqual({
      a: 'x\n  y\n',
      b: 'pq',
      c: [1, 2],
      d: 1,
    });
  });

  it.each([
    ['memory = = 5\n', 1],
    ['a = 1\nfull-screen = 1\n', 2],
    ['a = 1\nb = [1,\n', 2],
    ["a = 'x\nb = 1\n", 1],
  ])('names the line of the syntax error in %j', async (source, line) => {
    expect(await run(source)).toMatchObject({
      error: { type: expect.stringMatching(/Syntax|Token|Parse|Indent/), line },
    });
  });

  it.each([
    ['while True:\n  pass\n', 'Timeout'],
    ['x = range(10 ** 9)\n', 'ValueError'],
    ["x = 'y' * 10 ** 9\n", 'ValueError'],
    ['x = 10 ** 10 ** 9\n', 'Timeout'],
    ['def f(): return f()\nf()\n', 'NameError'],
    ['def f(g): return g(g)\nf(f)\n', 'RuntimeError'],
  ])('stops %j within seconds and runs the next script', async (source, type) => {
    const start = performance.now();
    expect(await run(source)).toMatchObject({ error: { type } });
    expect(performance.now() - start).toBeLessThan(6000);
    expect(await values('a = 1\n')).toEqual({ a: 1 });
  });
});
