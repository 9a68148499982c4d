import { useState } from 'react';
import type { LinkState } from '../../workers/contract';
import { useLab } from '../store/labStore';
import { messageOf, unwrap } from '../worker/connect';
import { useLabHandle } from '../worker/LabContext';
import { speedText } from './spanText';
import { text } from './text';

const speeds: readonly (number | null)[] = [10, 100, 1000, 10_000, null];
const latencies: readonly number[] = [0, 0.05, 1, 10, 50];

/** This machine's cable: its speed, its latency, and whether it is plugged in. */
export function LinkControl() {
  const { api } = useLabHandle();
  const link = useLab((state) => state.host?.link);
  const [refusal, setRefusal] = useState('');
  if (!link) return null;
  const change = async (part: Partial<LinkState>) => {
    try {
      unwrap(await api.changeLink(part));
      setRefusal('');
    } catch (error) {
      setRefusal(messageOf(error));
    }
  };
  return (
    <fieldset className="link-control">
      <legend>{text.link.heading}</legend>
      <label>
        {text.link.speed}{' '}
        <select
          value={String(link.mbitPerS)}
          onChange={({ target }) => void change({ mbitPerS: target.value === 'null' ? null : Number(target.value) })}
        >
          {withValue(speeds, link.mbitPerS).map((speed) => (
            <option key={String(speed)} value={String(speed)}>
              {speedText(speed)}
            </option>
          ))}
        </select>
      </label>
      <label>
        {text.link.latency}{' '}
        <select value={link.latencyMs} onChange={({ target }) => void change({ latencyMs: Number(target.value) })}>
          {withValue(latencies, link.latencyMs).map((latency) => (
            <option key={latency} value={latency}>
              {text.link.latencyOf(latency)}
            </option>
          ))}
        </select>
      </label>
      <label>
        <input type="checkbox" checked={link.isUp} onChange={({ target }) => void change({ isUp: target.checked })} />{' '}
        {text.link.plugged}
      </label>
      <p className="quiet small">{text.link.hint}</p>
      {refusal !== '' && (
        <p role="alert" className="warning small">
          {refusal}
        </p>
      )}
    </fieldset>
  );
}

/** A value that was set elsewhere is one to choose from as well. */
function withValue<T>(choices: readonly T[], value: T): readonly T[] {
  return choices.includes(value) ? choices : [value, ...choices];
}
