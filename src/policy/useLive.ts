/** Live facts and decisions come only while a pane looks at them. */
import { useEffect } from 'react';
import type { LabApi } from '../../workers/contract';
import { useLab } from '../store/labStore';
import { useLabHandle } from '../worker/LabContext';

let watchers = 0;

async function watch(api: LabApi, isOn: boolean): Promise<void> {
  const result = await api.watchPolicy(isOn);
  if (isOn && result.ok) useLab.getState().policyWatched(result.value);
}

/** Call in a pane that shows `useLab(s => s.policy)` or the decisions. */
export function useLivePolicy(): void {
  const { api } = useLabHandle();
  const isOn = useLab((state) => state.machine.phase === 'on');
  useEffect(() => {
    if (!isOn) return undefined;
    watchers += 1;
    if (watchers === 1) void watch(api, true);
    return () => {
      watchers -= 1;
      if (watchers === 0) void watch(api, false);
    };
  }, [api, isOn]);
}
