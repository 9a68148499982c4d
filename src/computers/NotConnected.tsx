import { useState } from 'react';
import { useLabHandle } from '../worker/LabContext';
import { nameOf, useComputer } from './otherComputer';
import { text } from './text';

/** Machines that were connected and are not: what is undecided waits for them, unless the user knows that they are off. */
export function NotConnected() {
  const { connection, others } = useComputer();
  const { computer } = useLabHandle();
  const [asked, setAsked] = useState<number>();
  if (connection.phase === 'connected' || connection.phase === 'connecting' || others.length === 0) return null;
  return (
    <section aria-label={text.others}>
      {connection.phase === 'lost' && <p className="warning">{text.lost(connection.host)}</p>}
      {others.map((other) => {
        const host = nameOf(other);
        return (
          <div key={other.number}>
            <p>{asked === other.number ? text.isOffSure(host) : text.stillOn(host)}</p>
            {asked === other.number ? (
              <button type="button" className="danger" onClick={() => void computer.isOff(other.number)}>
                {text.isOffConfirm(host)}
              </button>
            ) : (
              <button type="button" onClick={() => setAsked(other.number)}>
                {text.isOff(host)}
              </button>
            )}
          </div>
        );
      })}
    </section>
  );
}
