import { describe, expect, it } from 'vitest';
import { dom0Pages, integerOption, parseCommandLine, parseDom0Memory, parseSize } from './commandLine';

describe("Xen's command line", () => {
  it('drops the image name and keeps what follows -- for Domain-0', () => {
    const line = parseCommandLine('/xen.gz dom0_mem=512M noreboot no-bootscrub sched=sedf -- ro quiet');
    expect(line.text).toBe('dom0_mem=512M noreboot no-bootscrub sched=sedf');
    expect(Object.fromEntries(line.options)).toEqual({
      dom0_mem: '512M',
      noreboot: '',
      bootscrub: 'no',
      sched: 'sedf',
    });
    expect(line.dom0).toBe('ro quiet');
    expect(parseCommandLine('').text).toBe('');
  });

  it('reads numbers in any base and sizes in KiB unless a letter follows', () => {
    const { options } = parseCommandLine('a=0x10 b=12 c=none');
    expect(['a', 'b', 'c', 'd'].map((name) => integerOption(options, name))).toEqual([16, 12, undefined, undefined]);
    expect(['64', '64k', '2M', '1g', '100b', ''].map(parseSize)).toEqual([
      65536,
      65536,
      2 ** 21,
      2 ** 30,
      100,
      undefined,
    ]);
  });

  it('computes the memory of Domain-0 as Xen does', () => {
    const pages = (text: string | undefined) => dom0Pages(parseDom0Memory(text), 100_000);
    expect(pages(undefined)).toBe(100_000 - 6250);
    expect(pages('64M')).toBe(64 * 256);
    expect(pages('-64M')).toBe(100_000 - 64 * 256);
    expect(pages('min:128M,64M')).toBe(128 * 256);
    expect(pages('max:32M')).toBe(32 * 256);
    expect(pages('9G')).toBe(100_000);
  });
});
