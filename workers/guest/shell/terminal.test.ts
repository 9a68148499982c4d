import { Terminal } from '@xterm/headless';
import { describe, expect, it } from 'vitest';
import { login } from '../programs/login';
import { TestKernel, testKernel } from '../testing';
import { shell } from './index';
import { testPrograms } from './testing/fakeKernel';

const programs = [shell, login, ...testPrograms];

/** A login shell on a terminal of a real kernel; what a person sees is what xterm makes of the bytes. */
function atTerminal(files: Record<string, string> = {}) {
  const kernel = testKernel(programs);
  kernel.run(
    `rm -f /etc/profile; mkdir /etc/bash_completion.d; ${Object.entries(files)
      .map(([path, text]) => `cat >${path} <<'EOF-'\n${text}\nEOF-\n`)
      .join('')}`,
  );
  const session = kernel.session(['sh', '-l']);
  kernel.advance(100);
  const type = (text: string, ms = 100) => {
    session.type(text);
    kernel.advance(ms);
  };
  const screen = async (cols = 80) => {
    const xterm = new Terminal({ cols, rows: 24, allowProposedApi: true });
    await new Promise<void>((done) => xterm.write(session.screen, done));
    const buffer = xterm.buffer.active;
    return Array.from({ length: buffer.length }, (_, i) => buffer.getLine(i)!.translateToString(true).trimEnd())
      .join('\n')
      .trimEnd();
  };
  return { kernel, session, type, screen, last: async () => (await screen()).split('\n').at(-1)! };
}

const PROMPT = '[root@localhost ~]#';

describe('the line editor', () => {
  it('shows a prompt as Red Hat had it, runs a line, and leaves with Ctrl-D', async () => {
    const t = atTerminal();
    t.type('echo hello\r');
    t.type('\x04');
    expect(await t.screen()).toBe(`${PROMPT} echo hello\nhello\n${PROMPT} logout`);
    expect(t.session.isClosed).toBe(true);
  });

  it('moves, kills, yanks and transposes with the Emacs keys', async () => {
    const t = atTerminal();
    t.type('cho one two\x01e\x05\x17\x19 three\x1bb\x1bd\x02\x02\x06\r');
    t.type('echo ab\x14\r');
    t.type('garbage\x15echo ok\x01\x0b\x19\r');
    t.type('echo x\x1b[D\x1b[3~y\x1b[Hecho \x1b[F!\r');
    const screen = await t.screen();
    expect(screen).toContain('\none two\n');
    expect(screen).toContain('\nba\n');
    expect(screen).toContain('\nok\n');
    expect(screen).toContain('\necho y!\n');
  });

  it('wraps a long line and keeps the cursor right when editing its middle', async () => {
    const t = atTerminal();
    const long = 'x'.repeat(100);
    t.type(`echo ${long}`);
    t.type('\x1b[D'.repeat(60));
    t.type('Y');
    expect(await t.screen()).toBe(
      `${PROMPT} echo ${long.slice(0, 40)}Y${long.slice(0, 80 - PROMPT.length - 6 - 41)}\n${long.slice(0, 101 - (80 - PROMPT.length - 6))}`,
    );
    t.type('\r');
    expect((await t.screen()).split('\n').slice(2, 4).join('')).toBe(`${'x'.repeat(40)}Y${'x'.repeat(60)}`);
  });

  it('redraws for a new width', async () => {
    const t = atTerminal();
    t.type(`echo ${'a'.repeat(30)}`);
    t.session.resize(24, 40);
    t.kernel.advance(100);
    t.type('\x1b[D\x1b[DB\r');
    expect(await t.screen(40)).toContain(`\n${'a'.repeat(28)}Baa\n`);
  });

  it('recalls lines, also by searching backwards', async () => {
    const t = atTerminal();
    t.type('echo first\r');
    t.type('echo second\r');
    t.type('\x1b[A\x1b[A\x1b[B\r');
    t.type('\x12fir\r');
    expect((await t.screen()).split('\n').filter((l) => !l.startsWith('['))).toEqual([
      'first',
      'second',
      'second',
      'first',
    ]);
    t.type('\x04');
    const again = t.kernel.session(['sh', '-l']);
    t.kernel.advance(100);
    again.type('\x1b[A\r');
    t.kernel.advance(100);
    expect(again.screen).toContain('\nfirst\r\n');
  });

  it('completes commands, files, and the words that files and functions offer', async () => {
    const t = atTerminal({
      '/etc/bash_completion.d/args': 'create destroy list\n!echo dom1 dom2',
      '/tmp/afile': '',
    });
    t.type('ech\tx\r');
    t.type('cat /tm\taf\t\r');
    t.type('args des\tdom2\r');
    t.type('args list d\t\t');
    expect(await t.screen()).toContain('dom1  dom2');
    t.type('1\r');
    t.type('complete -W "alpha beta" env; env al\t\x15echo done\r');
    const screen = await t.screen();
    expect(screen).toContain('\nx\n');
    expect(screen).toContain('[destroy][dom2]');
    expect(screen).toContain('[list][dom1]');
  });

  it('asks for the rest of an unfinished command', async () => {
    const t = atTerminal();
    t.type('for i in 1 2\rdo echo "n\r$i"\rdone\r');
    t.type('cat <<E\rtext\rE\r');
    t.type('echo a\\\rb\r');
    expect((await t.screen()).split('\n').slice(1)).toEqual([
      '> do echo "n',
      '> $i"',
      '> done',
      'n',
      '1',
      'n',
      '2',
      `${PROMPT} cat <<E`,
      '> text',
      '> E',
      'text',
      `${PROMPT} echo a\\`,
      '> b',
      'ab',
      PROMPT,
    ]);
  });

  it('gives a fresh prompt after Ctrl-C, and status 130', async () => {
    const t = atTerminal();
    t.type('some text\x03');
    t.type('echo $?\r');
    expect(await t.screen()).toBe(`${PROMPT} some text^C\n${PROMPT} echo $?\n130\n${PROMPT}`);
  });

  it('takes a pasted text as text, newlines and tabs included', async () => {
    const t = atTerminal();
    t.type('\x1b[200~echo "a\r\tb"\x1b[201~');
    expect(await t.screen()).not.toContain('\nb');
    t.type('\r');
    expect(await t.screen()).toContain('\na\n        b\n');
  });

  it('expands aliases', async () => {
    const t = atTerminal();
    t.type("alias e='echo -n' e2='e '\r");
    t.type('e2 x; e y\r');
    expect(await t.screen()).toContain('xy[root');
  });

  it('reports errors as -sh does at the prompt, without line numbers', async () => {
    const t = atTerminal();
    t.type('nosuch\r');
    t.type('echo )\r');
    t.type('x=$(missing)\r');
    expect((await t.screen()).split('\n').filter((l) => l.startsWith('sh:'))).toEqual([
      'sh: nosuch: command not found',
      "sh: syntax error near unexpected token `)'",
      'sh: missing: command not found',
    ]);
  });
});

