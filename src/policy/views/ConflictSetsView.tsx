import type { PolicyConflictSet, PolicyLabelView, PolicyLiveSet } from '../../../workers/contract';
import { useLab } from '../../store/labStore';
import { useBench } from '../bench';
import { text } from '../text';
import { Broken } from './Broken';

const NO_SETS: readonly PolicyLiveSet[] = [];

/** Conflict sets of the text, beside them what the hypervisor counts at the moment. */
export function ConflictSetsView() {
  const reading = useBench((state) => state.analysis?.policy);
  const live = useLab((state) => state.policy?.conflictSets ?? NO_SETS);
  const inForce = useLab((state) => state.policy?.policy);
  if (!reading) return <Broken />;
  if (reading.conflictSets.length === 0) return <p className="quiet">{text.sets.empty}</p>;
  return (
    <>
      {inForce && live.length > 0 && (
        <p className="quiet small">{text.sets.countsOf(`${inForce.name} ${inForce.version}`)}</p>
      )}
      {reading.conflictSets.map((set) => (
        <ConflictSet
          key={`${set.name} ${set.line}`}
          set={set}
          labels={reading.labels}
          live={live.find(({ name }) => name === set.name)}
        />
      ))}
    </>
  );
}

function ConflictSet(props: {
  set: PolicyConflictSet;
  labels: readonly PolicyLabelView[];
  live: PolicyLiveSet | undefined;
}) {
  const { set, labels, live } = props;
  const { revealLine } = useBench.getState();
  const words = text.sets;
  return (
    <table className="facts-table">
      <caption>
        <button type="button" className="plain" onClick={() => revealLine(set.line)}>
          {set.name}
        </button>
      </caption>
      <thead>
        <tr>
          <th scope="col">CHWALL</th>
          <th scope="col">{words.labels}</th>
          <th scope="col" className="number">
            {words.running}
          </th>
          <th scope="col" className="number">
            {words.forbidden}
          </th>
          <th scope="col">{words.holders}</th>
        </tr>
      </thead>
      <tbody>
        {set.types.map((type) => {
          const count = live?.types.find((each) => each.type === type);
          const holders = labels.filter(({ kind, chwall }) => kind === 'vm' && chwall.includes(type));
          return (
            <tr key={type} className={count && count.aggregate > 0 ? 'forbidden' : undefined}>
              <th scope="row">{type}</th>
              <td>{holders.map(({ name }) => name).join(', ')}</td>
              <td className="number">{count?.running ?? '–'}</td>
              <td className="number">{count?.aggregate ?? '–'}</td>
              <td>{count ? count.holders.join(', ') || words.nobody : '–'}</td>
            </tr>
          );
        })}
      </tbody>
      {!live && (
        <tfoot>
          <tr>
            <td colSpan={5} className="quiet small">
              {words.notInForce}
            </td>
          </tr>
        </tfoot>
      )}
    </table>
  );
}
