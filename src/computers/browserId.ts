/** Tells this browser's invitations from those of others. It names nobody and is sent to nobody but in an invitation or answer. */

const KEY = 'xen-lab.browser';

export function browserId(): string {
  const known = localStorage.getItem(KEY);
  if (known) return known;
  const made = crypto.randomUUID();
  localStorage.setItem(KEY, made);
  return made;
}
