/** The conformance log of `xm debug-keys l`, for tests: which hypercalls a domain has made, and how each was answered. */
import type { BootedHost } from './testing';

/** How a hypercall is answered that Xen 3.4 does not have, or that only other kinds of guests may make. */
export const REFUSED = 'none, refused with ENOSYS';

/** Distinct hypercalls of a domain in the order of their first use, each with its support level and what went wrong. */
export async function hypercallsOf(booted: BootedHost, domid: number): Promise<(readonly [string, string])[]> {
  await booted.exec('xm debug-keys l');
  const [, log = ''] = (await booted.exec('xm dmesg')).output.split(`Hypercalls of domain ${domid}:\n`);
  const [own = ''] = log.split('Hypercalls of domain');
  const lines = own.matchAll(/^\(XEN\) {5}(\S+(?: \w+)?): (.*) \[calls=\d+(.*)\]$/gm);
  return Array.from(lines, ([, name, support, trouble]) => [name!, `${support}${trouble}`] as const);
}
