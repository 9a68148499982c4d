/**
 * The names that stand in the form's New fields. As in xensec_gen, Enter in any field of the form adds all of them; a New
 * button adds its own.
 */
import { useState } from 'react';
import type { PolicyForm } from '../../../workers/contract';
import { text } from '../text';
import { added, type FormList, isBadName, namesIn } from './formEdits';

type Lists = Readonly<Partial<Record<FormList, string>>>;

export interface TypedNames {
  readonly names: Lists;
  readonly problems: Lists;
  readonly type: (list: FormList, name: string) => void;
  /** The form with the names of these lists (of all by default); those that cannot be added stay in their fields. */
  readonly addTo: (form: PolicyForm, lists?: readonly FormList[]) => PolicyForm;
}

const ALL: readonly FormList[] = ['steTypes', 'chwallTypes', 'conflictSets', 'vmLabels', 'resourceLabels'];

export function useTypedNames(): TypedNames {
  const [names, setNames] = useState<Lists>({});
  const [problems, setProblems] = useState<Lists>({});
  return {
    names,
    problems,
    type: (list, name) => setNames({ ...names, [list]: name }),
    addTo: (form, lists = ALL) => {
      const said: Partial<Record<FormList, string>> = {};
      const left: Partial<Record<FormList, string>> = { ...names };
      let next = form;
      for (const list of lists) {
        const name = (names[list] ?? '').trim();
        const problem = problemOf(form, list, name);
        if (problem === '') {
          next = added(next, list, name);
          delete left[list];
        } else said[list] = problem;
      }
      setNames(left);
      setProblems(said);
      return next;
    },
  };
}

/** Names are trimmed; empty ones are ignored; a known one, or one that no policy can have, is explained. */
function problemOf(form: PolicyForm, list: FormList, name: string): string {
  if (list !== 'conflictSets' && isBadName(name)) return text.form.badName(name);
  return name !== '' && namesIn(form, list).includes(name) ? text.form.exists(name) : '';
}
