import { useEffect, useState } from 'react';
import type { PolicyFlows } from '../../../workers/contract';
import { useLabHandle } from '../../worker/LabContext';
import { useBench } from '../bench';
import { text } from '../text';
import { Broken } from './Broken';
import { flowPath, flowsFrom } from './flowPath';

/** Where information can get through labels that are trusted to keep it apart. */
export function FlowsView() {
  const { api } = useLabHandle();
  const reading = useBench((state) => state.analysis?.policy);
  const xml = useBench((state) => state.xml);
  const selected = useBench((state) => state.label);
  const [ignored, setIgnored] = useState<readonly string[]>();
  const [flows, setFlows] = useState<PolicyFlows | null>();
  const bootstrap = reading?.form.bootstrap;
  // Domain-0's label reaches everything: what is of interest is what flows beside it.
  const without = ignored ?? (bootstrap === undefined ? [] : [bootstrap]);
  const key = without.join('\n');

  useEffect(() => {
    let isCurrent = true;
    void api.policyFlows(xml, key === '' ? [] : key.split('\n')).then((result) => {
      if (isCurrent && result.ok) setFlows(result.value);
    });
    return () => {
      isCurrent = false;
    };
  }, [api, xml, key]);

  if (!reading) return <Broken />;
  if (flows === null) return <p className="warning">{text.flows.tooLarge}</p>;
  if (!flows) return null;
  const toggle = (name: string) =>
    setIgnored(without.includes(name) ? without.filter((each) => each !== name) : [...without, name]);
  const from = selected !== undefined && flows.labels.includes(selected) ? selected : flows.labels[0]!;
  return (
    <>
      <p className="quiet small">{text.flows.intro}</p>
      {flows.trusted.length === 0 ? (
        <p>{text.flows.none}</p>
      ) : (
        <fieldset className="choices">
          <legend>{text.flows.trusted}</legend>
          {flows.trusted.map((name) => (
            <label key={name}>
              <input type="checkbox" checked={!without.includes(name)} onChange={() => toggle(name)} />
              {name}
            </label>
          ))}
        </fieldset>
      )}
      <label className="field">
        {text.flows.from}
        <select value={from} onChange={(event) => useBench.getState().select(event.target.value)}>
          {flows.labels.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <Reach flows={flows} from={from} />
    </>
  );
}

function Reach({ flows, from }: { flows: PolicyFlows; from: string }) {
  const [label, way] = text.flows.columns;
  const rows = flowsFrom(flows, from);
  return (
    <table className="facts-table" aria-label={text.flows.reaches(from)}>
      <thead>
        <tr>
          <th scope="col">{label}</th>
          <th scope="col">{way}</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ to, hops }) => (
          <tr key={to}>
            <th scope="row">{to}</th>
            <td className={hops > 1 ? 'warning' : 'quiet'}>
              {hops === 0 && text.flows.noWay}
              {hops === 1 && text.flows.direct}
              {hops > 1 && (
                <>
                  {text.flows.through(hops - 1)} <code>{flowPath(flows, from, to).join(' → ')}</code>
                </>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
