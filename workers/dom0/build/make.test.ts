import { describe, expect, it } from 'vitest';
import { make } from './make';

async function run(words: string, files: Readonly<Record<string, string>>, fails: readonly string[] = []) {
  let out = '';
  const ran: string[] = [];
  const status = await make(
    words.split(' ').filter((word) => word !== ''),
    {
      cwd: '/src',
      print: (text) => {
        out += text;
      },
      eprint: (text) => {
        out += text;
      },
      read: (path) => files[path],
      run: async (command) => {
        ran.push(command);
        return fails.includes(command) ? 3 : 0;
      },
      isCancelled: false,
    },
  );
  return { status, out, ran };
}

describe('make', () => {
  it('makes the first target, and what it needs before it', async () => {
    const Makefile = 'all: lib\n\tlink $(OUT)\nlib:\n\t@compile $(FLAGS)\nOUT = x\nFLAGS = -O2\nFLAGS += -g\n';
    expect(await run('', { '/src/Makefile': Makefile })).toEqual({
      status: 0,
      out: 'link x\n',
      ran: ['compile -O2 -g', 'link x'],
    });
  });

  it('takes what a file sets with ?= unless it is set already', async () => {
    const files = {
      '/src/Makefile': 'include Config.mk\nifeq ($(A),y)\nB = on\nelse\nB = off\nendif\nall:\n\techo $(B)\n',
      '/src/Config.mk': 'A ?= n # no\n',
    };
    expect((await run('', files)).ran).toEqual(['echo off']);
    expect((await run('A=y', files)).ran).toEqual(['echo on']);
    expect((await run('', { ...files, '/src/Config.mk': 'A ?= y\nA ?= n\n' })).ran).toEqual(['echo on']);
  });

  it('leaves the dollars of the shell to the shell, and joins lines', async () => {
    expect((await run('all', { '/src/Makefile': 'all:\n\tfor f in a \\\n\t  b; do echo $$f; done\n' })).ran).toEqual([
      'for f in a b; do echo $f; done',
    ]);
  });

  it.each([
    ['', {}, 'make: *** No targets specified and no makefile found.  Stop.\n'],
    ['x', {}, "make: *** No rule to make target `x'.  Stop.\n"],
    ['', { '/src/Makefile': 'all: b\n' }, "make: *** No rule to make target `b', needed by `all'.  Stop.\n"],
    ['', { '/src/Makefile': 'all:\n\nXSM_ENABLE y\n' }, 'Makefile:3: *** missing separator.  Stop.\n'],
    ['', { '/src/Makefile': 'include C\n', '/src/C': 'ifeq (a,b)\n' }, "C: *** missing `endif'.  Stop.\n"],
    ['', { '/src/Makefile': 'A = $(A)\nall:\n\techo $(A)\n' }, /Recursive variable/],
  ])('make %s stops: %s', async (words, files, message) => {
    const { status, out } = await run(words, files);
    expect(status).toBe(2);
    if (typeof message === 'string') expect(out).toBe(message);
    else expect(out).toMatch(message);
  });

  it('stops at a command that fails, unless it may', async () => {
    const Makefile = 'all:\n\t-@bad\n\tbad\n\tgood\n';
    expect(await run('', { '/src/Makefile': Makefile }, ['bad'])).toEqual({
      status: 2,
      out: 'bad\nmake: *** [all] Error 3\n',
      ran: ['bad', 'bad'],
    });
  });
});
