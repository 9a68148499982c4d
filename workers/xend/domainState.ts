/** What the hypervisor's flags mean to an operator: the letters of `xm list`, and one word. */
import { SHUTDOWN_crash } from '../abi/xen';
import type { DomainSummary } from './api';
import type { DomainInfo } from './xc';

/** `r b p s c d`, each a dash when off; a crashed domain shows c and not s. */
export function stateLetters(info: DomainInfo): string {
  const crashed = info.shutdown && info.shutdownReason === SHUTDOWN_crash;
  const flag = (on: boolean, letter: string) => (on ? letter : '-');
  return (
    flag(info.running, 'r') +
    flag(info.blocked, 'b') +
    flag(info.paused, 'p') +
    flag(info.shutdown && !crashed, 's') +
    flag(crashed, 'c') +
    flag(info.dying, 'd')
  );
}

export function powerState(info: DomainInfo | undefined): DomainSummary['powerState'] {
  if (!info) return 'halted';
  if (info.shutdown) return info.shutdownReason === SHUTDOWN_crash ? 'crashed' : 'halted';
  return info.paused ? 'paused' : 'running';
}
