/** How words on Xen's command line are read. Source: cmdline_parse in xen/common/kernel.c (Xen 3.4). */

/** A boolean: absent is off, without a value is on. */
export function isOptionOn(options: ReadonlyMap<string, string>, name: string): boolean {
  const value = options.get(name);
  return value !== undefined && !['no', 'off', 'false', '0'].includes(value);
}

/** A number, decimal or 0x…; one that cannot be read or is negative counts as 0. */
export function numberOption(options: ReadonlyMap<string, string>, name: string, absent: number): number {
  const text = options.get(name);
  if (text === undefined) return absent;
  const value = Number(text);
  return Number.isSafeInteger(value) && value > 0 ? value : 0;
}
