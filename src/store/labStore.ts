/** The page's mirror of the worker, plus the little that only the page knows: what was typed, whether the worker lives. */
import { create } from 'zustand';
import type { LabEvent, LabState, PolicyDecision, PolicyLive } from '../../workers/contract';
import { applyEvents, applyState, type EditRequest, emptyMirror, type LabMirror, type ToolRequest } from './applyEvent';

export type Machine =
  | { readonly phase: 'starting' }
  | { readonly phase: 'on' }
  | { readonly phase: 'failed'; readonly reason: string };

export interface LabStore extends LabMirror {
  readonly machine: Machine;
  /** Command lines entered at a prompt of the serial console, newest last. */
  readonly typed: readonly string[];
  readonly receive: (events: readonly LabEvent[]) => void;
  readonly booted: (state: LabState) => void;
  readonly failed: (reason: string) => void;
  readonly commandTyped: (command: string) => void;
  /** Hands over the waiting `vi` requests; each is handed over once. */
  readonly takeEditRequests: () => readonly EditRequest[];
  /** The same for policy tools. */
  readonly takeToolRequests: () => readonly ToolRequest[];
  /** The first answer to whoever begins to watch the security policy. */
  readonly policyWatched: (now: { live: PolicyLive; decisions: readonly PolicyDecision[] }) => void;
  readonly dismissNotice: (id: number) => void;
  /** A new machine starts: everything known about the old one is forgotten. */
  readonly reset: () => void;
}

const keptCommands = 200;

export const useLab = create<LabStore>()((set, get) => ({
  ...emptyMirror,
  machine: { phase: 'starting' },
  typed: [],
  receive: (events) => set((state) => applyEvents(state, events)),
  booted: (state) => set((mirror) => ({ ...applyState(mirror, state), machine: { phase: 'on' } })),
  failed: (reason) => set({ machine: { phase: 'failed', reason } }),
  commandTyped: (command) => set(({ typed }) => ({ typed: [...typed, command].slice(-keptCommands) })),
  takeEditRequests: () => {
    const { editRequests } = get();
    if (editRequests.length > 0) set({ editRequests: [] });
    return editRequests;
  },
  takeToolRequests: () => {
    const { toolRequests } = get();
    if (toolRequests.length > 0) set({ toolRequests: [] });
    return toolRequests;
  },
  policyWatched: ({ live, decisions }) => set({ policy: live, decisions }),
  dismissNotice: (id) => set(({ notices }) => ({ notices: notices.filter((notice) => notice.id !== id) })),
  reset: () => set({ ...emptyMirror, machine: { phase: 'starting' }, typed: [] }),
}));
