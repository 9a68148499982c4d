import { expect, it } from 'vitest';
import { matchingActions } from './actions';
import { formatLag, formatSpeed, formatVirtualTime } from './format';

it('writes virtual time as hours, minutes, seconds and tenths', () => {
  expect(formatVirtualTime(0)).toBe('0:00:00.0');
  expect(formatVirtualTime(3_723_450)).toBe('1:02:03.4');
});

it('names the speeds at both ends', () => {
  expect([0, 0.1, Number.POSITIVE_INFINITY].map(formatSpeed)).toEqual(['paused', '×0.1', 'max']);
});

it('shows lag to the tenth while it is small', () => {
  expect([1500, 12_400].map(formatLag)).toEqual(['1.5 s', '12 s']);
});

it('finds actions by words in any order', () => {
  const actions = ['Console of VM1', 'Show: Home'].map((title) => ({ id: title, title, run: () => {} }));
  expect(matchingActions(actions, 'vm1 cons').map((action) => action.title)).toEqual(['Console of VM1']);
});
