import { useLab } from '../store/labStore';
import { HostName } from '../ui/HostName';
import { hostColour } from '../ui/hostColour';
import { MemoryMap } from './MemoryMap';
import { mapKey, mapOf } from './maps';
import { hostsOf, isOver, lastRoundOf, type MigrationPair } from './pairs';
import { text } from './text';

/** The guest's memory at both hosts; this tab's own half comes first when there is no room for two. */
export function Halves({ pair, isNewest }: { pair: MigrationPair; isNewest: boolean }) {
  const own = useLab((state) => state.host?.name);
  return (
    <div className="halves">
      {(['source', 'destination'] as const).map((role) => (
        <Half key={role} pair={pair} role={role} own={own} isNewest={isNewest} />
      ))}
    </div>
  );
}

interface HalfProps {
  readonly pair: MigrationPair;
  readonly role: 'source' | 'destination';
  readonly own: string | undefined;
  readonly isNewest: boolean;
}

function Half({ pair, role, own, isNewest }: HalfProps) {
  const record = pair[role];
  const hosts = hostsOf(pair);
  const host = role === 'source' ? hosts.from : hosts.to;
  const isOwn = record !== undefined && record.host === own;
  const key = record && mapKey(record);
  const isForgotten = key !== undefined && !isNewest && record !== undefined && isOver(record) && !mapOf(key);
  return (
    <section
      className={isOwn ? 'half own-half' : 'half'}
      aria-label={`${text[role]} ${host}`}
      style={{ borderColor: hostColour(host) }}
    >
      <h3>
        {text[role]}:{' '}
        <span className="half-host">
          <HostName name={host} />
        </span>{' '}
        {isOwn && <span className="badge-own">{text.here}</span>}
      </h3>
      {record && key !== undefined && record.pages > 0 && !isForgotten ? (
        <MemoryMap mapKey={key} role={role} host={host} pages={record.pages} lastRound={lastRoundOf(pair)} />
      ) : (
        <p className="quiet no-map">{isForgotten ? text.noMap.kept : text.noMap[role]}</p>
      )}
    </section>
  );
}
