/** The picture of migration over one host: maps and workloads while the page looks, the machine's cable, and the end of a move. */
import { DOM0 } from '../abi/xen';
import type { LabEvent, MigrationWorkloads } from '../contract';
import type { Host } from './createHost';

/** Workloads are looked at so often, ms of wall time. */
const WORKLOADS_MS = 250;

/** The key that Domain-0 writes and the guest's program watches. */
const workloadKey = (domid: number) => `/local/domain/${domid}/data/workload`;

export class LabMigration {
  #isWatched = false;
  #whole: LabEvent[] = [];
  #workloadsAtMs = Number.NEGATIVE_INFINITY;
  #lastWorkloads = '';

  constructor(private readonly host: Host) {}

  watch(isOn: boolean): null {
    this.#isWatched = isOn;
    this.#lastWorkloads = '';
    this.#whole = this.host.migrations.watch(isOn).map((pages) => ({ type: 'migrationPages', pages }));
    return null;
  }

  /** Events since the last call; cheap while nobody watches, here or on another machine. */
  report(wallMs: number): readonly LabEvent[] {
    const events: LabEvent[] = this.#whole;
    this.#whole = [];
    for (const pages of this.host.migrations.takePages()) events.push({ type: 'migrationPages', pages });
    if (this.#isWatched && wallMs - this.#workloadsAtMs >= WORKLOADS_MS) {
      this.#workloadsAtMs = wallMs;
      const workloads = this.#workloads();
      const text = JSON.stringify(workloads);
      if (text !== this.#lastWorkloads) events.push({ type: 'workloads', workloads });
      this.#lastWorkloads = text;
    }
    return events;
  }

  #workloads(): MigrationWorkloads {
    const { hypervisor, toolstack } = this.host;
    const workloads: Record<number, string> = {};
    for (const { domid } of hypervisor?.domains() ?? []) {
      const workload = domid === DOM0 ? undefined : toolstack?.peek(workloadKey(domid));
      if (workload !== undefined) workloads[domid] = workload;
    }
    return workloads;
  }
}
