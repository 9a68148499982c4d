import { useBench } from '../bench';
import { text } from '../text';

/** In place of a view, while the text is no policy. */
export function Broken({ children }: { children?: string }) {
  const hasText = useBench((state) => state.xml !== '');
  const isKnown = useBench((state) => state.analysis !== undefined);
  if (!hasText) return <p className="quiet">{text.none}</p>;
  return isKnown ? <p className="warning">{children ?? text.broken}</p> : null;
}
