import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { hostColour, hostIcon } from './hostColour';

const css = readFileSync('src/ui/theme.css', 'utf8');

type Rgb = readonly [number, number, number];
const rgb = (hex: string): Rgb => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)) as unknown as Rgb;

/** Variables of one theme, by name. */
function themeOf(name: string): ReadonlyMap<string, Rgb> {
  const block = css.slice(css.indexOf(`[data-theme="${name}"]`)).split('}')[0]!;
  return new Map([...block.matchAll(/--([\w-]+): (#[0-9a-f]{6})/g)].map(([, key, value]) => [key!, rgb(value!)]));
}

/** WCAG 2.1, relative luminance. */
function luminance(colour: Rgb): number {
  const [r, g, b] = colour.map((each) => {
    const share = each / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as unknown as Rgb;
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: Rgb, b: Rgb): number {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

const hosts = Array.from({ length: 8 }, (_, i) => `host${i + 1}`);
const variableOf = (name: string) => /^var\(--([\w-]+)\)$/.exec(hostColour(name))![1]!;

describe.each(['dark', 'light'])('machines in %s colours', (name) => {
  const theme = themeOf(name);
  const colours = hosts.map((host) => theme.get(variableOf(host))!);

  it('have eight colours that stand out from what they are drawn on', () => {
    for (const colour of colours)
      for (const ground of ['page', 'panel', 'raised', 'well'])
        expect(contrast(colour, theme.get(ground)!)).toBeGreaterThan(4.5);
  });

  it('are told apart', () => {
    for (const [i, a] of colours.entries())
      for (const b of colours.slice(0, i))
        expect(Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2])).toBeGreaterThan(45);
  });
});

it('a name that is no machine of this network has no colour of its own', () => {
  for (const name of ['192.0.2.12', 'host0', 'myhost2', '?']) expect(hostColour(name)).toBe('var(--muted)');
});

it('icons of two machines differ, and the cross stands out in each', () => {
  expect(new Set(hosts.map(hostIcon)).size).toBe(8);
  for (const host of hosts) {
    const fill = /fill='(#[0-9a-f]{6})'/.exec(decodeURIComponent(hostIcon(host)))![1]!;
    expect(contrast(rgb(fill), [255, 255, 255])).toBeGreaterThan(4.5);
  }
});
