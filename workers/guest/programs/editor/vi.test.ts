import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { testKernel } from '../../testing';
import { textPrograms } from '../text/index';
import { editorPrograms } from './index';
import { bufferOf, enter, textOf } from './lineEditor';

function edit(text: string, ...typed: string[]): { text: string; output: string; quit: boolean; save: boolean } {
  const buffer = bufferOf(text);
  let output = '';
  let last = {};
  for (const line of typed) {
    const outcome = enter(buffer, line);
    output += outcome.output;
    last = outcome;
  }
  return { text: textOf(buffer), output, quit: 'quit' in last, save: 'save' in last };
}

describe('the line editor', () => {
  it('keeps every text that nobody changes, a last line without an end gets one', () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[^\n]*$/)), (lines) => {
        const text = lines.map((line) => `${line}\n`).join('');
        expect(textOf(bufferOf(text))).toBe(text);
      }),
    );
    expect(textOf(bufferOf('a'))).toBe('a\n');
  });

  it('appends, inserts and changes lines up to a line with a single dot', () => {
    expect(edit('a\nb\n', '1a', 'x', 'y', '.').text).toBe('a\nx\ny\nb\n');
    expect(edit('a\nb\n', '1i', 'x', '.').text).toBe('x\na\nb\n');
    expect(edit('a\nb\n', '2c', 'x', '.').text).toBe('a\nx\n');
    expect(edit('', 'a', 'first', '.').text).toBe('first\n');
  });

  it('prints, deletes and substitutes in ranges', () => {
    expect(edit('a\nb\nc\n', '1,2n').output).toBe('1\ta\n2\tb\n');
    expect(edit('a\nb\nc\n', '2,$d').text).toBe('a\n');
    expect(edit('m = 64\nn = 64\n', ',s/64/128/').text).toBe('m = 128\nn = 128\n');
    expect(edit('aa\n', 's/a/b/g').text).toBe('bb\n');
  });

  it('warns once before changes are lost', () => {
    expect(edit('a\n', 'd', 'q').quit).toBe(false);
    expect(edit('a\n', 'd', 'q', 'q')).toMatchObject({ quit: true, save: false });
    expect(edit('a\n', 'd', ':wq')).toMatchObject({ quit: true, save: true });
  });

  it('answers nonsense with a question mark and changes nothing', () => {
    fc.assert(
      fc.property(fc.string(), (command) => {
        const { text } = edit('a\n', '7d', 'zz', '2,1p');
        expect(text).toBe('a\n');
        expect(() => edit('a\nb\n', command)).not.toThrow();
      }),
    );
  });
});

it.each([
  ['a\nbb\nc\n', '/b*$/p', 'bb\n'],
  ['a\nb\nc\n', '/a/,/b/n', '1\ta\n2\tb\n'],
  ['a\nb\nc\n', '$-1p', 'b\n'],
  ['a\nb\nc\n', '2,p', 'b\nc\n'],
  ['memory = 64\n', 's/\\([a-z]*\\) = .*/\\1 = "&"/', 'memory = "memory = 64"\n'],
  ['/a/b\n', 's,/a,/c,', '/c/b\n'],
  ['/a/b\n', 's/\\/a/x/', 'x/b\n'],
])('in %j, %s prints %j', (text, command, output) => {
  expect(edit(text, '1', command).output.split('\n').slice(1).join('\n')).toBe(output);
});

const programs = [...editorPrograms, ...textPrograms];

it('edits a file line by line where there is no page, without loss of what is not ASCII', () => {
  const machine = testKernel(programs);
  machine.run(['tee', '/tmp/f'], { stdin: 'memory = 64\n' });
  const { status, stdout } = machine.run(['vi', 'f'], { cwd: '/tmp', stdin: 's/64/128/\na\n# größer\n.\n:wq\n' });
  expect({ status, stdout }).toEqual({ status: 0, stdout: '"f" 1 lines\nmemory = 128\n"f" 2L, 24C written\n' });
  expect(machine.run(['cat', '/tmp/f']).stdout).toBe('memory = 128\n# größer\n');
});

it('view writes no file but another', () => {
  const machine = testKernel(programs);
  machine.run(['tee', '/tmp/f'], { stdin: 'a\n' });
  machine.run(['view', '/tmp/f'], { stdin: '1d\nw\nw /tmp/g\nq!\n' });
  expect(machine.run(['wc', '-l', '/tmp/f', '/tmp/g']).stdout).toBe('1 /tmp/f\n0 /tmp/g\n1 total\n');
});

describe('on a terminal', () => {
  const onTerminal = (edit: () => Promise<{ status: number; value?: unknown }>) => {
    const machine = testKernel(programs);
    let asked: unknown;
    machine.kernel.registerOperation('edit', (argument) => {
      asked = argument;
      return edit();
    });
    const session = machine.session(['vi', '/etc/hostname']);
    machine.advance(10);
    return { machine, session, asked: () => asked };
  };

  it("waits until the page's editor was closed", async () => {
    let close: (it: { status: number }) => void = () => undefined;
    const { machine, session, asked } = onTerminal(() => new Promise((done) => (close = done)));
    expect(asked()).toEqual({ path: '/etc/hostname' });
    machine.advance(1000);
    expect(session.screen).toBe('"/etc/hostname" is open in the editor pane; close it there to go on\r\n');
    close({ status: 0 });
    await Promise.resolve();
    await Promise.resolve();
    machine.advance(100);
    expect(session.isClosed).toBe(true);
  });

  it('edits by lines when there is no page', async () => {
    const { machine, session } = onTerminal(() => Promise.resolve({ status: 1, value: 'no editor' }));
    await Promise.resolve();
    await Promise.resolve();
    machine.advance(100);
    expect(session.screen).toBe('"/etc/hostname" [New File]\r\n:');
    session.type('a\nnew\n.\nx\n');
    machine.advance(100);
    expect(session.isClosed).toBe(true);
    expect(machine.run(['cat', '/etc/hostname']).stdout).toBe('new\n');
  });
});
