import { useEffect, useState } from 'react';
import type { LabApi, PolicyDiff, PolicyDifference } from '../../../workers/contract';
import { useLab } from '../../store/labStore';
import { messageOf, unwrap } from '../../worker/connect';
import { useLabHandle } from '../../worker/LabContext';
import { useBench } from '../bench';
import { listPolicies, policyName } from '../paths';
import { text } from '../text';

const IN_FORCE = 'in force';
const SAVED = 'saved';

/** What the text says differently from another policy. */
export function DiffView() {
  const { api } = useLabHandle();
  const inForce = useLab((state) => state.policy?.policy);
  const savedXml = useBench((state) => state.savedXml);
  const [paths, setPaths] = useState<readonly string[]>([]);
  const [against, setAgainst] = useState<string>();
  useEffect(() => void listPolicies(api).then(setPaths), [api]);
  const other = against ?? (inForce ? IN_FORCE : savedXml === undefined ? undefined : SAVED);
  return (
    <>
      <label className="field">
        {text.diff.against}
        <select value={other ?? ''} onChange={(event) => setAgainst(event.target.value)}>
          {other === undefined && <option value="">{text.none}</option>}
          {inForce && <option value={IN_FORCE}>{`${text.diff.inForce} (${inForce.name} ${inForce.version})`}</option>}
          {savedXml !== undefined && <option value={SAVED}>{text.diff.saved}</option>}
          {paths.map((path) => (
            <option key={path} value={path}>
              {policyName(path)}
            </option>
          ))}
        </select>
      </label>
      {other === undefined ? <p className="quiet">{text.diff.none}</p> : <Comparison against={other} />}
    </>
  );
}

function Comparison({ against }: { against: string }) {
  const { api } = useLabHandle();
  const xml = useBench((state) => state.xml);
  const savedXml = useBench((state) => state.savedXml);
  const version = useLab((state) => state.policy?.policy?.version);
  const [diff, setDiff] = useState<PolicyDiff>();
  const [problem, setProblem] = useState<string>();
  // `version`: another policy in force is another one to compare with.
  useEffect(() => {
    let isCurrent = true;
    const compare = async () => unwrap(await api.comparePolicies(await textOf(api, against, savedXml), xml));
    compare().then(
      (value) => {
        if (!isCurrent) return;
        setDiff(value);
        setProblem(undefined);
      },
      (error: unknown) => isCurrent && setProblem(messageOf(error)),
    );
    return () => {
      isCurrent = false;
    };
  }, [api, against, xml, savedXml, version]);
  if (problem !== undefined) return <p className="warning">{problem}</p>;
  if (!diff) return null;
  if (diff.differences.length === 0 && diff.consequences.length === 0) return <p role="status">{text.diff.same}</p>;
  return (
    <>
      <Differences title={text.diff.differences} list={diff.differences} />
      {diff.consequences.length > 0 && <Differences title={text.diff.consequences} list={diff.consequences} />}
    </>
  );
}

async function textOf(api: LabApi, against: string, savedXml: string | undefined): Promise<string> {
  if (against === SAVED) return savedXml ?? '';
  if (against === IN_FORCE) return unwrap(await api.policyInForce()) ?? '';
  return new TextDecoder().decode(unwrap(await api.readFile(against)));
}

function Differences({ title, list }: { title: string; list: readonly PolicyDifference[] }) {
  const { revealLine } = useBench.getState();
  return (
    <table className="facts-table diff">
      <caption>{title}</caption>
      <tbody>
        {list.map(({ kind, what, detail, line }, at) => (
          <tr key={at}>
            <td className={`diff-${kind}`}>{text.diff.kinds[kind]}</td>
            <th scope="row">
              {line ? (
                <button type="button" className="plain" onClick={() => revealLine(line)}>
                  {what}
                </button>
              ) : (
                what
              )}
            </th>
            <td>{detail}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