describe('job control', () => {
  it('Ctrl-C ends the foreground job only', async () => {
    const t = atTerminal();
    t.type('sleep 100 | cat\r');
    t.type('\x03');
    t.type('echo $?\r');
    expect(await t.screen()).toBe(`${PROMPT} sleep 100 | cat\n^C\n${PROMPT} echo $?\n130\n${PROMPT}`);
  });

  it('Ctrl-C leaves a loop of the shell itself', async () => {
    const t = atTerminal();
    t.type('while :; do :; done; echo no\r', 300);
    t.type('\x03', 300);
    expect(await t.screen()).toBe(`${PROMPT} while :; do :; done; echo no\n^C\n${PROMPT}`);
  });

  it('Ctrl-Z stops a job; bg, fg, jobs and kill %n find it', async () => {
    const t = atTerminal();
    t.type('sleep 100\r');
    t.type('\x1a');
    t.type('jobs\r');
    t.type('bg\r');
    t.type('fg\r');
    t.type('\x1a');
    t.type('kill %1\r');
    t.type('\r');
    const lines = (await t.screen()).split('\n').filter((l) => !l.startsWith('[root'));
    const stopped = '[1]+  Stopped                 sleep 100';
    expect(lines).toEqual([
      '^Z',
      stopped,
      stopped,
      '[1]+ sleep 100 &',
      'sleep 100',
      '^Z',
      stopped,
      '[1]+  Terminated              sleep 100',
    ]);
  });

  it('tells about a background job when it starts, and before the prompt after its end', async () => {
    const t = atTerminal();
    t.type('sleep 1 &\r', 2000);
    t.type('\r');
    expect((await t.screen()).replace(/\] \d+/g, '] PID')).toContain(
      `[1] PID\n${PROMPT}\n[1]+  Done                    sleep 1\n${PROMPT}`,
    );
  });

  it('warns once about stopped jobs', async () => {
    const t = atTerminal();
    t.type('sleep 100\r');
    t.type('\x1a');
    t.type('exit\r');
    expect(await t.screen()).toContain('There are stopped jobs.');
    expect(t.session.isClosed).toBe(false);
    t.type('exit\r');
    expect(t.session.isClosed).toBe(true);
  });
});

describe('a kernel that is written out and started again', () => {
  it('goes on with a half-typed line and a running loop', async () => {
    const kernel = testKernel(programs);
    const loop = 'i=0; while [ $i -lt 5 ]; do i=$((i+1)); x=$(echo $i | cat); echo "$x" >>/tmp/log; sleep 1; done';
    kernel.start(loop);
    kernel.advance(2500);
    const copy = TestKernel.restore(programs, {}, structuredClone(kernel.save()));
    copy.advance(5000);
    expect(copy.run('cat /tmp/log').stdout).toBe('1\n2\n3\n4\n5\n');
  });
});
