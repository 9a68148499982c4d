/** Facts that the worker reports, batched (at most 20 batches a second). */
import type { DomainState, HostState } from './domain';
import type { MigrationPages, MigrationRecord, MigrationWorkloads } from './migration';
import type { PolicyDecision, PolicyLive, PolicyTool } from './policy';

export interface Download {
  readonly name: string;
  readonly loadedBytes: number;
  readonly totalBytes: number;
}

export type LabEvent =
  | { readonly type: 'host'; readonly host: HostState }
  | { readonly type: 'domain'; readonly domain: DomainState }
  | { readonly type: 'domainGone'; readonly domid: number }
  /** A file or directory below /etc/xen (or another watched directory) changed in Domain-0. */
  | { readonly type: 'fileChanged'; readonly path: string }
  /** A program in Domain-0 asks for the editor pane (`vi FILE`). */
  | { readonly type: 'editRequested'; readonly path: string; readonly editId: number }
  /** A program in Domain-0 asks for one of the policy tools' panes; it waits until `editDone(editId)`, if it waits. */
  | {
      readonly type: 'toolRequested';
      readonly tool: PolicyTool;
      readonly path: string | undefined;
      readonly editId: number;
    }
  /** While somebody watches: labels, counts or the policy in force have changed. */
  | { readonly type: 'policy'; readonly live: PolicyLive }
  /** While somebody watches: decisions of the security policy, the oldest first. */
  | { readonly type: 'decisions'; readonly decisions: readonly PolicyDecision[] }
  /** A migration from or to here, or between other machines of this network, has begun or come a step further. */
  | { readonly type: 'migration'; readonly migration: MigrationRecord }
  /** While somebody watches: a stretch of a memory map, at most 20 a second for each. */
  | { readonly type: 'migrationPages'; readonly pages: MigrationPages }
  /** While somebody watches: what is asked of the guests has changed. */
  | { readonly type: 'workloads'; readonly workloads: MigrationWorkloads }
  /** Something large is on its way to this browser; gone when all of it is there. */
  | { readonly type: 'download'; readonly download: Download }
  /** A line for the page's own log: storage trouble, a broken invariant of ours. */
  | {
      readonly type: 'notice';
      readonly level: 'info' | 'warning' | 'error';
      readonly text: string;
      /** What the page should offer beside it. */
      readonly offers?: 'eraseDisks';
    };

/** The whole state at once: what the store starts from, and what the headless `snapshot` operation answers. */
export interface LabState {
  readonly host: HostState;
  readonly domains: readonly DomainState[];
  /** The last migrations, of this machine and then of the others on its network. */
  readonly migrations: readonly MigrationRecord[];
}
