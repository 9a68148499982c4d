/** Asks the worker about the text and the assertions whenever they, or the machine, have changed. */
import { useEffect } from 'react';
import { useLab } from '../store/labStore';
import { useLabHandle } from '../worker/LabContext';
import { useBench } from './bench';

/** Between the last keystroke and the question, ms. */
const PAUSE_MS = 120;

export function useAnalysis(): void {
  const { api } = useLabHandle();
  const isOn = useLab((state) => state.machine.phase === 'on');
  const live = useLab((state) => state.policy);
  const xml = useBench((state) => state.xml);
  const assertions = useBench((state) => state.assertions);
  // The same text opened again is looked at again.
  const isUnknown = useBench((state) => state.analysis === undefined);
  const isUnforeseen = useBench((state) => state.whatIf === undefined);

  useEffect(() => {
    if (!isOn || xml === '') return undefined;
    const timer = setTimeout(async () => {
      const result = await api.analysePolicy(xml);
      if (result.ok) useBench.getState().analysed(xml, result.value);
    }, PAUSE_MS);
    return () => clearTimeout(timer);
  }, [api, isOn, xml, isUnknown]);

  useEffect(() => {
    if (!isOn || xml === '' || !live) return undefined;
    const timer = setTimeout(async () => {
      const result = await api.whatIfPolicy(xml, assertions);
      if (result.ok) useBench.getState().foreseen(xml, result.value);
    }, PAUSE_MS);
    return () => clearTimeout(timer);
    // `live` is what the answer depends on, though the question does not name it.
  }, [api, isOn, xml, assertions, live, isUnforeseen]);
}
