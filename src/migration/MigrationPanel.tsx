/** The picture of live migration: what goes, what has arrived, round by round, and how long the guest stood still. */
import { useEffect, useMemo, useState } from 'react';
import { useLab } from '../store/labStore';
import { formatVirtualTime } from '../workbench/format';
import { CancelButton } from './CancelButton';
import { DowntimeFigure, DowntimeTable } from './Downtime';
import { Facts } from './Facts';
import { Guide } from './Guide';
import { Halves } from './Halves';
import { LinkControl } from './LinkControl';
import './migration.css';
import { markSeen } from './offer';
import { Presenter } from './Presenter';
import { hostsOf, type MigrationPair, mainOf, pairsOf } from './pairs';
import { RatePlot } from './RatePlot';
import { RoundsTable } from './RoundsTable';
import { TypedCommand } from './TypedCommand';
import { text } from './text';
import { WorkloadControl } from './WorkloadControl';
import { useWatchedMigrations } from './watching';

export function MigrationPanel() {
  useWatchedMigrations();
  const records = useLab((state) => state.migrations);
  const pairs = useMemo(() => pairsOf(records), [records]);
  const newest = pairs.at(-1);
  /** Undefined: whichever is the newest. */
  const [chosen, setChosen] = useState<string>();
  const [isPresenting, setPresenting] = useState(false);
  const newestId = newest?.id;
  useEffect(() => {
    setChosen(undefined);
    if (newestId !== undefined) markSeen();
  }, [newestId]);
  const pair = pairs.find(({ id }) => id === chosen) ?? newest;
  return (
    <div className="panel migration">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region needs a tab stop */}
      <section className="migration-scroll" tabIndex={0} aria-label={text.label} data-autofocus>
        {pair ? (
          <>
            <Bar pair={pair} pairs={pairs} onChoose={setChosen} onPresent={() => setPresenting(true)} />
            {/* One drawing of a map at a time: what glows fades with each. */}
            {!isPresenting && <Halves pair={pair} isNewest={pair === newest} />}
            <Numbers pair={pair} />
          </>
        ) : (
          <Guide />
        )}
        <div className="migration-controls">
          <LinkControl />
          <WorkloadControl />
        </div>
      </section>
      {isPresenting && pair && <Presenter pair={pair} onClose={() => setPresenting(false)} />}
    </div>
  );
}

interface BarProps {
  readonly pair: MigrationPair;
  readonly pairs: readonly MigrationPair[];
  readonly onChoose: (id: string) => void;
  readonly onPresent: () => void;
}

function Bar({ pair, pairs, onChoose, onPresent }: BarProps) {
  const own = useLab((state) => state.host?.name);
  const isOwn = pair.source !== undefined && pair.source.host === own;
  return (
    <div className="migration-bar">
      <label>
        <span className="visually-hidden">{text.choose}</span>
        <select value={pair.id} onChange={({ target }) => onChoose(target.value)}>
          {pairs.toReversed().map((each) => (
            <option key={each.id} value={each.id}>
              {entryOf(each)}
            </option>
          ))}
        </select>
      </label>
      <button type="button" onClick={onPresent}>
        {text.presenter}
      </button>
      {isOwn && pair.source && <CancelButton key={pair.id} record={pair.source} />}
    </div>
  );
}

function entryOf(pair: MigrationPair): string {
  const main = mainOf(pair);
  const { from, to } = hostsOf(pair);
  return text.entry(main.domain, from, to, formatVirtualTime(main.startedMs), text.phases[main.phase]);
}

function Numbers({ pair }: { pair: MigrationPair }) {
  return (
    <div className="migration-numbers">
      <section aria-labelledby="migration-rounds">
        <h3 id="migration-rounds">{text.rounds}</h3>
        <RoundsTable pair={pair} />
      </section>
      <section aria-labelledby="migration-downtime">
        <h3 id="migration-downtime">{text.downtime}</h3>
        <DowntimeFigure pair={pair} />
        <DowntimeTable pair={pair} />
      </section>
      <section aria-labelledby="migration-rate">
        <h3 id="migration-rate">{text.rate}</h3>
        <RatePlot key={pair.id} record={mainOf(pair)} />
      </section>
      <section aria-label={text.facts.phase}>
        <Facts pair={pair} />
      </section>
      <section aria-labelledby="migration-log">
        <h3 id="migration-log">{text.log}</h3>
        <TypedCommand command={text.logCommand} />
        <p className="quiet small">{text.logHint}</p>
      </section>
    </div>
  );
}
