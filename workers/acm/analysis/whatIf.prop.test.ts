import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AcmState } from '../acmState';
import { policies } from '../arbitrary.testkind';
import { numberPolicy, ssidref } from '../numbering';
import { orchard } from '../orchard.testkind';
import { binaryOf } from '../policyBinary';
import type { AcmPolicy } from '../policyModel';
import { planUpdate } from '../policyUpdate';
import { writePolicy } from '../policyWriter';
import { PolicyError } from '../policyXml';
import type { FactDomain, HostFacts } from './facts';
import { whatIf } from './whatIf';

const HASH = new Uint8Array(20);

const facts = (policy: AcmPolicy, domains: readonly FactDomain[], pairs: HostFacts['evtchns'] = []): HostFacts => ({
  policy,
  domains,
  dormant: [],
  evtchns: pairs,
  grants: [],
  resources: [],
});

const domain = (
  policy: AcmPolicy,
  domid: number,
  name: string,
  label: string,
  more: Partial<FactDomain> = {},
): FactDomain => {
  const row = numberPolicy(policy).vmLabels.indexOf(label);
  return {
    domid,
    name,
    ssidref: ssidref(row, row),
    label: { type: 'ACM', policy: policy.name, label },
    devices: [],
    ...more,
  };
};

/** The successor of a policy: it names the one that it follows, whatever else it holds. */
const successor = (old: AcmPolicy, now: AcmPolicy): AcmPolicy => ({
  ...now,
  name: old.name,
  version: '2.0',
  from: { name: old.name, version: old.version },
});

