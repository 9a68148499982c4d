/** The mirror of the worker's state, and how one event changes it. Pure: same state and event, same result. */
import type {
  DomainState,
  Download,
  HostState,
  LabEvent,
  LabState,
  MigrationRecord,
  MigrationWorkloads,
  PolicyDecision,
  PolicyLive,
  PolicyTool,
} from '../../workers/contract';

export interface Notice {
  readonly id: number;
  readonly level: 'info' | 'warning' | 'error';
  readonly text: string;
  readonly offers?: 'eraseDisks' | undefined;
}

export interface EditRequest {
  readonly editId: number;
  readonly path: string;
}

export interface ToolRequest {
  readonly editId: number;
  readonly tool: PolicyTool;
  readonly path: string | undefined;
}

export interface LabMirror {
  readonly host: HostState | undefined;
  readonly domains: Readonly<Record<number, DomainState>>;
  /** The last reported cpu percentages of each domain, oldest first. */
  readonly cpuHistory: Readonly<Record<number, readonly number[]>>;
  /** Names of all domains seen since switch-on, in order of appearance: what the student has done so far. */
  readonly seenDomains: readonly string[];
  /** How often a file was reported as changed; only the difference to an earlier value means something. */
  readonly fileChanges: Readonly<Record<string, number>>;
  /** Files that `vi` in Domain-0 waits for and no editor has taken yet. */
  readonly editRequests: readonly EditRequest[];
  /** Policy tools that programs of Domain-0 wait for. */
  readonly toolRequests: readonly ToolRequest[];
  /** While a pane of the policy tools watches. */
  readonly policy: PolicyLive | undefined;
  /** The last decisions of the security policy, oldest first. */
  readonly decisions: readonly PolicyDecision[];
  /** The last migrations of this machine and of the others on its network, in the order of their first report. */
  readonly migrations: readonly MigrationRecord[];
  /** While the picture of migration watches: what is asked of the guests, by domid. */
  readonly workloads: MigrationWorkloads;
  readonly notices: readonly Notice[];
  /** What is being fetched for the machine now. */
  readonly downloads: readonly Download[];
}

export const emptyMirror: LabMirror = {
  host: undefined,
  domains: {},
  cpuHistory: {},
  seenDomains: [],
  fileChanges: {},
  editRequests: [],
  toolRequests: [],
  policy: undefined,
  decisions: [],
  migrations: [],
  workloads: {},
  notices: [],
  downloads: [],
};

/** Points kept for a domain's cpu sparkline. */
export const historyLength = 40;
const keptNotices = 20;
const keptMigrations = 60;
/** As many as the worker keeps. */
export const keptDecisions = 1000;

export function applyEvent(mirror: LabMirror, event: LabEvent): LabMirror {
  switch (event.type) {
    case 'host':
      return { ...mirror, host: event.host };
    case 'domain':
      return applyDomain(mirror, event.domain);
    case 'domainGone': {
      if (!(event.domid in mirror.domains)) return mirror;
      return {
        ...mirror,
        domains: without(mirror.domains, event.domid),
        cpuHistory: without(mirror.cpuHistory, event.domid),
      };
    }
    case 'fileChanged':
      return {
        ...mirror,
        fileChanges: { ...mirror.fileChanges, [event.path]: (mirror.fileChanges[event.path] ?? 0) + 1 },
      };
    case 'editRequested':
      return { ...mirror, editRequests: [...mirror.editRequests, { editId: event.editId, path: event.path }] };
    case 'toolRequested': {
      const { editId, tool, path } = event;
      return { ...mirror, toolRequests: [...mirror.toolRequests, { editId, tool, path }] };
    }
    case 'policy':
      return { ...mirror, policy: event.live };
    case 'decisions':
      return { ...mirror, decisions: withDecisions(mirror.decisions, event.decisions) };
    case 'migration':
      return { ...mirror, migrations: withMigration(mirror.migrations, event.migration) };
    case 'migrationPages':
      return mirror; // maps are drawn as they come: src/migration/maps.ts
    case 'workloads':
      return { ...mirror, workloads: event.workloads };
    case 'download':
      return { ...mirror, downloads: withDownload(mirror.downloads, event.download) };
    case 'notice': {
      const id = (mirror.notices.at(-1)?.id ?? 0) + 1;
      const notices = [...mirror.notices, { id, level: event.level, text: event.text, offers: event.offers }];
      return { ...mirror, notices: notices.slice(-keptNotices) };
    }
  }
}

/** Numbers that begin anew belong to another boot of the machine. */
function withDecisions(known: readonly PolicyDecision[], added: readonly PolicyDecision[]): readonly PolicyDecision[] {
  const [first] = added;
  const isNewBoot = first !== undefined && first.number <= (known.at(-1)?.number ?? 0);
  return [...(isNewBoot ? [] : known), ...added].slice(-keptDecisions);
}

/** Each host writes its own record of a migration. */
function withMigration(known: readonly MigrationRecord[], latest: MigrationRecord): readonly MigrationRecord[] {
  const isIt = (other: MigrationRecord) =>
    other.id === latest.id && other.host === latest.host && other.role === latest.role;
  if (known.some(isIt)) return known.map((record) => (isIt(record) ? latest : record));
  return [...known, latest].slice(-keptMigrations);
}

/** What is there wholly is no download any more. */
function withDownload(downloads: readonly Download[], latest: Download): readonly Download[] {
  const others = downloads.filter(({ name }) => name !== latest.name);
  return latest.loadedBytes < latest.totalBytes ? [...others, latest] : others;
}

/** One store update for a whole batch, so that the page renders once. */
export function applyEvents(mirror: LabMirror, events: readonly LabEvent[]): LabMirror {
  return events.reduce(applyEvent, mirror);
}

/** The whole state at once, as `boot` answers it. */
export function applyState(mirror: LabMirror, state: LabState): LabMirror {
  const present = new Set(state.domains.map((domain) => domain.domid));
  const gone = Object.keys(mirror.domains)
    .map(Number)
    .filter((domid) => !present.has(domid));
  return applyEvents(mirror, [
    { type: 'host', host: state.host },
    ...gone.map((domid): LabEvent => ({ type: 'domainGone', domid })),
    ...state.domains.map((domain): LabEvent => ({ type: 'domain', domain })),
    ...state.migrations.map((migration): LabEvent => ({ type: 'migration', migration })),
  ]);
}

function applyDomain(mirror: LabMirror, domain: DomainState): LabMirror {
  const known = mirror.domains[domain.domid];
  const history = [...(mirror.cpuHistory[domain.domid] ?? []), domain.cpuPercent].slice(-historyLength);
  return {
    ...mirror,
    // An equal report must not redraw the row.
    domains: known && sameDomain(known, domain) ? mirror.domains : { ...mirror.domains, [domain.domid]: domain },
    cpuHistory: { ...mirror.cpuHistory, [domain.domid]: history },
    seenDomains: mirror.seenDomains.includes(domain.name) ? mirror.seenDomains : [...mirror.seenDomains, domain.name],
  };
}

function sameDomain(a: DomainState, b: DomainState): boolean {
  return (Object.keys(a) as (keyof DomainState)[]).every((key) => a[key] === b[key]);
}

function without<T>(record: Readonly<Record<number, T>>, key: number): Record<number, T> {
  const { [key]: _removed, ...rest } = record;
  return rest;
}
