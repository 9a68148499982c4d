/** The second host that this page holds in a frame: whether it is there, and what it is called. */
import { create } from 'zustand';

export type SecondHost =
  | { readonly phase: 'closed' }
  | { readonly phase: 'open'; readonly name: string | undefined }
  | { readonly phase: 'stopping'; readonly name: string | undefined };

interface SecondHostStore {
  readonly host: SecondHost;
  /** A tab was asked for, and the browser has not opened it. */
  readonly isTabBlocked: boolean;
}

export const useSecondHost = create<SecondHostStore>()(() => ({ host: { phase: 'closed' }, isTabBlocked: false }));

/** One at a time. */
export function openSecondHost(): void {
  const { host } = useSecondHost.getState();
  useSecondHost.setState({
    isTabBlocked: false,
    ...(host.phase === 'closed' ? { host: { phase: 'open', name: undefined } } : {}),
  });
}

/** Its machine stores what had reached its disks and is off; then the frame goes. */
export function closeSecondHost(): void {
  const { host } = useSecondHost.getState();
  if (host.phase === 'open') useSecondHost.setState({ host: { ...host, phase: 'stopping' } });
}

export function secondHostNamed(name: string): void {
  const { host } = useSecondHost.getState();
  if (host.phase === 'open') useSecondHost.setState({ host: { ...host, name } });
}

export function secondHostGone(): void {
  useSecondHost.setState({ host: { phase: 'closed' } });
}

export function setTabBlocked(isTabBlocked: boolean): void {
  useSecondHost.setState({ isTabBlocked });
}

/** A tab is a machine: the next one has its own name, and is on the same network. */
export function openTab(): void {
  setTabBlocked(window.open(window.location.pathname, '_blank') === null);
}
