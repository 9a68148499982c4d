import { useEffect, useRef } from 'react';
import { useBench } from '../bench';
import { text } from '../text';
import { Broken } from './Broken';

const NO_LINES = [] as const;

export function MapView() {
  const map = useBench((state) => state.analysis?.policy?.map ?? NO_LINES);
  const isPolicy = useBench((state) => state.analysis?.policy !== undefined);
  const labels = useBench((state) => state.analysis?.policy?.labels ?? NO_LINES);
  const selected = useBench((state) => state.label);
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    if (selected !== undefined) list.current?.querySelector('.selected')?.scrollIntoView({ block: 'nearest' });
  }, [selected]);
  if (map.length === 0) return <Broken>{isPolicy ? text.notCompiled : text.broken}</Broken>;
  const lineOf = (name: string) => labels.find((label) => label.name === name)?.line;
  return (
    <ul className="map" aria-label={text.map.label} ref={list}>
      {map.map(({ text: line, name }, at) => (
        <li key={at} className={name !== undefined && name === selected ? 'selected' : undefined}>
          {name === undefined ? (
            line || ' '
          ) : (
            <button type="button" className="plain" onClick={() => useBench.getState().select(name, lineOf(name))}>
              {line}
            </button>
          )}
        </li>
      ))}
    </ul>
  );
}
