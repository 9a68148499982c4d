/** The keys of ezPolicy's menus, and which of them a browser lets through. */
import type { KeyboardEvent } from 'react';
import { useSyncExternalStore } from 'react';

/** `Ctrl-S`, `Alt-F`; '' for what no menu has. */
export function keyText(event: KeyboardEvent): string {
  const { ctrlKey, altKey, shiftKey, metaKey } = event;
  // Both together are AltGr, which writes letters.
  if (ctrlKey === altKey || shiftKey || metaKey) return '';
  const letter = letterOf(event);
  return letter === '' ? '' : `${ctrlKey ? 'Ctrl' : 'Alt'}-${letter}`;
}

/** The Latin letter on the key: other alphabets, and a Mac's Option key, put other characters there. */
function letterOf({ key, code }: KeyboardEvent): string {
  if (/^[a-z]$/i.test(key)) return key.toUpperCase();
  return /^Key([A-Z])$/.exec(code)?.[1] ?? '';
}

const WITHOUT_BROWSER_KEYS = '(display-mode: fullscreen), (display-mode: standalone), (display-mode: minimal-ui)';

/**
 * Whether Ctrl-N arrives here. In a tab it opens a window, whatever the page says; Chromium gives it to the page in full
 * screen and in an app's window, and on a Mac it is not the browser's key.
 */
export function useHasCtrlN(): boolean {
  return useSyncExternalStore(onDisplayChange, hasCtrlN);
}

function onDisplayChange(changed: () => void): () => void {
  const query = window.matchMedia?.(WITHOUT_BROWSER_KEYS);
  query?.addEventListener('change', changed);
  return () => query?.removeEventListener('change', changed);
}

function hasCtrlN(): boolean {
  if (navigator.platform.startsWith('Mac')) return true;
  // Firefox keeps the key in full screen as well, and has no Keyboard API.
  return 'keyboard' in navigator && window.matchMedia?.(WITHOUT_BROWSER_KEYS).matches === true;
}
