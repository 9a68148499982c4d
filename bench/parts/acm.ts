/**
 * The policy module: a decision with and without the cache, the same question asked of general policy engines in the same
 * run, and what its hooks cost on the paths of grants and event channels (acmHooks.ts).
 */
import * as cedar from '@cedar-policy/cedar-wasm/nodejs';
import { newEnforcer, newModel, StringAdapter } from 'casbin';
import { AcmHooks } from '../../workers/acm/acmHooks';
import { numberPolicy, ssidref } from '../../workers/acm/numbering';
import { binaryOf } from '../../workers/acm/policyBinary';
import type { AcmPolicy } from '../../workers/acm/policyModel';
import { seeded } from '../../workers/lib/random';
import { median, type Part, type Row } from '../row';
import { hooksCost } from './acmHooks';

const LABELS = 200;
const TYPES = 100;
const QUESTIONS = 256;

/** Labels with one to three of a hundred types. */
function largePolicy(): AcmPolicy {
  const random = seeded(5);
  const types = Array.from({ length: TYPES }, (_, i) => `t${i}`);
  const some = () => [...new Set(Array.from({ length: 1 + random.below(3) }, () => types[random.below(TYPES)]!))];
  return {
    name: 'bench',
    version: '1.0',
    ste: { types: types.map((name) => ({ name })) },
    chwall: { types: [{ name: 'c' }], conflictSets: [] },
    bootstrap: 'l0',
    vmLabels: Array.from({ length: LABELS }, (_, i) => ({ name: `l${i}`, ste: i === 0 ? types : some(), chwall: [] })),
    resourceLabels: [],
  };
}

type Question = readonly [a: string, b: string];

/** Wall time of one answer, ns: the median of several batches. */
function nanoseconds(ask: (n: number) => boolean, batch: number, batches = 31): number {
  const times: number[] = [];
  // Counted, so that no question can be left out as useless.
  let permitted = 0;
  for (let k = 0; k < batches + 5; k++) {
    const start = performance.now();
    for (let n = 0; n < batch; n++) if (ask(n)) permitted++;
    // The first batches are for the compiler.
    if (k >= 5) times.push(((performance.now() - start) * 1e6) / batch);
  }
  return permitted < 0 ? Number.NaN : median(times);
}

function labelledState(policy: AcmPolicy): { readonly hooks: AcmHooks; readonly domidOf: (label: string) => number } {
  const hooks = new AcmHooks({ modules: [], ssidrefOption: undefined });
  hooks.state.install(binaryOf(policy, new Uint8Array(20)));
  const { vmLabels } = numberPolicy(policy);
  for (const label of policy.vmLabels) {
    const row = vmLabels.indexOf(label.name);
    hooks.state.create(row, ssidref(row, row));
  }
  return { hooks, domidOf: (label) => vmLabels.indexOf(label) };
}

async function decisions(): Promise<readonly Row[]> {
  const policy = largePolicy();
  const { hooks, domidOf } = labelledState(policy);
  const random = seeded(9);
  // Without Domain-0's label, which may do everything.
  const label = () => `l${1 + random.below(LABELS - 1)}`;
  const questions: readonly Question[] = Array.from({ length: QUESTIONS }, () => [label(), label()]);
  const ask = questions.map(([a, b]) => [domidOf(a), domidOf(b)] as const);

  // Eight partners, all of them remembered.
  const partners = policy.vmLabels.slice(1, 9).map(({ name }) => domidOf(name));
  for (const partner of partners) hooks.evtchnInterdomain(1, partner);
  const cached = nanoseconds((n) => hooks.evtchnInterdomain(1, partners[n & 7]!), 100_000);
  const { state } = hooks;
  const sharing = nanoseconds((n) => {
    const [a, b] = ask[n & (QUESTIONS - 1)]!;
    return state.sharing(ssidref(a, a), ssidref(b, b));
  }, 100_000);
  // A refusal is evaluated, counted and logged every time.
  const refused = ask.filter(([a, b]) => !state.sharing(ssidref(a, a), ssidref(b, b)));
  const logged = nanoseconds((n) => {
    const [a, b] = refused[n % refused.length]!;
    return hooks.grantMap(a, b);
  }, 20_000);
  const wall = nanoseconds((n) => state.conflictset(ssidref(ask[n & 255]![0], ask[n & 255]![0])), 100_000);
  return [
    { name: 'policy: decision out of the cache', value: cached, unit: 'ns', budget: { most: 200 } },
    { name: `policy: decision, ${LABELS} labels, ${TYPES} types`, value: sharing, unit: 'ns', budget: { most: 200 } },
    { name: 'policy: refusal, with its entry in the log', value: logged, unit: 'ns', budget: { most: 200 } },
    { name: 'policy: Chinese wall', value: wall, unit: 'ns', budget: { most: 200 } },
    ...(await others(policy, questions, sharing)),
  ];
}

/** The same questions to casbin and Cedar, whose answers must be ours. */
async function others(policy: AcmPolicy, questions: readonly Question[], ours: number): Promise<readonly Row[]> {
  const types = new Map(policy.vmLabels.map(({ name, ste }) => [name, ste]));
  const expected = questions.map(([a, b]) => types.get(a)!.some((type) => types.get(b)!.includes(type)));
  const check = (name: string, answers: readonly boolean[]) => {
    const wrong = answers.findIndex((answer, n) => answer !== expected[n]);
    if (wrong >= 0) throw new Error(`${name} answers ${answers[wrong]} to ${questions[wrong]!.join(', ')}`);
  };

  const enforcer = await newEnforcer(
    newModel(`
[request_definition]
r = sub, obj
[policy_definition]
p = sub, obj
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = r.obj == p.obj && g(r.sub, p.sub)`),
    new StringAdapter(
      policy.vmLabels
        .slice(1)
        .flatMap(({ name, ste }) => ste.flatMap((type) => [`p, ${type}, ${name}`, `g, ${name}, ${type}`]))
        .join('\n'),
    ),
  );
  const casbin = ([a, b]: Question) => enforcer.enforceSync(a, b);
  check('casbin', questions.map(casbin));

  const parsed = cedar.preparsePolicySet('bench', {
    staticPolicies: 'permit(principal, action, resource) when { principal.types.containsAny(resource.types) };',
  });
  if (parsed.type !== 'success') throw new Error(JSON.stringify(parsed));
  const entity = (id: string) => ({ uid: { type: 'Label', id }, attrs: { types: [...types.get(id)!] }, parents: [] });
  const askCedar = ([a, b]: Question): boolean => {
    const answer = cedar.statefulIsAuthorized({
      principal: { type: 'Label', id: a },
      action: { type: 'Action', id: 'share' },
      resource: { type: 'Label', id: b },
      context: {},
      preparsedPolicySetId: 'bench',
      // Only the two that the question is about: more would be read anew each time.
      entities: a === b ? [entity(a)] : [entity(a), entity(b)],
    });
    if (answer.type !== 'success') throw new Error(JSON.stringify(answer));
    return answer.response.decision === 'allow';
  };
  check('Cedar', questions.map(askCedar));

  const casbinNs = nanoseconds((n) => casbin(questions[n % QUESTIONS]!), 20, 11);
  const cedarNs = nanoseconds((n) => askCedar(questions[n % QUESTIONS]!), 200, 11);
  return [
    { name: 'policy: the same decision by casbin, against ours', value: casbinNs / ours, unit: '×' },
    { name: 'policy: the same decision by Cedar (wasm), against ours', value: cedarNs / ours, unit: '×' },
  ];
}

export const acm: Part = async () => [...(await decisions()), ...hooksCost()];
