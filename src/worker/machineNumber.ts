/** The number that this tab's machine is to have after a restart: kept by the tab, also over a reload. */

const KEY = 'xen-lab.number';

/** Undefined: the first that is free. A second host inside the page has the page's storage, and no wish of its own. */
export function wantedNumber(): number | undefined {
  if (window.parent !== window) return undefined;
  return Number(sessionStorage.getItem(KEY)) || undefined;
}

export function wantNumber(number: number): void {
  sessionStorage.setItem(KEY, String(number));
}
