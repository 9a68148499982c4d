/** A link that carries a policy opens it in the bench; the address is tidied, so that a reload opens what was left. */
import { useEffect } from 'react';
import { showPanel } from '../workbench/layout';
import { useBench } from './bench';
import { isShared, readShared } from './share';

export function useSharedPolicy(): void {
  useEffect(() => {
    const take = async () => {
      if (!isShared(location.hash)) return;
      const shared = await readShared(location.hash);
      history.replaceState(null, '', `${location.pathname}${location.search}`);
      const { replace, say } = useBench.getState();
      if (shared) replace(shared);
      else say({ isBad: true, text: 'This link is damaged: it carries no policy.' });
      showPanel('policy');
    };
    void take();
    const onHashChange = () => void take();
    window.addEventListener('hashchange', onHashChange);
    return () => window.removeEventListener('hashchange', onHashChange);
  }, []);
}
