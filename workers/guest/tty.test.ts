import { beforeEach, describe, expect, it } from 'vitest';
import { Tty } from './tty';

let signals: string[];
let tty: Tty;
const bytes = (text: string) => new TextEncoder().encode(text);
const text = (given: Uint8Array | undefined) => given && new TextDecoder().decode(given);
const shown = () => text(tty.takeOutput(1000));

beforeEach(() => {
  signals = [];
  tty = new Tty(1, '/dev/console', {
    signalGroup: (pgid, signal) => void signals.push(`${pgid} ${signal}`),
    signal: (process, signal) => void signals.push(`${process.pid} ${signal}`),
    isOrphaned: () => false,
    outputReady: () => {},
  });
  tty.foreground = 7;
});

describe('cooked mode', () => {
  it('hands over whole lines, edited', () => {
    tty.input(bytes('lx\x7fs'));
    expect(tty.read(100, undefined)).toBeUndefined();
    tty.input(bytes(' /tmpp\x08\r'));
    expect(text(tty.read(100, undefined))).toBe('ls /tmp\n');
    expect(shown()).toBe('lx\b \bs /tmpp\b \b\r\n');
  });

  it('erases a whole character of several bytes, a word, a line', () => {
    tty.input(bytes('aé\x7fb\r'));
    expect(text(tty.read(100, undefined))).toBe('ab\n');
    tty.input(bytes('one two\x17x\r'));
    expect(text(tty.read(100, undefined))).toBe('one x\n');
    tty.input(bytes('one two\x15x\r'));
    expect(text(tty.read(100, undefined))).toBe('x\n');
  });

  it('takes Ctrl-D at the start of a line as the end of the file, elsewhere as the end of the piece', () => {
    tty.input(bytes('ab\x04\x04'));
    expect(text(tty.read(100, undefined))).toBe('ab');
    expect(tty.read(100, undefined)).toHaveLength(0);
  });

  it('turns Ctrl-C, Ctrl-Z and Ctrl-\\ into signals for the foreground group and drops the line', () => {
    tty.input(bytes('abc\x03\x1a\x1c'));
    expect(signals).toEqual(['7 INT', '7 TSTP', '7 QUIT']);
    expect(shown()).toBe('abc^C^Z^\\');
    tty.input(bytes('\r'));
    expect(text(tty.read(100, undefined))).toBe('\n');
  });
});

it('passes every byte in raw mode', () => {
  tty.setTermios({ icanon: false, echo: false, isig: false, icrnl: false, onlcr: false });
  tty.input(bytes('\x03\x1d\r'));
  expect(text(tty.read(100, undefined))).toBe('\x03\x1d\r');
  expect(signals).toEqual([]);
});

it('makes CR NL of NL in output and stops taking it when nobody reads', () => {
  expect(tty.write(bytes('a\nb'))).toBe(3);
  expect(shown()).toBe('a\r\nb');
  let taken = 0;
  for (let i = 0; i < 100; i++) taken += tty.write(new Uint8Array(1000));
  expect(taken).toBeLessThan(20_000);
  expect(tty.isWritable).toBe(false);
});

it('tells the foreground group of a new size, once', () => {
  tty.resize(50, 100);
  tty.resize(50, 100);
  expect(signals).toEqual(['7 WINCH']);
});
