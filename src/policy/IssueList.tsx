import { useBench } from './bench';
import { text } from './text';

/** The text twin of the markers: every problem, each a way to its line. */
export function IssueList() {
  const issues = useBench((state) => state.analysis?.issues);
  const { revealLine } = useBench.getState();
  if (!issues) return null;
  const errors = issues.filter(({ severity }) => severity === 'error').length;
  const notes = issues.length - errors;
  return (
    <div className="policy-issues">
      <p role="status" className={errors > 0 ? 'bad small' : 'quiet small'}>
        {text.errors(errors)}
        {notes > 0 && <span className="warning"> · {text.warnings(notes)}</span>}
      </p>
      {issues.length > 0 && (
        <ul aria-label={text.issues}>
          {issues.map((issue, at) => (
            <li key={at}>
              <button type="button" className="link-row" onClick={() => revealLine(issue.line)}>
                <span className="quiet">{text.line(issue.line)}</span>
                <span className={issue.severity === 'error' ? 'bad' : 'warning'}>{issue.message}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
