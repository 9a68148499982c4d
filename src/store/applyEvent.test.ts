import { describe, expect, it } from 'vitest';
import type { PolicyDecision } from '../../workers/contract';
import { fakeDomain, fakeHost } from '../worker/fakeLab';
import { applyEvent, applyEvents, applyState, emptyMirror, historyLength, keptDecisions } from './applyEvent';

const vm1 = fakeDomain(1, 'VM1');

describe('applyEvent', () => {
  it('adds a domain and remembers its name after it is gone', () => {
    const after = applyEvents(emptyMirror, [
      { type: 'domain', domain: vm1 },
      { type: 'domainGone', domid: 1 },
    ]);
    expect(after.domains).toEqual({});
    expect(after.cpuHistory).toEqual({});
    expect(after.seenDomains).toEqual(['VM1']);
  });

  it('keeps the identity of every other domain, so that only one row is redrawn', () => {
    const before = applyEvents(emptyMirror, [
      { type: 'domain', domain: vm1 },
      { type: 'domain', domain: fakeDomain(2, 'VM2') },
    ]);
    const after = applyEvent(before, { type: 'domain', domain: { ...vm1, cpuPercent: 7 } });
    expect(after.domains[2]).toBe(before.domains[2]);
    expect(after.domains[1]?.cpuPercent).toBe(7);
  });

  it('keeps the record of domains when a report says nothing new', () => {
    const before = applyEvent(emptyMirror, { type: 'domain', domain: vm1 });
    expect(applyEvent(before, { type: 'domain', domain: { ...vm1 } }).domains).toBe(before.domains);
  });

  it('bounds the cpu history', () => {
    const events = Array.from({ length: historyLength + 5 }, (_, n) => ({
      type: 'domain' as const,
      domain: { ...vm1, cpuPercent: n },
    }));
    const history = applyEvents(emptyMirror, events).cpuHistory[1];
    expect(history).toHaveLength(historyLength);
    expect(history?.at(-1)).toBe(historyLength + 4);
  });

  it('counts changes of a file', () => {
    const change = { type: 'fileChanged', path: '/etc/xen/a' } as const;
    expect(applyEvents(emptyMirror, [change, change]).fileChanges).toEqual({ '/etc/xen/a': 2 });
  });

  it('queues requests of vi in order', () => {
    const after = applyEvents(emptyMirror, [
      { type: 'editRequested', path: '/a', editId: 1 },
      { type: 'editRequested', path: '/b', editId: 2 },
    ]);
    expect(after.editRequests.map((request) => request.editId)).toEqual([1, 2]);
  });

  it('keeps decisions in order, and begins anew when their numbers do', () => {
    const decision = (number: number) => ({ number }) as unknown as PolicyDecision;
    const event = (...numbers: number[]) => ({ type: 'decisions', decisions: numbers.map(decision) }) as const;
    const before = applyEvents(emptyMirror, [event(1, 2), event(3)]);
    expect(before.decisions.map(({ number }) => number)).toEqual([1, 2, 3]);
    // Another boot of the machine.
    expect(applyEvent(before, event(1)).decisions.map(({ number }) => number)).toEqual([1]);
    const many = Array.from({ length: keptDecisions + 5 }, (_, n) => n + 4);
    expect(applyEvent(before, event(...many)).decisions).toHaveLength(keptDecisions);
  });

  it('gives every notice an id of its own', () => {
    const notice = { type: 'notice', level: 'warning', text: 'storage is full' } as const;
    const ids = applyEvents(emptyMirror, [notice, notice]).notices.map(({ id }) => id);
    expect(new Set(ids).size).toBe(2);
  });

  it('ignores that an unknown domain is gone', () => {
    expect(applyEvent(emptyMirror, { type: 'domainGone', domid: 9 })).toBe(emptyMirror);
  });

  it('takes a whole state and drops what it does not name', () => {
    const before = applyEvent(emptyMirror, { type: 'domain', domain: vm1 });
    const after = applyState(before, { host: fakeHost, domains: [fakeDomain(0, 'Domain-0')], migrations: [] });
    expect(Object.keys(after.domains)).toEqual(['0']);
    expect(after.host).toBe(fakeHost);
  });
});
