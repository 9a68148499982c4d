import type { WhatIf } from '../../../workers/contract';
import { useLab } from '../../store/labStore';
import { useBench } from '../bench';
import { text } from '../text';

/** The edited, unloaded policy held against what runs. */
export function WhatIfView() {
  const whatIf = useBench((state) => state.whatIf);
  const isOff = useLab((state) => state.policy !== undefined && state.policy.policy === undefined);
  if (isOff) return <p className="warning">{text.whatIf.off}</p>;
  if (!whatIf?.inForce) return null;
  return (
    <>
      {whatIf.isSame ? (
        <p className="quiet">{text.whatIf.same}</p>
      ) : (
        <Verdict whatIf={whatIf} inForce={whatIf.inForce} />
      )}
      <Domains whatIf={whatIf} />
      <Resources whatIf={whatIf} />
    </>
  );
}

function Verdict({ whatIf, inForce }: { whatIf: WhatIf; inForce: string }) {
  const { revealLine } = useBench.getState();
  if (whatIf.isLegal)
    return (
      <p role="status" className="good">
        {text.whatIf.legal(inForce)}
      </p>
    );
  return (
    <div role="status">
      <p className="bad">{text.whatIf.illegal(inForce)}</p>
      <ul className="reasons">
        {whatIf.reasons.map((reason, at) => {
          const words = (
            <>
              <code>{reason.code}</code> {reason.text}
            </>
          );
          const { line } = reason;
          return (
            <li key={at}>
              {line === undefined ? (
                words
              ) : (
                <button type="button" className="link-row" onClick={() => revealLine(line)}>
                  <span className="quiet">{text.line(line)}</span>
                  <span>{words}</span>
                </button>
              )}
            </li>
          );
        })}
      </ul>
    </div>
  );
}

function Domains({ whatIf }: { whatIf: WhatIf }) {
  const { columns } = text.whatIf;
  if (whatIf.domains.length === 0) return null;
  return (
    <table className="facts-table">
      <caption>{text.whatIf.domains}</caption>
      <thead>
        <tr>
          {Object.values(columns).map((title) => (
            <th key={title} scope="col">
              {title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {whatIf.domains.map((domain) => (
          <tr key={domain.domid}>
            <th scope="row">{domain.name}</th>
            <td>{domain.labelNow}</td>
            <td className={domain.labelThen === undefined ? 'bad' : undefined}>
              {domain.labelThen ?? text.whatIf.gone}
            </td>
            <Answer refusals={domain.refusals} />
            {domain.domid === 0 ? <td /> : <Answer refusals={domain.startRefusals} />}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Answer({ refusals }: { refusals: readonly string[] }) {
  if (refusals.length === 0) return <td className="good">{text.whatIf.yes}</td>;
  return (
    <td className="bad">
      {refusals.map((refusal) => (
        <div key={refusal}>{refusal}</div>
      ))}
    </td>
  );
}

function Resources({ whatIf }: { whatIf: WhatIf }) {
  if (whatIf.resources.length === 0) return null;
  return (
    <table className="facts-table">
      <caption>{text.whatIf.resources}</caption>
      <thead>
        <tr>
          {text.whatIf.resourceColumns.map((title) => (
            <th key={title} scope="col">
              {title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {whatIf.resources.map(({ name, before, after }) => (
          <tr key={name}>
            <th scope="row">
              <code>{name}</code>
            </th>
            <td>{before}</td>
            <td className={after.startsWith('INV_') ? 'bad' : undefined}>{after}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
