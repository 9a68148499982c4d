/** A small policy for tests: two fruits that may not run together, and a press that works for one of them. */
import type { AcmPolicy } from './policyModel';

const types = ['SystemManagement', '__UNLABELED__', 'apple', 'apple.press', 'pear'];

export const orchard: AcmPolicy = {
  name: 'orchard',
  version: '1.0',
  primary: 'chwall',
  ste: { types: types.map((name) => ({ name })) },
  chwall: { types: types.map((name) => ({ name })), conflictSets: [{ name: 'fruit', types: ['apple', 'pear'] }] },
  bootstrap: 'SystemManagement',
  vmLabels: [
    { name: 'SystemManagement', ste: types, chwall: ['SystemManagement'] },
    { name: '__UNLABELED__', ste: ['__UNLABELED__'], chwall: ['__UNLABELED__'] },
    { name: 'apple', ste: ['apple'], chwall: ['apple'] },
    { name: 'apple.press', ste: ['apple.press'], chwall: ['apple', 'apple.press'] },
    { name: 'pear', ste: ['pear'], chwall: ['pear'] },
  ],
  resourceLabels: types.map((name) => ({ name, ste: name })),
};
