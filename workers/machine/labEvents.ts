/** Turns the machine's state into the events that the page's store mirrors: batched, and only what changed. */
import type { DomainState, Download, HostState, LabEvent, LabState, MigrationRecord } from '../contract';

/** Numbers that always move (times, percentages) are reported once in this many ms of wall time. */
const NUMBERS_MS = 250;

export class LabEvents {
  #host: HostState | undefined;
  readonly #domains = new Map<number, DomainState>();
  #migrations: readonly MigrationRecord[] = [];
  readonly #files = new Set<string>();
  readonly #downloads = new Map<string, Download>();
  #queue: LabEvent[] = [];
  #numbersAtMs = Number.NEGATIVE_INFINITY;

  add(event: LabEvent): void {
    this.#queue.push(event);
  }

  /** However often a file is written to between two batches, it is reported once. */
  fileChanged(path: string): void {
    this.#files.add(path);
  }

  /** However many pieces arrive between two batches, the last state is reported. */
  downloaded(download: Download): void {
    this.#downloads.set(download.name, download);
  }

  /** The events since the last batch. Call at most 20 times a second. */
  batch(state: LabState, wallMs: number): LabEvent[] {
    const hasNumbers = wallMs - this.#numbersAtMs >= NUMBERS_MS;
    if (hasNumbers) this.#numbersAtMs = wallMs;
    const events = this.#queue;
    this.#queue = [];
    for (const path of this.#files) events.push({ type: 'fileChanged', path });
    this.#files.clear();
    for (const download of this.#downloads.values()) events.push({ type: 'download', download });
    this.#downloads.clear();
    this.#hostEvents(state.host, hasNumbers, events);
    this.#domainEvents(state.domains, hasNumbers, events);
    for (const migration of state.migrations)
      if (!this.#migrations.includes(migration)) events.push({ type: 'migration', migration });
    this.#migrations = state.migrations;
    return events;
  }

  #hostEvents(host: HostState, hasNumbers: boolean, events: LabEvent[]): void {
    const before = this.#host;
    const isNews =
      !before ||
      before.phase !== host.phase ||
      before.policy !== host.policy ||
      before.speed !== host.speed ||
      !isSameLink(before.link, host.link) ||
      before.unsavedKiB > 0 !== host.unsavedKiB > 0;
    const hasMoved = !before || before.nowMs !== host.nowMs || before.freeMemoryKiB !== host.freeMemoryKiB;
    if (!isNews && !(hasNumbers && hasMoved)) return;
    this.#host = host;
    events.push({ type: 'host', host });
  }

  #domainEvents(domains: readonly DomainState[], hasNumbers: boolean, events: LabEvent[]): void {
    const present = new Set<number>();
    for (const domain of domains) {
      present.add(domain.domid);
      const before = this.#domains.get(domain.domid);
      if (before && !isNews(before, domain) && !(hasNumbers && hasMoved(before, domain))) continue;
      this.#domains.set(domain.domid, domain);
      events.push({ type: 'domain', domain });
    }
    for (const domid of this.#domains.keys()) {
      if (present.has(domid)) continue;
      this.#domains.delete(domid);
      events.push({ type: 'domainGone', domid });
    }
  }
}

/** What somebody did to it; running and blocked alternate all the time and are numbers in this sense. */
function isNews(before: DomainState, now: DomainState): boolean {
  const lasting = (state: string) => state.slice(2);
  return (
    before.name !== now.name ||
    lasting(before.state) !== lasting(now.state) ||
    before.memoryKiB !== now.memoryKiB ||
    before.maxMemoryKiB !== now.maxMemoryKiB ||
    before.onlineVcpus !== now.onlineVcpus ||
    before.hasConsole !== now.hasConsole
  );
}

function isSameLink(a: HostState['link'], b: HostState['link']): boolean {
  return a.mbitPerS === b.mbitPerS && a.latencyMs === b.latencyMs && a.isUp === b.isUp;
}

function hasMoved(before: DomainState, now: DomainState): boolean {
  return before.state !== now.state || before.cpuTimeMs !== now.cpuTimeMs || before.cpuPercent !== now.cpuPercent;
}
