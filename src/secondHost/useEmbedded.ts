import { useEffect } from 'react';
import { useLab } from '../store/labStore';
import { enterFocus } from '../workbench/layout';
import { useLabHandle } from '../worker/LabContext';
import { isEmbedded, listenTo, type ToFrame, tellOuter } from './messages';

/** The part of a second host's own page: it says its name, switches off when told, and takes the focus. */
export function useEmbedded(): void {
  const { api } = useLabHandle();
  const name = useLab((state) => state.host?.name);
  useEffect(() => {
    if (!isEmbedded()) return undefined;
    return listenTo<ToFrame>(
      () => window.parent,
      (message) => {
        if (message.type === 'xen-lab/enter') enterFocus(message.from);
        // A refusal to store was told already, as a notice; there is nothing more to wait for.
        else if (message.type === 'xen-lab/stop') void api.stop().finally(() => tellOuter({ type: 'xen-lab/stopped' }));
      },
    );
  }, [api]);
  useEffect(() => {
    if (isEmbedded() && name) tellOuter({ type: 'xen-lab/name', name });
  }, [name]);
}
