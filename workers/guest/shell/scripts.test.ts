import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shell, shellWith } from './index';
import cases from './testing/bashCases.json';
import { FakeKernel, testPrograms } from './testing/fakeKernel';

function run(script: string, budget?: number, between?: (state: unknown) => unknown) {
  const program = budget === undefined ? shell : shellWith(budget);
  const kernel = new FakeKernel([program, ...testPrograms]);
  if (between) kernel.between = between;
  const pid = kernel.start(['sh', '-c', script, 'sh'], program);
  const status = kernel.run(pid);
  return { output: kernel.screen, status, kernel };
}

/** Through text and back: nothing but plain data survives it. */
const throughText = (state: unknown): unknown => JSON.parse(JSON.stringify(state));

describe('scripts behave as under bash 5.2 (outputs recorded from it, both streams together)', () => {
  for (const { script, output, status } of cases)
    it(script.split('\n')[0]!.slice(0, 100), () => {
      const got = run(script);
      expect({ output: got.output, status: got.status }).toEqual({ output, status });
    });
});

describe('the whole state is plain data', () => {
  it('goes on from a written-out copy between any two frames of every script', () => {
    for (const { script, output, status } of cases) {
      const got = run(script, 1, throughText);
      expect({ script, output: got.output, status: got.status }).toEqual({ script, output, status });
    }
  });

  it('goes on from copies taken at arbitrary moments, with steps of any length', () => {
    const scripts = cases.filter((c) => c.script.length > 60);
    fc.assert(
      fc.property(
        fc.constantFrom(...scripts),
        fc.integer({ min: 1, max: 40 }),
        fc.infiniteStream(fc.boolean()),
        (c, budget, when) => {
          const got = run(c.script, budget, (state) => (when.next().value ? throughText(state) : state));
          expect(got.output).toBe(c.output);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('leaves no descriptor open after substitutions, pipelines and redirections', () => {
    const script = `x=$(echo a | cat); cat <<< $x >/dev/null; { echo b; } >f; read y <f; (exit 1); echo done`;
    const program = shellWith(1);
    const kernel = new FakeKernel([program, ...testPrograms]);
    const pid = kernel.start(['sh', '-c', `${script}; :`], program);
    let open = -1;
    kernel.between = (state) => {
      const process = kernel.processes.get(pid);
      if (process && kernel.screen.endsWith('done\n')) open = process.fds.size;
      return state;
    };
    kernel.run(pid);
    expect(open).toBe(3);
  });
});

describe('where commands come from', () => {
  function shellOn(argv: string[], setUp: (kernel: FakeKernel) => void = () => {}) {
    const kernel = new FakeKernel([shell, ...testPrograms]);
    setUp(kernel);
    const pid = kernel.start(argv, shell);
    return { status: kernel.run(pid), output: kernel.screen };
  }

  it('a file, with arguments, names itself and the line in messages', () => {
    const file = 'echo $0 $1 $#\n\nnosuch\n. ./lib\n';
    const got = shellOn(['sh', 'script', 'a', 'b c'], (k) => {
      k.write('/root/script', file);
      k.write('/root/lib', '\nmissing\n');
    });
    expect(got.output).toBe(
      'script a 2\nscript: line 3: nosuch: command not found\n./lib: line 2: missing: command not found\n',
    );
    expect(got.status).toBe(127);
  });

  it('a file that does not exist: status 127', () => {
    expect(shellOn(['sh', 'nofile'])).toEqual({ status: 127, output: 'sh: nofile: No such file or directory\n' });
  });

  it('runs what stands before a syntax error, and nothing after it', () => {
    const got = shellOn(['sh', 'script'], (k) => k.write('/root/script', 'echo one\necho two; fi\necho three\n'));
    expect(got).toEqual({
      status: 2,
      output: "one\nscript: line 2: syntax error near unexpected token `fi'\nscript: line 2: `echo two; fi'\n",
    });
  });

  it('options -e -u -x are taken', () => {
    expect(shellOn(['sh', '-ex', '-c', 'echo a; false; echo b'])).toEqual({
      status: 1,
      output: '+ echo a\na\n+ false\n',
    });
    expect(shellOn(['sh', '-u', '-c', 'echo $x']).output).toBe('sh: line 1: x: unbound variable\n');
    expect(shellOn(['sh', '-Z']).status).toBe(2);
    expect(shellOn(['sh', '-c'])).toEqual({ status: 2, output: 'sh: line 0: -c: option requires an argument\n' });
  });

  it('a login shell reads /etc/profile and ~/.bash_profile', () => {
    const got = shellOn(['-sh', '-c', 'echo $A $B'], (k) => {
      k.write('/etc/profile', 'A=1');
      k.write('/root/.bash_profile', 'B=2$A');
    });
    expect(got.output).toBe('1 21\n');
  });

  it('standard input, of which a command may read the rest of', () => {
    const got = run(`printf 'read x\\nvalue\\necho "[$x]"; head -1\\nrest\\necho end\\n' | sh`);
    expect(got.output).toBe('[value]\nrest\nend\n');
  });
});

describe('cost', () => {
  it('a thousand turns of an empty loop take few steps and little virtual time', () => {
    const { kernel, output } = run('for i in $(seq 1 1000); do :; done; echo $i');
    expect(output).toBe('1000\n');
    expect(kernel.steps).toBeLessThan(60);
    expect(kernel.nowNs).toBeLessThan(1_050_000_000);
  });

  it('a loop that never waits lets others run', () => {
    const got = run('while :; do :; done & p=$!; echo other; kill $p; wait $p; echo $?');
    expect(got.output).toBe('other\n143\n');
  });
});
