import { useState } from 'react';
import type { MigrationRecord } from '../../workers/contract';
import { messageOf, unwrap } from '../worker/connect';
import { useLabHandle } from '../worker/LabContext';
import { isOver } from './pairs';
import { text } from './text';

/** For a migration that leaves from this machine. What xend answers stands beside it. */
export function CancelButton({ record }: { record: MigrationRecord }) {
  const { api } = useLabHandle();
  const [answer, setAnswer] = useState('');
  const cancel = async () => {
    setAnswer(text.cancelling);
    try {
      unwrap(await api.cancelMigration(record.domid));
      setAnswer(text.cancelled);
    } catch (error) {
      setAnswer(messageOf(error));
    }
  };
  return (
    <>
      {!isOver(record) && (
        <button type="button" className="danger" title={text.cancelHint} onClick={() => void cancel()}>
          {text.cancel}
        </button>
      )}
      <span role="status" className="small">
        {answer}
      </span>
    </>
  );
}
