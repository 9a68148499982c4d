import { beforeEach, describe, expect, it } from 'vitest';
import type { MigrationPages } from '../../workers/contract';
import { columnsFor } from './MemoryMap';
import { fade, forgetMaps, mapKey, mapOf, receivePages } from './maps';
import { countClasses, mixed, pageClasses, pageColours, pixelOf } from './pageClasses';

beforeEach(forgetMaps);

const stretch = (from: number, codes: readonly number[], id = 'a'): MigrationPages => ({
  id,
  host: 'host1',
  role: 'source',
  pages: 8,
  from,
  codes: Uint8Array.from(codes),
});
const receive = (...pages: MigrationPages[]) =>
  receivePages(pages.map((each) => ({ type: 'migrationPages', pages: each })));
const map = (id = 'a') => mapOf(mapKey({ id, host: 'host1', role: 'source' }));

describe('a memory map', () => {
  it('is put together from stretches', () => {
    receive(stretch(0, [1, 1, 1]), stretch(5, [1, 2]), stretch(1, [3]));
    expect([...map()!.codes]).toEqual([1, 3, 1, 0, 0, 1, 2, 0]);
  });

  it('glows where a page was written again after it was sent, and fades', () => {
    receive(stretch(0, [1, 0]), stretch(0, [0x81, 0x80]));
    expect([...fade(map()!).keys()]).toEqual([0]);
    const bright = [1, 2, 3].map(() => fade(map()!).get(0)!);
    expect(bright).toEqual([...bright].sort((a, b) => b - a));
    for (let n = 0; n < 40; n++) fade(map()!);
    expect(map()!.glowing.size).toBe(0);
    // It stays stale, and does not glow again until it has been sent.
    receive(stretch(0, [0x81]));
    expect(map()!.glowing.size).toBe(0);
    receive(stretch(0, [2]), stretch(0, [0x82]));
    expect([...map()!.glowing.keys()]).toEqual([0]);
  });

  it('is forgotten when others have come', () => {
    for (let n = 0; n < 9; n++) receive(stretch(0, [1], `m${n}`));
    expect(map('m0')).toBeUndefined();
    expect(map('m8')).toBeDefined();
  });

  it('has rows that end at round numbers, about half as high as wide', () => {
    expect([4096, 16_384, 32_768, 524_288].map(columnsFor)).toEqual([128, 192, 256, 1024]);
  });
});

describe('its colours', () => {
  it('count every page once', () => {
    const codes = Uint8Array.from({ length: 256 }, (_, code) => code);
    const counts = countClasses(codes, 3);
    expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBe(256);
    expect(countClasses(Uint8Array.of(0, 0x80, 1, 3, 0x83, 12, 63), 3)).toEqual({
      none: 1,
      skipped: 1,
      round1: 1,
      last: 1,
      stale: 1,
      round10: 1,
      unknown: 1,
    });
  });

  const luminance = (colour: string) => {
    const [r, g, b] = [1, 3, 5].map((at) => {
      const share = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
      return share <= 0.040_45 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    }) as [number, number, number];
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  it.each([
    ['dark', '#161b20'],
    ['light', '#f7f9fa'],
  ] as const)('stand out from a %s pane, 3 : 1 at least', (theme, pane) => {
    for (const name of pageClasses) {
      if (name === 'none') continue;
      const [low, high] = [luminance(pageColours[theme][name]), luminance(pane)].sort((a, b) => a - b);
      expect((high! + 0.05) / (low! + 0.05), name).toBeGreaterThanOrEqual(3);
    }
  });

  it('are mixed part by part', () => {
    expect(pixelOf('#123456').toString(16)).toBe('ff563412');
    expect(mixed(pixelOf('#000000'), pixelOf('#ff8000'), 0.5)).toBe(pixelOf('#804000'));
    expect(mixed(pixelOf('#123456'), pixelOf('#ffffff'), 0)).toBe(pixelOf('#123456'));
  });
});
