/** The `xm` commands behind the buttons of a row; the student reads them in the tooltip and below the table. */
import type { DomainState } from '../../workers/contract';

export type DomainAction = 'pause' | 'unpause' | 'shutdown' | 'destroy';

/** Domain-0 is the machine's control domain: xm refuses these for it, so it has no buttons. */
export function actionsFor(domain: DomainState): readonly DomainAction[] {
  if (domain.domid === 0) return [];
  const isPaused = domain.state.includes('p');
  return [isPaused ? 'unpause' : 'pause', 'shutdown', 'destroy'];
}

export function commandFor(action: DomainAction, domain: DomainState): string {
  return `xm ${action} ${quoteWord(domain.name)}`;
}

/** A word for the shell: quoted only when it must be. */
export function quoteWord(word: string): string {
  return /^[\w./:+@%-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
