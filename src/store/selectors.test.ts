import { expect, it } from 'vitest';
import { fakeDomain, fakeHost } from '../worker/fakeLab';
import { applyEvents, emptyMirror } from './applyEvent';
import { selectDomain, selectDomids, selectLoadPercent } from './selectors';

const mirror = applyEvents(emptyMirror, [
  { type: 'domain', domain: fakeDomain(10, 'b') },
  { type: 'domain', domain: fakeDomain(9, 'a') },
  { type: 'host', host: { ...fakeHost, pcpuPercent: [50, 100] } },
]);

it('orders domains by number, not by text', () => {
  expect(selectDomids(mirror)).toEqual([9, 10]);
});

it('answers undefined for a domain that is gone', () => {
  expect(selectDomain(3)(mirror)).toBeUndefined();
});

it('takes the mean of the physical cpus, and 0 before the first report', () => {
  expect(selectLoadPercent(mirror)).toBe(75);
  expect(selectLoadPercent(emptyMirror)).toBe(0);
});
