/** xensec_gen's form, which outlives its pane while it is not saved. */
import { create } from 'zustand';
import type { PolicyForm } from '../../../workers/contract';

export interface Opened {
  readonly form: PolicyForm;
  /** The file that the form was read from; undefined: none. */
  readonly source?: string | undefined;
  /** Where it stands in Domain-0. */
  readonly path?: string | undefined;
}

interface Gen {
  readonly opened: Opened | undefined;
  /** As it was read, or handed out last. */
  readonly saved: PolicyForm | undefined;
  readonly open: (opened: Opened) => void;
  readonly change: (form: PolicyForm) => void;
  /** `path` undefined: it went to this computer. */
  readonly wasSaved: (form: PolicyForm, path?: string) => void;
  readonly reset: () => void;
}

export const useGen = create<Gen>()((set) => ({
  opened: undefined,
  saved: undefined,
  open: (opened) => set({ opened, saved: opened.form }),
  change: (form) => set(({ opened }) => ({ opened: { ...opened, form } })),
  wasSaved: (form, path) =>
    set(({ opened }) => ({ saved: form, opened: opened && path !== undefined ? { ...opened, path } : opened })),
  reset: () => set({ opened: undefined, saved: undefined }),
}));

export function isUnsaved({ opened, saved }: Pick<Gen, 'opened' | 'saved'>): boolean {
  return opened !== undefined && opened.form !== saved;
}
