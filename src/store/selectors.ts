/** Derived reads of the store. Those that build an array go through useShallow where they are used. */
import type { DomainState } from '../../workers/contract';
import type { LabMirror } from './applyEvent';

export function selectDomids(state: LabMirror): number[] {
  return Object.keys(state.domains)
    .map(Number)
    .sort((a, b) => a - b);
}

export function selectDomain(domid: number): (state: LabMirror) => DomainState | undefined {
  return (state) => state.domains[domid];
}

/** The id of the newest domain of this name whose console may be opened. */
export function selectConsoleOf(name: string): (state: LabMirror) => number | undefined {
  return (state) => {
    let newest: number | undefined;
    for (const domain of Object.values(state.domains))
      if (domain.name === name && domain.hasConsole) newest = Math.max(newest ?? 0, domain.domid);
    return newest;
  };
}

/** Mean load of the physical cpus in percent; 0 before the first report. */
export function selectLoadPercent(state: LabMirror): number {
  const loads = state.host?.pcpuPercent ?? [];
  return loads.length === 0 ? 0 : loads.reduce((sum, load) => sum + load, 0) / loads.length;
}
