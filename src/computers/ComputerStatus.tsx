import { openComputerDialog } from './dialog';
import { useComputer } from './otherComputer';
import { text } from './text';

/** In the status bar, once there was a connection: whether it is there. */
export function ComputerStatus() {
  const connection = useComputer((state) => state.connection);
  const isConnected = connection.phase === 'connected' && !connection.isStalled;
  const isKnown = connection.phase === 'connected' || connection.phase === 'lost';
  return (
    <span className="status-item" role="status">
      {isKnown && (
        <>
          <span className="status-name">{text.status}</span>
          <button type="button" className={isConnected ? '' : 'warning'} onClick={openComputerDialog}>
            {isConnected ? text.statusConnected(connection.host) : text.statusLost(connection.host)}
          </button>
        </>
      )}
    </span>
  );
}