describe('an edited policy held against running domains', () => {
  it('is legal exactly when the hypervisor takes it and Domain-0 may run everybody', () => {
    const machines = policies(5).chain((old) =>
      fc.record({
        old: fc.constant(old),
        // Most of it stays as it was, so that both answers come up.
        now: fc.oneof(
          policies(5),
          policies(5).map((other) => ({
            ...old,
            chwall: other.chwall && old.chwall && { ...old.chwall, conflictSets: [] },
          })),
          fc.subarray([...old.vmLabels], { minLength: 1 }).map((vmLabels) => ({
            ...old,
            vmLabels: vmLabels.some(({ name }) => name === old.bootstrap) ? vmLabels : [...vmLabels, old.vmLabels[0]!],
          })),
          fc.array(fc.constantFrom(...(old.ste?.types ?? [])), { minLength: 1, maxLength: 3 }).map((lost) => ({
            ...old,
            vmLabels: old.vmLabels.map((label) => ({
              ...label,
              ste: label.ste.filter((type) => !lost.some(({ name }) => name === type)),
            })),
          })),
        ),
        labels: fc.array(fc.constantFrom(...old.vmLabels.map(({ name }) => name)), { maxLength: 5 }),
        pairs: fc.array(fc.tuple(fc.nat({ max: 5 }), fc.nat({ max: 5 })), { maxLength: 6 }),
      }),
    );
    const seen = { legal: 0, illegal: 0 };
    fc.assert(
      fc.property(machines, ({ old, now, labels, pairs }) => {
        const next = successor(old, now);
        const state = new AcmState();
        state.install(binaryOf(old, HASH));
        const running: FactDomain[] = [];
        for (const label of [old.bootstrap, ...labels]) {
          const each = domain(old, running.length, `d${running.length}`, label);
          if (state.create(each.domid, each.ssidref)) running.push(each);
        }
        const talking = pairs.filter(
          ([a, b]) => running[a] && running[b] && state.sharing(running[a].ssidref, running[b].ssidref),
        );
        const answer = whatIf(writePolicy(next), '', facts(old, running, talking));
        let expected: boolean;
        try {
          const { deletions, changes } = planUpdate(old, next);
          expected =
            state.change(binaryOf(next, HASH), deletions, changes, {
              evtchnPeers: (domid) => talking.filter(([a]) => a === domid).map(([, b]) => b),
              grantPeers: () => [],
            }).length === 0;
          // What xend asks beyond that: Domain-0 is authorised to run whatever runs.
          const ref = (domid: number) => state.domain(domid)!.ssidref;
          expected &&= running.every(({ domid }) => domid === 0 || state.authorization(ref(0), ref(domid)));
        } catch (error) {
          if (!(error instanceof PolicyError)) throw error;
          expected = false;
        }
        expect(answer.isLegal).toBe(expected);
        seen[expected ? 'legal' : 'illegal']++;
        if (!expected) expect(answer.reasons.length).toBeGreaterThan(0);
      }),
      { numRuns: 300 },
    );
    expect(Math.min(seen.legal, seen.illegal)).toBeGreaterThan(20);
  });

  const running = [
    domain(orchard, 0, 'Domain-0', 'SystemManagement'),
    domain(orchard, 1, 'press', 'apple.press'),
    domain(orchard, 2, 'crate', 'apple', {
      devices: [{ kind: 'disk', name: 'file:/crate.img', label: { type: 'ACM', policy: 'orchard', label: 'apple' } }],
    }),
  ];
  const update = (change: Partial<AcmPolicy>) =>
    writePolicy({ ...orchard, version: '1.1', from: { name: 'orchard', version: '1.0' }, ...change });

  it('follows renamed labels', () => {
    const vmLabels = orchard.vmLabels.map((label) =>
      label.name === 'apple.press' ? { ...label, name: 'apple.cider', from: 'apple.press' } : label,
    );
    const answer = whatIf(update({ vmLabels }), 'press may start', facts(orchard, running));
    expect(answer).toMatchObject({ inForce: 'orchard 1.0', isLegal: true, reasons: [] });
    expect(answer.domains[1]).toMatchObject({ labelNow: 'apple.press', labelThen: 'apple.cider', refusals: [] });
    expect(answer.assertions).toEqual([expect.objectContaining({ state: 'holds' })]);
  });

  it('names each domain whose label goes', () => {
    const vmLabels = orchard.vmLabels.filter(({ name }) => name !== 'apple.press');
    const answer = whatIf(update({ vmLabels }), '', facts(orchard, running));
    expect(answer.isLegal).toBe(false);
    expect(answer.reasons).toEqual([
      { code: 'HV_OP_FAILED', text: 'press runs with label apple.press, which is gone' },
    ]);
    expect(answer.domains.map(({ refusals }) => refusals.length)).toEqual([0, 1, 0]);
  });

  it('names the conflict set that would part two running domains', () => {
    const chwall = {
      ...orchard.chwall!,
      conflictSets: [
        { name: 'parted', types: ['apple.press', 'pear'] },
        { name: 'old', types: ['apple', 'pear'] },
      ],
    };
    const more = [...running, domain(orchard, 3, 'second', 'SystemManagement')];
    expect(whatIf(update({ chwall }), '', facts(orchard, more)).isLegal).toBe(true);
    const labels = orchard.vmLabels.map((label) => (label.name === 'apple' ? { ...label, chwall: ['pear'] } : label));
    const answer = whatIf(update({ chwall, vmLabels: labels }), '', facts(orchard, running));
    expect(answer.reasons.map(({ text }) => text)).toEqual([
      'Chinese Wall conflict between press (apple.press) and crate (apple) in old',
    ]);
  });

  it('says that Xen loads no policy without a Chinese wall', () => {
    const vmLabels = orchard.vmLabels.map((label) => ({ ...label, chwall: [] }));
    const answer = whatIf(update({ vmLabels, chwall: undefined }), '', facts(orchard, running));
    expect(answer).toMatchObject({
      isLegal: false,
      reasons: [{ code: 'HV_OP_FAILED', text: 'a policy without ChineseWall cannot be loaded' }],
    });
  });

  it('says that Domain-0 needs a type', () => {
    const vmLabels = orchard.vmLabels.map((label) =>
      label.name === orchard.bootstrap ? { ...label, ste: [] } : label,
    );
    const answer = whatIf(update({ vmLabels }), '', facts(orchard, running.slice(0, 1)));
    const who = 'Domain-0 (SystemManagement)';
    expect(answer.reasons).toEqual([
      { code: 'HV_OP_FAILED', text: `event channel sharing violation between ${who} and ${who}` },
    ]);
    expect(answer.domains[0]?.refusals).toHaveLength(1);
  });

  it('names the disks that would be out of reach', () => {
    const resourceLabels = orchard.resourceLabels.map((label) =>
      label.name === 'apple' ? { ...label, ste: 'pear' } : label,
    );
    const answer = whatIf(update({ resourceLabels }), '', facts(orchard, running));
    expect(answer.reasons).toEqual([
      { code: 'RESOURCE_ACCESS', text: 'Error accessing resource: crate uses file:/crate.img' },
    ]);
    expect(answer.domains[2]).toMatchObject({
      refusals: ['may not use file:/crate.img any more'],
      startRefusals: ['access to file:/crate.img denied'],
    });
  });

  it('says why the version prevents it, and still what would become of the domains', () => {
    const answer = whatIf(writePolicy({ ...orchard, version: '1.1' }), '', facts(orchard, running));
    expect(answer.reasons).toEqual([
      expect.objectContaining({
        code: 'VERSION_PREVENTS_UPDATE',
        text: 'FromPolicy is missing; the policy in force is orchard 1.0',
      }),
    ]);
    expect(answer.domains).toHaveLength(3);
  });

  it('answers for a text that is no policy, too', () => {
    const answer = whatIf('<a/>', 'x may start\nnonsense', facts(orchard, running));
    expect(answer).toMatchObject({ isLegal: false, reasons: [{ code: 'BAD_XML', line: 1 }] });
    expect(answer.assertions.map(({ state }) => state)).toEqual(['unknown', 'error']);
  });
});
