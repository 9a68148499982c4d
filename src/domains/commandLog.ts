/** What the table's buttons have run, newest last. */
import { create } from 'zustand';
import type { LabApi } from '../../workers/contract';
import { messageOf, unwrap } from '../worker/connect';

export interface CommandRun {
  readonly id: number;
  readonly command: string;
  /** Both streams of the finished command; undefined while it runs. */
  readonly output: string | undefined;
  readonly status: number | undefined;
}

interface CommandLog {
  readonly runs: readonly CommandRun[];
  readonly run: (api: LabApi, command: string) => Promise<void>;
}

const keptRuns = 20;

export const useCommandLog = create<CommandLog>()((set, get) => ({
  runs: [],
  run: async (api, command) => {
    const id = (get().runs.at(-1)?.id ?? 0) + 1;
    set(({ runs }) => ({ runs: [...runs, { id, command, output: undefined, status: undefined }].slice(-keptRuns) }));
    const finish = (output: string, status: number) =>
      set(({ runs }) => ({ runs: runs.map((run) => (run.id === id ? { ...run, output, status } : run)) }));
    try {
      const { stdout, stderr, status } = unwrap(await api.exec(command));
      finish(`${stdout}${stderr}`.trimEnd(), status);
    } catch (error) {
      finish(messageOf(error), 1);
    }
  },
}));
