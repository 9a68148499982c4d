import { useEffect } from 'react';
import { useLab } from '../store/labStore';
import { hostColour, hostIcon } from '../ui/hostColour';
import { text } from './text';

/** The browser's tab, too, says which machine this is: by its title, its icon, and a line in its colour above the page. */
export function useHostIdentity(): void {
  const name = useLab((state) => state.host?.name);
  useEffect(() => {
    if (name === undefined) return;
    document.title = text.pageTitle(name);
    document.documentElement.style.setProperty('--host', hostColour(name));
    document.querySelector<HTMLLinkElement>('link[rel="icon"]')?.setAttribute('href', hostIcon(name));
  }, [name]);
}
