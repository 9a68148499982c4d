import { describe, expect, it } from 'vitest';
import { TestKernel, testKernel } from '../../testing';
import { textPrograms } from './index';

const text = (count: number) => Array.from({ length: count }, (_, i) => `line ${i + 1}\n`).join('');

/** The screen after the last time it was cleared. */
const lastScreen = (screen: string) => screen.split('\x1b[H\x1b[2J').at(-1)!.replaceAll('\r\n', '\n');

function paging(argv: readonly string[], lines = 100) {
  const machine = testKernel(textPrograms);
  machine.run(['tee', '/tmp/f'], { stdin: text(lines) });
  const session = machine.session(argv);
  const press = (keys: string) => {
    session.type(keys);
    machine.advance(100);
    return lastScreen(session.screen);
  };
  machine.advance(100);
  return { machine, session, press };
}

describe('less', () => {
  it('shows a screenful, goes on, back, to the end and to a pattern', () => {
    const { session, press } = paging(['less', '/tmp/f']);
    expect(lastScreen(session.screen)).toMatch(/^line 1\n(.*\n){21}line 23\n\x1b\[7m\/tmp\/f\x1b\[0m$/);
    expect(press(' ')).toMatch(/^line 24\n(.*\n){21}line 46\n:$/);
    expect(press('b')).toMatch(/^line 1\n/);
    expect(press('G')).toMatch(/^line 78\n(.*\n){21}line 100\n\x1b\[7m\(END\)/);
    expect(press('g')).toMatch(/^line 1\n/);
    expect(press('/e 5.$\n')).toMatch(/^line 50\n/);
    expect(press('n')).toMatch(/^line 51\n/);
    expect(press('N')).toMatch(/^line 50\n/);
    expect(press('/nothing\n')).toContain('Pattern not found');
    expect(press('\x1b[A')).toMatch(/^line 49\n/);
    expect(session.isClosed).toBe(false);
    press('q');
    expect(session.isClosed).toBe(true);
  });

  it('goes on in a fresh kernel, at the same place', () => {
    const { machine, press } = paging(['less', '/tmp/f']);
    press('  ');
    const copy = TestKernel.restore(textPrograms, {}, machine.save());
    expect(copy.save()).toEqual(machine.save());
  });
});

describe('more', () => {
  it('ends at the end of the text', () => {
    const { session, press } = paging(['more', '/tmp/f'], 40);
    expect(lastScreen(session.screen)).toMatch(/^line 1\n[\s\S]*--More--/);
    press(' ');
    expect(session.screen).toContain('line 40');
    expect(session.isClosed).toBe(true);
  });

  it('shows a short text without asking', () => {
    const { session } = paging(['more', '/tmp/f'], 3);
    expect(session.screen).toBe('line 1\r\nline 2\r\nline 3\r\n');
    expect(session.isClosed).toBe(true);
  });
});

it('both copy their input where the output is no terminal', () => {
  const machine = testKernel(textPrograms);
  expect(machine.run(['less'], { stdin: text(100) }).stdout).toBe(text(100));
  expect(machine.run(['more', '/nope']).stderr).toBe('/nope: No such file or directory\n');
});
