/** Policy tools that a program of Domain-0 has opened: which file it named, and who waits until the pane is closed. */
import { create } from 'zustand';
import type { LabApi, PolicyTool } from '../../workers/contract';
import { useLab } from '../store/labStore';

/** The pane of a tool. */
export const toolPanels = { xensec_ezpolicy: 'ezpolicy', xensec_gen: 'xensec_gen' } as const satisfies Record<
  PolicyTool,
  string
>;

interface Tools {
  readonly waiting: Readonly<Record<PolicyTool, readonly number[]>>;
  /** A workload definition that ezPolicy is to open. */
  readonly path: string | undefined;
}

const none: Tools = { waiting: { xensec_ezpolicy: [], xensec_gen: [] }, path: undefined };

export const useTools = create<Tools>()(() => none);

/** Takes over what Domain-0 has asked for; `show` brings the pane to the front. */
export function takeToolRequests(show: (panel: (typeof toolPanels)[PolicyTool]) => void): void {
  for (const { tool, path, editId } of useLab.getState().takeToolRequests()) {
    useTools.setState(({ waiting, path: before }) => ({
      waiting: { ...waiting, [tool]: [...waiting[tool], editId] },
      path: tool === 'xensec_ezpolicy' ? path : before,
    }));
    show(toolPanels[tool]);
  }
}

/** A pane was closed: the programs that opened it go on. */
export function toolClosed(api: LabApi, panel: string): void {
  for (const [tool, id] of Object.entries(toolPanels) as [PolicyTool, string][]) {
    if (id !== panel) continue;
    for (const editId of useTools.getState().waiting[tool]) void api.editDone(editId);
    useTools.setState(({ waiting }) => ({ waiting: { ...waiting, [tool]: [] }, path: undefined }));
  }
}

export function pathTaken(): void {
  useTools.setState({ path: undefined });
}
