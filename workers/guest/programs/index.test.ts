import { expect, it } from 'vitest';
import { commonPrograms } from './index';

it('has each program once', () => {
  const names = commonPrograms.map(({ name }) => name);
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
});
