import { ComputerStatus } from '../computers/ComputerStatus';
import { MigrationOffer } from '../migration/MigrationOffer';
import { useLab } from '../store/labStore';
import { selectDomids } from '../store/selectors';
import { HostName } from '../ui/HostName';
import { Meter } from '../ui/Meter';
import { formatLag, formatSpeed, formatVirtualTime } from './format';
import { text } from './text';

/** Less than this is no more than a hiccup, ms. */
const worthSaying = 1000;

export function StatusBar() {
  const host = useLab((state) => state.host);
  const domainCount = useLab((state) => selectDomids(state).length);
  const labels = text.status;
  if (!host) {
    return (
      <footer className="status-bar">
        <span className="status-item">{labels.starting}</span>
      </footer>
    );
  }
  const usedKiB = host.totalMemoryKiB - host.freeMemoryKiB;
  return (
    <footer className="status-bar">
      <span className="status-item" title={labels.hostHint}>
        <span className="status-name">{labels.host}</span>
        <HostName name={host.name} />
      </span>
      <span className="status-item" title={labels.timeHint}>
        <span className="status-name">{labels.time}</span>
        <span className="status-value">{formatVirtualTime(host.nowMs)}</span>
      </span>
      <span className="status-item">
        <span className="status-name">{labels.speed}</span>
        <span className="status-value">{formatSpeed(host.speed)}</span>
      </span>
      {host.lagMs >= worthSaying && (
        <span className="status-item warning" title={labels.lagHint}>
          <span className="status-value">
            {formatLag(host.lagMs)} {labels.lag}
          </span>
        </span>
      )}
      <span className="status-space" />
      <MigrationOffer />
      <ComputerStatus />
      <span className="status-item" title={labels.disksHint}>
        <span className="status-name">{labels.disks}</span>
        <span className="status-value">{host.unsavedKiB > 0 ? labels.disksUnsaved : labels.disksSaved}</span>
      </span>
      <span className="status-item">{labels.domains(domainCount)}</span>
      {host.pcpuPercent.length > 0 && (
        <span className="status-item" title={labels.cpuHint(host.pcpuPercent)}>
          <span className="status-name">{labels.cpu}</span>
          {host.pcpuPercent.map((load, cpu) => (
            <Meter key={cpu} percent={load} label={`${labels.cpu} ${cpu}`} />
          ))}
        </span>
      )}
      {host.totalMemoryKiB > 0 && (
        <span className="status-item" title={labels.memoryHint}>
          <span className="status-name">{labels.memory}</span>
          <Meter percent={(usedKiB / host.totalMemoryKiB) * 100} label={labels.memory} />
          <span className="status-value">
            {Math.round(usedKiB / 1024)} / {Math.round(host.totalMemoryKiB / 1024)} MiB
          </span>
        </span>
      )}
    </footer>
  );
}
