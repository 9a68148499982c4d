/** A link that carries a policy opens it in the bench; the address is tidied, so that a reload opens what was left. */
import { useEffect } from 'react';
import { showPanel } from '../workbench/layout';
import { holdsUnsaved, useBench } from './bench';
import { isShared, readShared } from './share';
import { text } from './text';

export function useSharedPolicy(): void {
  useEffect(() => {
    const take = async () => {
      if (!isShared(location.hash)) return;
      const shared = await readShared(location.hash);
      history.replaceState(null, '', `${location.pathname}${location.search}`);
      const bench = useBench.getState();
      if (!shared) bench.say({ isBad: true, text: text.damagedLink });
      else if (holdsUnsaved(bench)) bench.offer(shared);
      else bench.replace(shared);
      showPanel('policy');
    };
    void take();
    const onHashChange = () => void take();
    window.addEventListener('hashchange', onHashChange);
    return () => window.removeEventListener('hashchange', onHashChange);
  }, []);
}
