import { describe, expect, it } from 'vitest';
import type { PolicyDecision } from '../../workers/contract';
import { explainBridge, explainDecision } from './explainDecision';

const auto = { domid: 4, name: 'auto', label: 'AutoCorp', ste: ['AutoCorp'], chwall: ['AutoCorp'] };
const driver = { domid: 1, name: 'driver', label: 'VIO', ste: ['A-Bank', 'VIO'], chwall: ['VIO'] };
const bank = { domid: 2, name: 'bank', label: 'A-Bank', ste: ['A-Bank'], chwall: ['A-Bank'] };

const decision = (change: Partial<PolicyDecision>): PolicyDecision => ({
  number: 1,
  atMs: 0,
  policy: 'vio 1.0',
  hook: 'evtchn',
  isPermitted: false,
  subject: auto,
  object: driver,
  types: [],
  conflict: undefined,
  verdict: undefined,
  ...change,
});

describe('in words', () => {
  it('a storage driver domain is kept from a workload whose types it does not have', () => {
    expect(explainDecision(decision({}))).toEqual([
      'auto (AutoCorp) may not have an event channel with driver (VIO)',
      'No STE type in common: AutoCorp has AutoCorp; VIO has A-Bank, VIO.',
      'Policy vio 1.0, hook: event channel, in the hypervisor.',
    ]);
  });

  it('it serves one whose type it has', () => {
    const served = decision({ hook: 'grant', isPermitted: true, subject: driver, object: bank, types: ['A-Bank'] });
    expect(explainDecision(served).slice(0, 2)).toEqual([
      'driver (VIO) may map pages of bank (A-Bank)',
      'STE types in common: A-Bank.',
    ]);
  });

  it('a label that Domain-0 may not run lacks types in it, or is told without any', () => {
    const system = { label: 'System', ste: ['System', 'A-Bank'], chwall: [] };
    const refused = decision({ hook: 'authorization', subject: system, object: driver, types: ['VIO'] });
    expect(explainDecision(refused)[1]).toBe('VIO has A-Bank, VIO; Domain-0’s label System lacks VIO.');
    const empty = decision({ hook: 'authorization', subject: system, object: { label: 'Nil', ste: [], chwall: [] } });
    expect(explainDecision(empty)[1]).toBe('Nil has no type; Domain-0’s label System lacks a type in common.');
  });

  it('a migration that the other host refused is to be looked up there', () => {
    const verdict = { asked: 'migrate', who: 'bank', resource: 'host2', isPermitted: false } as const;
    const refused = decision({
      hook: 'xend',
      subject: undefined,
      object: undefined,
      verdict: { ...verdict, text: 'VM is not authorized to run.', reason: 'The policy of host2 refused it.' },
    });
    expect(explainDecision(refused).slice(0, 2)).toEqual([
      'bank may not move to host2',
      'The policy of host2 refused it.',
    ]);
  });

  it('a domain that does not exist is no partner', () => {
    const nobody = { domid: 9, label: '', ste: [], chwall: [], isMissing: true };
    expect(explainDecision(decision({ object: nobody })).slice(0, 2)).toEqual([
      'auto (AutoCorp) may not have an event channel with domain 9',
      'There was no domain 9.',
    ]);
  });

  it('packets pass between labels that may not share, because Domain-0 shares with both', () => {
    const party = (name: string, domid: number, label: string) => ({
      name,
      domid,
      label: `ACM:vio:${label}`,
      ssidref: 0,
    });
    const said = explainBridge({
      bridge: 'xenbr0',
      domains: [party('bank', 2, 'A-Bank'), party('auto', 4, 'AutoCorp')],
      shared: [['A-Bank'], ['AutoCorp']],
    });
    expect(said).toContain(
      'bank (A-Bank) and auto (AutoCorp) have no type in common, and packets between them pass on xenbr0',
    );
    expect(said).toContain('Domain-0 forwards them, and shares A-Bank with the one and AutoCorp with the other.');
    expect(said).toContain('separate bridges keep them apart');
  });
});
