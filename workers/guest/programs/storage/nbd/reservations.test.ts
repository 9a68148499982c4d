import { describe, expect, it } from 'vitest';
import { isRefused, mayWrite, type Reservation, released } from './reservations';

const by = (client: number, key: string, mode: Reservation['mode']): Reservation => ({ client, key, mode });

describe('reservations of a volume', () => {
  it('let any number read, and a writer only alone', () => {
    expect(isRefused([by(1, 'a', 'r')], 'b', 'r')).toBe(false);
    expect(isRefused([by(1, 'a', 'r')], 'b', 'w')).toBe(true);
    expect(isRefused([by(1, 'a', 'w')], 'b', 'w')).toBe(true);
    expect(isRefused([by(1, 'a', 'w')], 'b', 'r')).toBe(true);
    expect(isRefused([by(1, 'a', 'w!')], 'b', 'w')).toBe(true);
    expect(isRefused([], 'b', 'w')).toBe(false);
  });

  it('do not ask for w!, and a domain is no rival of itself on another host', () => {
    expect(isRefused([by(1, 'a', 'w')], 'b', 'w!')).toBe(false);
    expect(isRefused([by(1, 'a', 'w')], 'a', 'w')).toBe(false);
  });

  it('keep hosts without a writer from writing once there are any', () => {
    expect(mayWrite([], 1)).toBe(true);
    expect(mayWrite([by(1, 'a', 'w')], 1)).toBe(true);
    expect(mayWrite([by(1, 'a', 'w')], 2)).toBe(false);
    expect(mayWrite([by(1, 'a', 'r')], 1)).toBe(false);
    expect(mayWrite([by(1, 'a', 'w'), by(2, 'b', 'w!')], 2)).toBe(true);
  });

  it('end one by one, each over its own connection', () => {
    const all = [by(1, 'a', 'w'), by(1, 'a', 'w'), by(2, 'a', 'w')];
    expect(released(all, 1, 'a')).toEqual(all.slice(1));
    expect(released(all, 2, 'a')).toEqual(all.slice(0, 2));
    expect(released(all, 3, 'a')).toEqual(all);
  });
});
