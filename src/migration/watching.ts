/** Maps and workloads come only while a pane looks at them. */
import { useEffect } from 'react';
import { useLab } from '../store/labStore';
import { useLabHandle } from '../worker/LabContext';

/** Call in a pane that shows memory maps. */
export function useWatchedMigrations(): void {
  const { api } = useLabHandle();
  const isOn = useLab((state) => state.machine.phase === 'on');
  useEffect(() => {
    if (!isOn) return undefined;
    void api.watchMigrations(true);
    return () => void api.watchMigrations(false);
  }, [api, isOn]);
}
