/** ezPolicy's window: the definition, where it is saved, what is selected and what is open in the tree. */
import { create } from 'zustand';
import type { WorkloadDefinition } from '../../../workers/contract';
import { emptyDefinition, entryOf, startDefinition, type Workload } from './definition';

interface EzPolicy {
  readonly definition: WorkloadDefinition;
  readonly saved: WorkloadDefinition;
  /** Of the .wld file; undefined: none yet. */
  readonly path: string | undefined;
  readonly hasFile: boolean;
  /** It came from this computer: Domain-0 may hold another file of that name. */
  readonly isForeign: boolean;
  readonly selection: readonly Workload[];
  /** Organisations whose departments are shown. */
  readonly expanded: readonly string[];
  readonly status: string;
  readonly change: (definition: WorkloadDefinition) => void;
  readonly select: (workload: Workload, isMultiple: boolean) => void;
  readonly clearSelection: () => void;
  readonly expand: (organizations: readonly string[]) => void;
  readonly opened: (definition: WorkloadDefinition, path: string, isForeign: boolean) => void;
  readonly savedTo: (path: string) => void;
  readonly fresh: () => void;
  readonly say: (status: string) => void;
  readonly reset: () => void;
}

const start = {
  definition: startDefinition,
  saved: startDefinition,
  path: undefined,
  hasFile: false,
  isForeign: false,
  selection: [],
  expanded: [],
  status: '',
};

export const useEzPolicy = create<EzPolicy>()((set) => ({
  ...start,
  change: (definition) =>
    set(({ selection }) => ({
      definition,
      selection: selection.filter((each) => exists(definition, each)),
      status: '',
    })),
  select: (workload, isMultiple) =>
    set(({ selection }) => {
      const isSelected = selection.some((each) => entryOf(each) === entryOf(workload));
      if (!isMultiple) return { selection: [workload], status: '' };
      const others = selection.filter((each) => entryOf(each) !== entryOf(workload));
      return { selection: isSelected ? others : [...others, workload], status: '' };
    }),
  clearSelection: () => set({ selection: [] }),
  expand: (expanded) => set({ expanded }),
  opened: (definition, path, isForeign) =>
    set({
      definition,
      saved: definition,
      path,
      hasFile: true,
      isForeign,
      selection: [],
      expanded: definition.organizations.map(({ name }) => name),
    }),
  savedTo: (path) => set(({ definition }) => ({ saved: definition, path, hasFile: true, isForeign: false })),
  fresh: () => set({ ...start, definition: emptyDefinition, saved: emptyDefinition, hasFile: true }),
  say: (status) => set({ status }),
  reset: () => set(start),
}));

export function isUnsaved({ definition, saved }: Pick<EzPolicy, 'definition' | 'saved'>): boolean {
  return definition !== saved;
}

function exists({ organizations }: WorkloadDefinition, { organization, department }: Workload): boolean {
  const found = organizations.find(({ name }) => name === organization);
  return found !== undefined && (department === undefined || found.departments.includes(department));
}
