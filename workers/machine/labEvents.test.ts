import { describe, expect, it } from 'vitest';
import type { DomainState, HostState, LabState } from '../contract';
import { LabEvents } from './labEvents';

const host: HostState = {
  name: 'host1',
  nowMs: 1000,
  speed: 1,
  lagMs: 0,
  pcpus: 2,
  totalMemoryKiB: 2097152,
  freeMemoryKiB: 1000,
  pcpuPercent: [0, 0],
  unsavedKiB: 0,
  policy: null,
  link: { mbitPerS: 1000, latencyMs: 0.05, isUp: true },
  phase: 'running',
};
const dom0: DomainState = {
  domid: 0,
  name: 'Domain-0',
  memoryKiB: 65536,
  maxMemoryKiB: 65536,
  onlineVcpus: 2,
  state: 'r-----',
  cpuTimeMs: 10,
  cpuPercent: 1,
  hasConsole: false,
};
const state = (...domains: DomainState[]): LabState => ({ host, domains, migrations: [] });

describe('LabEvents', () => {
  it('reports everything once, and then nothing while nothing changes', () => {
    const events = new LabEvents();
    expect(events.batch(state(dom0), 0).map(({ type }) => type)).toEqual(['host', 'domain']);
    expect(events.batch(state(dom0), 50)).toEqual([]);
    expect(events.batch(state(dom0), 1000)).toEqual([]);
  });

  it('reports numbers that always move four times a second', () => {
    const events = new LabEvents();
    events.batch(state(dom0), 0);
    const later = {
      host: { ...host, nowMs: 1050 },
      domains: [{ ...dom0, cpuTimeMs: 11, state: '-b----' }],
      migrations: [],
    };
    expect(events.batch(later, 50)).toEqual([]);
    expect(events.batch(later, 250).map(({ type }) => type)).toEqual(['host', 'domain']);
  });

  it('reports what an operator did at once', () => {
    const events = new LabEvents();
    events.batch(state(dom0), 0);
    const paused = { ...dom0, state: 'r-p---' };
    expect(events.batch(state(paused), 50)).toEqual([{ type: 'domain', domain: paused }]);
    const born = { ...dom0, domid: 1, name: 'vm1' };
    expect(events.batch(state(paused, born), 100)).toEqual([{ type: 'domain', domain: born }]);
    expect(events.batch(state(paused), 150)).toEqual([{ type: 'domainGone', domid: 1 }]);
  });

  it('reports a step of a migration once, and a new cable at once', () => {
    const events = new LabEvents();
    events.batch(state(), 0);
    const migration = { id: 'a', phase: 'copying' } as unknown as LabState['migrations'][number];
    const during = { ...state(), migrations: [migration] };
    expect(events.batch(during, 50)).toEqual([{ type: 'migration', migration }]);
    expect(events.batch({ ...during, migrations: [migration] }, 100)).toEqual([]);
    const pulled = { ...host, link: { ...host.link, isUp: false } };
    expect(events.batch({ ...during, host: pulled }, 150)).toEqual([{ type: 'host', host: pulled }]);
  });

  it('names a file once per batch, however often it was written to', () => {
    const events = new LabEvents();
    events.batch(state(), 0);
    events.fileChanged('/etc/xen/a');
    events.fileChanged('/etc/xen/a');
    expect(events.batch(state(), 50)).toEqual([{ type: 'fileChanged', path: '/etc/xen/a' }]);
    expect(events.batch(state(), 100)).toEqual([]);
  });
});
