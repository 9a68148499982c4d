/** Dark and light: the system's wish unless the user has chosen; colours themselves stand in theme.css. */
import type { ITheme } from '@xterm/xterm';
import { create } from 'zustand';

export type ThemeChoice = 'system' | 'dark' | 'light';

/** For canvas measurements, where a CSS variable would not be resolved; theme.css has the same stack. */
export const monospace =
  'ui-monospace, "SF Mono", "Cascadia Mono", "JetBrains Mono", Menlo, Consolas, "DejaVu Sans Mono", "Liberation Mono", monospace';

const storageKey = 'xen-lab.theme';
const darkQuery = typeof matchMedia === 'function' ? matchMedia('(prefers-color-scheme: dark)') : undefined;

function storedChoice(): ThemeChoice {
  const value = localStorage.getItem(storageKey);
  return value === 'dark' || value === 'light' ? value : 'system';
}

export function resolveTheme(choice: ThemeChoice): 'dark' | 'light' {
  if (choice !== 'system') return choice;
  return darkQuery?.matches ? 'dark' : 'light';
}

interface ThemeStore {
  readonly theme: 'dark' | 'light';
  readonly choose: (choice: ThemeChoice) => void;
}

export const useTheme = create<ThemeStore>()((set) => ({
  theme: resolveTheme(storedChoice()),
  choose: (choice) => {
    if (choice === 'system') localStorage.removeItem(storageKey);
    else localStorage.setItem(storageKey, choice);
    set({ theme: resolveTheme(choice) });
  },
}));

/** Call once before the first render: sets the attribute that theme.css looks at, and follows the system and other pages of the lab. */
export function installTheme(): void {
  const apply = () => {
    document.documentElement.dataset.theme = useTheme.getState().theme;
  };
  apply();
  useTheme.subscribe(apply);
  darkQuery?.addEventListener('change', () => {
    if (storedChoice() === 'system') useTheme.setState({ theme: resolveTheme('system') });
  });
  // Sent when another page has chosen: a tab, or the one that holds this page in a frame.
  window.addEventListener('storage', ({ key }) => {
    if (key === storageKey) useTheme.setState({ theme: resolveTheme(storedChoice()) });
  });
}

export function onThemeChange(listener: () => void): () => void {
  return useTheme.subscribe(listener);
}

export function prefersReducedMotion(): boolean {
  return typeof matchMedia === 'function' && matchMedia('(prefers-reduced-motion: reduce)').matches;
}

const terminalThemes: Record<'dark' | 'light', ITheme> = {
  dark: {
    background: '#0c1013',
    foreground: '#d4dce2',
    cursor: '#62c0d4',
    cursorAccent: '#0c1013',
    selectionBackground: '#28505c',
    black: '#2a3238',
    red: '#ec8580',
    green: '#7cc796',
    yellow: '#dcb35c',
    blue: '#7fb2e5',
    magenta: '#c79be0',
    cyan: '#62c0d4',
    white: '#d4dce2',
    brightBlack: '#8795a1',
    brightRed: '#f5a09b',
    brightGreen: '#98dcae',
    brightYellow: '#edcb80',
    brightBlue: '#a0c8f0',
    brightMagenta: '#d9b6ec',
    brightCyan: '#8ad6e6',
    brightWhite: '#ffffff',
  },
  light: {
    background: '#fcfdfd',
    foreground: '#1c252c',
    cursor: '#0a6a80',
    cursorAccent: '#ffffff',
    selectionBackground: '#bfe0e8',
    black: '#1c252c',
    red: '#ad302a',
    green: '#1b7440',
    yellow: '#835800',
    blue: '#225f9e',
    magenta: '#7b3f9d',
    cyan: '#0a6a80',
    white: '#5a6771',
    brightBlack: '#5a6771',
    brightRed: '#c43d36',
    brightGreen: '#23854c',
    brightYellow: '#946400',
    brightBlue: '#2c71b8',
    brightMagenta: '#8e4fb1',
    brightCyan: '#0f7d96',
    brightWhite: '#1c252c',
  },
};

export function currentTerminalTheme(): ITheme {
  return terminalThemes[useTheme.getState().theme];
}
