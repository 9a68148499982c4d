import { useBench } from '../bench';
import { text } from '../text';

/** What must hold of this policy, in words, checked again with each keystroke. */
export function AssertionsView() {
  const assertions = useBench((state) => state.assertions);
  const results = useBench((state) => state.whatIf?.assertions);
  const { editAssertions } = useBench.getState();
  const words = text.assertions;
  const holding = results?.filter(({ state }) => state === 'holds').length ?? 0;
  return (
    <div className="assertions-view">
      <p className="quiet small">{words.hint}</p>
      <textarea
        aria-label={words.label}
        spellCheck={false}
        rows={Math.min(12, Math.max(4, assertions.split('\n').length + 1))}
        value={assertions}
        placeholder={words.example}
        onChange={(event) => editAssertions(event.target.value)}
      />
      <p className="quiet small">
        <code>{words.grammar}</code>
      </p>
      {results && results.length > 0 && (
        <>
          <p role="status">{words.count(holding, results.length)}</p>
          <ul className="results" aria-label={words.results}>
            {results.map(({ line, text: assertion, state, why }) => (
              <li key={line} className={`result-${state}`}>
                <span className="result-state">{words.states[state]}</span>
                <span>
                  {assertion}
                  <span className="quiet"> – {why}</span>
                </span>
              </li>
            ))}
          </ul>
        </>
      )}
    </div>
  );
}
