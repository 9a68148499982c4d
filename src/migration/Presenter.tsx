import { useEffect, useRef } from 'react';
import { DowntimeFigure } from './Downtime';
import { Halves } from './Halves';
import { hostsOf, type MigrationPair, mainOf } from './pairs';
import { RoundsTable } from './RoundsTable';
import { text } from './text';

/** Both halves and the numbers that matter on one page, large enough for a room. */
export function Presenter({ pair, onClose }: { pair: MigrationPair; onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  const main = mainOf(pair);
  const { from, to } = hostsOf(pair);
  return (
    <dialog ref={dialog} className="presenter" aria-label={text.presenterLabel} onClose={onClose}>
      <header>
        <h2>
          {main.domain}: {from} → {to}
        </h2>
        <p className="presenter-phase">{text.phases[main.phase]}</p>
        <p className="presenter-number">{text.facts.sentValue(main.sent, main.pages)}</p>
        <button type="button" onClick={() => dialog.current?.close()}>
          {text.leavePresenter}
        </button>
      </header>
      <Halves pair={pair} isNewest />
      <div className="presenter-below">
        <DowntimeFigure pair={pair} />
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region needs a tab stop */}
        <section className="presenter-rounds" tabIndex={0} aria-label={text.rounds}>
          <RoundsTable pair={pair} />
        </section>
      </div>
    </dialog>
  );
}
