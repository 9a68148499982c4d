import { expect, it } from 'vitest';
import { fakeDomain, fakeHost } from '../worker/fakeLab';
import { applyEvents, emptyMirror } from './applyEvent';
import { selectConsoleOf, selectDomain, selectDomids, selectLoadPercent } from './selectors';

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

it('finds the newest console of a name', () => {
  const rebooted = applyEvents(mirror, [{ type: 'domain', domain: fakeDomain(11, 'a') }]);
  expect(selectConsoleOf('a')(rebooted)).toBe(11);
  expect(selectConsoleOf('c')(rebooted)).toBeUndefined();
});
