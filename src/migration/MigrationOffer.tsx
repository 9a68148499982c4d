import { useMemo } from 'react';
import { useLab } from '../store/labStore';
import { showPanel } from '../workbench/layout';
import { useOffer } from './offer';
import { hostsOf, type MigrationPair, mainOf, pairsOf } from './pairs';
import { text } from './text';

/** In the status bar: a migration has begun, and its picture can be shown. Nothing opens by itself. */
export function MigrationOffer() {
  const records = useLab((state) => state.migrations);
  const pairs = useMemo(() => pairsOf(records), [records]);
  const seen = useOffer((state) => state.seen);
  const id = records.at(-1)?.id;
  const newest = pairs.find((pair) => pair.id === id);
  const isOffered = newest !== undefined && id !== seen;
  return (
    <span className="status-item" role="status" title={isOffered ? text.offerHint : undefined}>
      {isOffered && (
        <>
          <span className="status-name">{offerText(newest)}</span>
          <button type="button" onClick={() => showPanel('migration')}>
            {text.offerShow}
          </button>
        </>
      )}
    </span>
  );
}

function offerText(pair: MigrationPair): string {
  const { from, to } = hostsOf(pair);
  return text.offer(mainOf(pair).domain, from, to);
}
