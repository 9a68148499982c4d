/** What the policy bench computes on each keystroke: a policy of 200 labels, held against 32 running domains. */
import { analysePolicy } from '../../workers/acm/analysis/analyse';
import type { FactDomain, HostFacts } from '../../workers/acm/analysis/facts';
import { whatIf } from '../../workers/acm/analysis/whatIf';
import { numberPolicy, ssidref } from '../../workers/acm/numbering';
import type { AcmPolicy } from '../../workers/acm/policyModel';
import { writePolicy } from '../../workers/acm/policyWriter';
import { median, type Part } from '../row';

const LABELS = 200;
const DOMAINS = 32;
const ROUNDS = 30;
const SYSTEM = 'SystemManagement';

/** Departments of organisations that exclude each other in threes. */
function largePolicy(version: string, from?: string): AcmPolicy {
  const names = Array.from({ length: LABELS - 1 }, (_, i) => `Org${i % 40}.Department${i}`);
  const types = [SYSTEM, ...names].map((name) => ({ name }));
  return {
    name: 'large',
    version,
    ...(from === undefined ? {} : { from: { name: 'large', version: from } }),
    ste: { types },
    chwall: {
      types,
      conflictSets: Array.from({ length: 50 }, (_, i) => ({
        name: `rule${i}`,
        types: [names[150 + (i % 40)]!, names[(151 + i) % 190]!, names[(i * 3 + 160) % 190]!].filter(
          (type, at, all) => all.indexOf(type) === at,
        ),
      })),
    },
    bootstrap: SYSTEM,
    vmLabels: [
      { name: SYSTEM, ste: [SYSTEM, ...names], chwall: [SYSTEM] },
      ...names.map((name) => ({ name, ste: [name], chwall: [name] })),
    ],
    resourceLabels: names.map((name) => ({ name, ste: name })),
  };
}

function facts(policy: AcmPolicy): HostFacts {
  const rows = numberPolicy(policy).vmLabels;
  const domains = Array.from({ length: DOMAINS }, (_, domid): FactDomain => {
    const label = domid === 0 ? SYSTEM : policy.vmLabels[domid]!.name;
    const row = rows.indexOf(label);
    const full = { type: 'ACM', policy: policy.name, label };
    return {
      domid,
      name: `domain${domid}`,
      ssidref: ssidref(row, row),
      label: full,
      devices: domid === 0 ? [] : [{ kind: 'disk', name: `file:/images/${domid}.img`, label: full }],
    };
  });
  const resources = domains.slice(1).map(({ label, devices }) => ({ ...label!, name: devices[0]!.name }));
  const channels = domains.slice(1).map(({ domid }) => [0, domid] as const);
  return { policy, domains, dormant: [], evtchns: channels, grants: channels, resources };
}

function time(action: () => unknown): number {
  const times = Array.from({ length: ROUNDS }, () => {
    const start = performance.now();
    action();
    return performance.now() - start;
  });
  return median(times);
}

export const policy: Part = async () => {
  const machine = facts(largePolicy('1.0'));
  const text = writePolicy(largePolicy('1.1', '1.0'));
  const assertions = ['domain1 may start', 'domain1 may not share with domain2', 'domain3 may read file:/images/3.img'];
  const check = whatIf(text, assertions.join('\n'), machine);
  if (!check.isLegal || check.domains.length !== DOMAINS || check.assertions.some(({ state }) => state !== 'holds'))
    throw new Error(`the what-if answers ${JSON.stringify(check.reasons)}`);
  return [
    {
      name: `what-if of a policy with ${LABELS} labels, ${DOMAINS} domains`,
      value: time(() => whatIf(text, assertions.join('\n'), machine)),
      unit: 'ms',
      budget: { most: 50 },
    },
    {
      name: `analysis of a policy with ${LABELS} labels: matrix, binary, map`,
      value: time(() => analysePolicy(text, () => ({ policy: '/p.xml', binary: '/p.bin' }))),
      unit: 'ms',
    },
  ];
};
