/** Every request that the page can make of the worker (over Comlink). */
import type { TerminalTarget } from './console';
import type { LabResult } from './errors';
import type { LabEvent, LabState } from './events';
import type { ConfigProblem, FileEntry } from './files';
import type { MigrationApi } from './migration';
import type { PolicyApi } from './policy';

export interface LabApi extends PolicyApi, MigrationApi {
  /** Switches the machine on (once). Events go to the port as arrays of LabEvent; terminals may be opened before. */
  boot(options: { readonly events: MessagePortLike }): Promise<LabResult<LabState>>;
  /** Hands the worker one end of a MessageChannel; the messages are those of contract/console.ts. */
  openTerminal(target: TerminalTarget, port: MessagePortLike, rows: number, cols: number): Promise<LabResult<null>>;
  /** Runs a command line in a root login shell of Domain-0 without a terminal. */
  exec(command: string): Promise<LabResult<{ status: number; stdout: string; stderr: string }>>;
  readFile(path: string): Promise<LabResult<Uint8Array>>;
  writeFile(path: string, data: Uint8Array): Promise<LabResult<null>>;
  listFiles(path: string): Promise<LabResult<readonly FileEntry[]>>;
  /** fileChanged events are sent for files directly in these directories. */
  watchDirectories(paths: readonly string[]): Promise<LabResult<null>>;
  /** Runs the file's Python and xend's checks on the result, without touching any domain. */
  checkConfig(path: string, text: string): Promise<LabResult<readonly ConfigProblem[]>>;
  /** The editor that `vi` asked for, or the pane of a policy tool, was closed. */
  editDone(editId: number): Promise<LabResult<null>>;
  /** 0 pauses the machine; 1 is wall time; Infinity as fast as possible. */
  setSpeed(speed: number): Promise<LabResult<null>>;
  /** Pulls the machine's plug; answered once what had reached its disks is stored. Its worker may be ended then. */
  stop(): Promise<LabResult<null>>;
  /** Pulls the plug and erases the machine's disks for good: the next worker installs new ones. */
  eraseDisks(): Promise<LabResult<null>>;
  snapshot(): Promise<LabResult<LabState>>;
}

/** Structural: contract knows neither DOM nor Node. */
export interface MessagePortLike {
  postMessage(message: unknown, transfer?: readonly unknown[]): void;
  onmessage: ((event: { data: unknown }) => void) | null;
  start?(): void;
  close(): void;
}

export type { LabEvent };
