import { useLab } from '../store/labStore';
import { showPanel } from '../workbench/layout';
import { useOffer } from './offer';
import { text } from './text';

/** In the status bar: a migration has begun, and its picture can be shown. Nothing opens by itself. */
export function MigrationOffer() {
  const newest = useLab((state) => state.migrations.at(-1));
  const seen = useOffer((state) => state.seen);
  const isOffered = newest !== undefined && newest.id !== seen;
  return (
    <span className="status-item" role="status" title={isOffered ? text.offerHint : undefined}>
      {isOffered && (
        <>
          <span className="status-name">
            {newest.role === 'source'
              ? text.offer(newest.domain, newest.host, newest.peer)
              : text.offer(newest.domain, newest.peer, newest.host)}
          </span>
          <button type="button" onClick={() => showPanel('migration')}>
            {text.offerShow}
          </button>
        </>
      )}
    </span>
  );
}
