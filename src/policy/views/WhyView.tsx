import { useState } from 'react';
import type { PolicyDecision, PolicyLabelView, PolicyLive } from '../../../workers/contract';
import { useLab } from '../../store/labStore';
import { formatVirtualTime } from '../../workbench/format';
import { useBench } from '../bench';
import { explainBridge, explainDecision } from '../explainDecision';
import { text } from '../text';

/** Every decision with its reason, the newest first. */
export function WhyView() {
  const decisions = useLab((state) => state.decisions);
  const chosen = useBench((state) => state.decision);
  const [isOnlyRefusals, setOnlyRefusals] = useState(true);
  const [filter, setFilter] = useState('');
  const wanted = decisions.filter((each) => !isOnlyRefusals || isRefusal(each) || each.number === chosen);
  const shown = wanted
    .filter((each) => explainDecision(each).join(' ').toLowerCase().includes(filter.toLowerCase()))
    .reverse();
  const decision = decisions.find(({ number }) => number === chosen);
  return (
    <div className="why-view">
      <div className="view-head">
        <label>
          <input type="checkbox" checked={isOnlyRefusals} onChange={(event) => setOnlyRefusals(event.target.checked)} />
          {text.why.onlyRefusals}
        </label>
        <input
          type="search"
          aria-label={text.why.filter}
          placeholder={text.why.filter}
          value={filter}
          onChange={(event) => setFilter(event.target.value)}
        />
      </div>
      {chosen !== undefined && <Explanation decision={decision} />}
      {shown.length === 0 ? (
        <p className="quiet">
          {decisions.length === 0 ? text.why.empty : wanted.length === 0 ? text.why.noRefusal : text.why.noMatch}
        </p>
      ) : (
        <DecisionList decisions={shown} chosen={chosen} />
      )}
      <Unmediated />
      <Statistics />
    </div>
  );
}

function isRefusal({ isPermitted, verdict }: PolicyDecision): boolean {
  return !isPermitted || verdict?.isPermitted === false;
}

function DecisionList({ decisions, chosen }: { decisions: readonly PolicyDecision[]; chosen: number | undefined }) {
  const { explain } = useBench.getState();
  return (
    <ul className="decisions" aria-label={text.why.list}>
      {decisions.map((decision) => (
        <li key={decision.number}>
          <button
            type="button"
            className="link-row"
            aria-pressed={decision.number === chosen}
            onClick={() => explain(decision.number)}
          >
            <span className="quiet number">{formatVirtualTime(decision.atMs)}</span>
            <span className={isRefusal(decision) ? 'bad' : 'good'}>{isRefusal(decision) ? '✕' : '✓'}</span>
            <span>{explainDecision(decision)[0]}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}

function Explanation({ decision }: { decision: PolicyDecision | undefined }) {
  const [title, ...lines] = decision ? explainDecision(decision) : [text.why.lost];
  return (
    <section className="explanation" aria-label={text.why.explanation} aria-live="polite">
      <strong>{title}</strong>
      {lines.map((line) => (
        <span key={line}>{line}</span>
      ))}
      {decision?.verdict?.text && <code className="bad">{decision.verdict.text}</code>}
      {decision && <InText names={labelsOf(decision)} />}
    </section>
  );
}

function labelsOf({ subject, object, conflict }: PolicyDecision): readonly string[] {
  const labels = [subject?.label, object?.label, ...(conflict?.holders ?? []).map(({ label }) => label)];
  return [...new Set(labels.filter((label) => label !== undefined))];
}

const NO_LABELS: readonly PolicyLabelView[] = [];

/** The labels of a decision, as far as the text on the left has them. */
function InText({ names }: { names: readonly string[] }) {
  const labels = useBench((state) => state.analysis?.policy?.labels ?? NO_LABELS);
  const { select } = useBench.getState();
  const found = names.flatMap((name) => labels.find((label) => label.name === name && label.line > 0) ?? []);
  if (found.length === 0) return null;
  return (
    <span className="buttons small">
      {text.why.inText}
      {found.map(({ name, line }) => (
        <button key={name} type="button" className="plain" onClick={() => select(name, line)}>
          {name}
        </button>
      ))}
    </span>
  );
}

const NO_NOTES: PolicyLive['bridges'] = [];

function Unmediated() {
  const notes = useLab((state) => state.policy?.bridges ?? NO_NOTES);
  if (notes.length === 0) return null;
  return (
    <section aria-labelledby="policy-unmediated">
      <h3 id="policy-unmediated">{text.why.unmediated}</h3>
      {notes.map((note) => (
        <p key={`${note.bridge} ${note.domains[0].domid} ${note.domains[1].domid}`}>{explainBridge(note)}</p>
      ))}
    </section>
  );
}

function Statistics() {
  const counts = useLab((state) => (state.policy?.isBuilt ? state.policy.statistics : undefined));
  if (!counts) return null;
  const rows = [
    ['event_channel', counts.evtchnEvaluated, counts.evtchnDenied, counts.evtchnCacheHits],
    ['grant_table', counts.grantEvaluated, counts.grantDenied, counts.grantCacheHits],
  ] as const;
  return (
    <table className="facts-table">
      <caption>{text.why.statistics}</caption>
      <thead>
        <tr>
          <th scope="col">ste</th>
          <th scope="col" className="number">
            eval_count
          </th>
          <th scope="col" className="number">
            denied_count
          </th>
          <th scope="col" className="number">
            cache_hit_count
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map(([hook, ...values]) => (
          <tr key={hook}>
            <th scope="row">{hook}</th>
            {values.map((value, at) => (
              <td key={at} className="number">
                {value}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
