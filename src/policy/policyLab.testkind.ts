/** For component tests of the policy tools: the canned machine with the real analysis, under the policy of chapter 10. */
import { readFileSync } from 'node:fs';
import { analysePolicy } from '../../workers/acm/analysis/analyse';
import { diffPolicies } from '../../workers/acm/analysis/diff';
import { readDraft } from '../../workers/acm/analysis/draft';
import type { HostFacts } from '../../workers/acm/analysis/facts';
import { informationFlows } from '../../workers/acm/analysis/flows';
import { formText } from '../../workers/acm/analysis/form';
import { translateWorkload } from '../../workers/acm/analysis/translateWorkload';
import { whatIf } from '../../workers/acm/analysis/whatIf';
import { readWorkload, writeWorkload } from '../../workers/acm/analysis/workload';
import { numberPolicy, ssidref } from '../../workers/acm/numbering';
import { readPolicy } from '../../workers/acm/policyXml';
import type { LabResult, PolicyDecision, PolicyForm, PolicyLive, WorkloadDefinition } from '../../workers/contract';
import { FakeLab, fakeLive } from '../worker/fakeLab';

export const mytest = readFileSync('public/policies/mytest.xml', 'utf8');
const policy = readPolicy(mytest).policy;
const rows = numberPolicy(policy).vmLabels;

/** Domain-0 and domain1 (A-Bank), which has its image on disk. */
export const facts: HostFacts = {
  policy,
  domains: [domain(0, 'Domain-0', 'SystemManagement'), domain(1, 'domain1', 'A-Bank')],
  dormant: [],
  evtchns: [[0, 1]],
  grants: [],
  resources: [{ name: 'file:/a.img', type: 'ACM', policy: 'mytest', label: 'A-Bank' }],
};

function domain(domid: number, name: string, label: string): HostFacts['domains'][number] {
  const row = rows.indexOf(label);
  const full = { type: 'ACM', policy: 'mytest', label };
  return {
    domid,
    name,
    ssidref: ssidref(row, row),
    label: full,
    devices: domid === 0 ? [] : [{ kind: 'disk', name: 'file:/a.img', label: full }],
  };
}

export const live: PolicyLive = {
  ...fakeLive,
  isBuilt: true,
  policy: { name: 'mytest', version: '1.0', isBoot: true },
  domains: [{ domid: 1, name: 'domain1', label: 'ACM:mytest:A-Bank', ssidref: 0x0002_0002 }],
  conflictSets: [
    {
      name: 'RER',
      types: [
        { type: 'A-Bank', running: 1, aggregate: 0, holders: ['domain1'] },
        { type: 'B-Bank', running: 0, aggregate: 1, holders: [] },
        { type: '__UNLABELED__', running: 0, aggregate: 1, holders: [] },
      ],
    },
  ],
};

export const refusal: PolicyDecision = {
  number: 7,
  atMs: 83_000,
  policy: 'mytest 1.0',
  hook: 'conflictset',
  isPermitted: false,
  subject: { label: 'B-Bank', ste: ['B-Bank'], chwall: ['B-Bank'] },
  object: undefined,
  types: [],
  conflict: {
    type: 'B-Bank',
    holders: [{ set: 'RER', domid: 1, name: 'domain1', label: 'A-Bank', type: 'A-Bank' }],
  },
  verdict: {
    asked: 'start',
    who: 'domain2',
    isPermitted: false,
    text: 'Domain in conflict set with running domains',
  },
};

const ok = <T>(value: T) => ({ ok: true, value }) as const;

function answer<T>(body: () => T): LabResult<T> {
  try {
    return ok(body());
  } catch (error) {
    return { ok: false, error: { code: 'PolicyRefusal', message: (error as Error).message } };
  }
}

export class PolicyLab extends FakeLab {
  override live = live;
  override decisions: readonly PolicyDecision[] = [refusal];
  /** What `exec` answers; 0 by default. */
  status = 0;

  constructor() {
    super();
    this.files.set('/etc/xen/acm-security/policies/mytest-security_policy.xml', mytest);
  }

  override async exec(command: string) {
    this.commands.push(command);
    return ok({ status: this.status, stdout: 'Successfully set the new policy.\nmore\n', stderr: '' });
  }

  override async analysePolicy(xml: string) {
    return ok(analysePolicy(xml, (name) => ({ policy: `/${name}.xml`, binary: `/${name}.bin` })));
  }

  override async policyFlows(xml: string, ignored: readonly string[]) {
    const { file } = readDraft(xml);
    return ok((file && informationFlows(file.policy, ignored)) ?? null);
  }

  override async whatIfPolicy(xml: string, assertions: string) {
    return ok(whatIf(xml, assertions, facts));
  }

  override async comparePolicies(oldXml: string, newXml: string) {
    return answer(() => diffPolicies(readPolicy(oldXml).policy, readPolicy(newXml).policy));
  }

  override async writePolicy(form: PolicyForm, source?: string) {
    return ok(formText(form, source));
  }

  override async policyInForce() {
    return ok(mytest);
  }

  override async findRefusal(text: string) {
    return ok(text === refusal.verdict?.text ? refusal.number : null);
  }

  override async readWorkload(text: string) {
    return answer(() => readWorkload(text));
  }

  override async writeWorkload(definition: WorkloadDefinition) {
    return ok(writeWorkload(definition));
  }

  override async translateWorkload(definition: WorkloadDefinition, name: string) {
    return answer(() => translateWorkload(definition, name, 'Wed Nov  5 2008'));
  }
}
