import { useState } from 'react';
import { useShallow } from 'zustand/react/shallow';
import { useCommandLog } from '../domains/commandLog';
import { useLab } from '../store/labStore';
import { useLabHandle } from '../worker/LabContext';
import { text } from './text';

const kinds = ['idle', 'web', 'game', 'memory'] as const;
type Kind = (typeof kinds)[number];
/** What the slider's places mean, pages a second. */
const rates = [0, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000];

/** `KIND PAGES_PER_SECOND`; anything else is no workload that the slider could show. */
export function parseWorkload(value: string): { readonly kind: Kind; readonly pages: number } | undefined {
  const [, word, number] = /^(\w+) (\d+)$/.exec(value) ?? [];
  const kind = kinds.find((each) => each === word);
  return kind && number !== undefined ? { kind, pages: Number(number) } : undefined;
}

/** How much memory a guest writes to, while one watches what that does to its migration. */
export function WorkloadControl() {
  const { api } = useLabHandle();
  const domains = useLab(
    useShallow((state) =>
      Object.values(state.domains)
        .filter(({ domid }) => domid !== 0)
        .map(({ domid, name }) => `${domid} ${name}`),
    ),
  );
  const [chosen, setChosen] = useState<number>();
  const run = useCommandLog((log) => log.run);
  const guests = domains.map((line) => ({ domid: Number.parseInt(line, 10), name: line.slice(line.indexOf(' ') + 1) }));
  const guest = guests.find(({ domid }) => domid === chosen) ?? guests[0];
  const value = useLab((state) => (guest ? state.workloads[guest.domid] : undefined));
  const now = parseWorkload(value ?? '') ?? { kind: 'idle' as const, pages: 0 };
  const key = `/local/domain/${guest?.domid ?? 'DOMID'}/data/workload`;
  const isOff = value === undefined;
  const commandFor = (kind: Kind, pages: number) => `xenstore-write ${key} '${kind} ${pages}'`;
  const last = useCommandLog((log) => log.runs.findLast(({ command }) => command.startsWith('xenstore-write ')));
  const place = rates.findLastIndex((rate) => rate <= now.pages);
  const write = (kind: Kind, pages: number) => void run(api, commandFor(kind, pages));
  return (
    <fieldset className="workload-control">
      <legend>{text.workload.heading}</legend>
      <label>
        {text.workload.domain}{' '}
        <select value={guest?.domid ?? ''} onChange={({ target }) => setChosen(Number(target.value))} disabled={!guest}>
          {guests.map(({ domid, name }) => (
            <option key={domid} value={domid}>
              {name} ({domid})
            </option>
          ))}
        </select>
      </label>
      <label>
        {text.workload.kind}{' '}
        <select
          value={now.kind}
          disabled={isOff}
          onChange={({ target }) => write(target.value as Kind, now.pages)}
          aria-describedby="workload-reason"
        >
          {kinds.map((kind) => (
            <option key={kind} value={kind}>
              {text.workload.kinds[kind]}
            </option>
          ))}
        </select>
      </label>
      <label className="workload-slider">
        {text.workload.pages}{' '}
        <input
          type="range"
          min={0}
          max={rates.length - 1}
          value={Math.max(0, place)}
          disabled={isOff}
          aria-valuetext={text.workload.pagesValue(now.pages)}
          aria-describedby="workload-reason"
          onChange={({ target }) => write(now.kind, rates[Number(target.value)]!)}
        />{' '}
        <span className="value">{text.workload.pagesValue(now.pages)}</span>
      </label>
      <p id="workload-reason" className="quiet small">
        {!guest ? text.workload.noDomain : isOff ? text.workload.noKey(key) : text.workload.hint}{' '}
        {guest && !isOff && <code>{commandFor(now.kind, now.pages)}</code>}
      </p>
      {last?.status !== undefined && last.status !== 0 && (
        <p role="alert" className="warning small">
          {text.workload.failed(last.output ?? '')}
        </p>
      )}
    </fieldset>
  );
}
