/**
 * Xen's own command line: words that the boot loader passes to the hypervisor.
 *
 * Source: cmdline_parse in xen/common/kernel.c and parse_size_and_unit in xen/common/lib.c, Xen 3.4. Unknown words are
 * ignored, as Xen does.
 */
export interface XenCommandLine {
  /** As printed at boot. */
  readonly text: string;
  /** Key → value; a bare word has the value '', a word with `no-` in front of it 'no'. The last of several wins. */
  readonly options: ReadonlyMap<string, string>;
  /** What stands behind ` -- `, for Domain-0's kernel. */
  readonly dom0: string;
}

/** Splits a command line whose first word is the hypervisor's image. */
export function parseCommandLine(line: string): XenCommandLine {
  const [first = '', ...rest] = line.split(' -- ');
  const words = first
    .trim()
    .split(/\s+/)
    .filter((word) => word !== '');
  const isImage = words[0]?.startsWith('/') || /^xen[^=]*$/.test(words[0] ?? '');
  const own = isImage ? words.slice(1) : words;
  const options = new Map<string, string>();
  for (const word of own) {
    const at = word.indexOf('=');
    if (at >= 0) options.set(word.slice(0, at), word.slice(at + 1));
    else if (word.startsWith('no-')) options.set(word.slice(3), 'no');
    else options.set(word, '');
  }
  return { text: own.join(' '), options, dom0: rest.join(' -- ').trim() };
}

/** A number with decimal, 0x or 0 prefix; undefined when there is none. */
export function integerOption(options: ReadonlyMap<string, string>, name: string): number | undefined {
  const value = options.get(name);
  const match = /^(0x[0-9a-f]+|\d+)/i.exec(value ?? '');
  return match ? Number(match[1]) : undefined;
}

/** `512M` → bytes; without a letter the unit is KiB. Undefined when it does not start with a number. */
export function parseSize(text: string): number | undefined {
  const match = /^(0x[0-9a-f]+|\d+)([bkmg]?)/i.exec(text);
  if (!match) return undefined;
  const shift = { b: 0, '': 10, k: 10, m: 20, g: 30 }[match[2]!.toLowerCase()]!;
  return Number(match[1]) * 2 ** shift;
}

export interface Dom0Memory {
  /** Pages; negative: all but so many. */
  readonly amount: number | undefined;
  readonly min: number;
  readonly max: number;
}

/** `dom0_mem=[min:<size>,][max:<size>,][<size>]`, in pages. */
export function parseDom0Memory(text: string | undefined): Dom0Memory {
  let amount: number | undefined;
  let min = 0;
  let max = Number.POSITIVE_INFINITY;
  for (const part of text?.split(',') ?? []) {
    const [, kind, minus, size] = /^(min:|max:)?(-?)(.*)$/.exec(part)!;
    const bytes = parseSize(size!);
    if (bytes === undefined) continue;
    const pages = (minus ? -1 : 1) * Math.floor(bytes / 4096);
    if (kind === 'min:') min = pages;
    else if (kind === 'max:') max = pages;
    else amount = pages;
  }
  return { amount, min, max };
}

/** How many pages Domain-0 gets of `available` ones (compute_dom0_nr_pages in xen/arch/x86/domain_build.c). */
export function dom0Pages(wish: Dom0Memory, available: number): number {
  const absolute = (pages: number) => (pages < 0 ? available + pages : pages);
  const standard = -Math.min(Math.floor(available / 16), 128 * 256);
  const amount = absolute(wish.amount ?? standard);
  return Math.min(available, absolute(wish.max), Math.max(absolute(wish.min), amount));
}
