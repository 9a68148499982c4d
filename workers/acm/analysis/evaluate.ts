/** Whether assertions hold under a policy, each with the reason. */
import type { PolicyAssertion } from '../../contract';
import { type AcmPolicy, INACCESSIBLE, UNLABELED } from '../policyModel';
import { type Assertion, isSyntaxError, parseAssertions } from './assertions';
import { flowPath, informationFlows } from './flows';
import { WallPairs } from './matrix';
import { numbersOf } from './numbers';

export interface AssertionContext {
  readonly policy: AcmPolicy;
  /** Domains by name; undefined: the label is gone. */
  readonly domains: ReadonlyMap<string, string | undefined>;
  /** Labelled resources by name; null: the label is gone, or another policy's. */
  readonly resources: ReadonlyMap<string, string | null>;
  readonly dom0Label: string;
}

/** Without a context (the text is no policy) nothing is known but mistakes in the assertions themselves. */
export function evaluateAssertions(source: string, context: AssertionContext | undefined): readonly PolicyAssertion[] {
  const evaluator = context && new Evaluator(context);
  return parseAssertions(source).map((each): PolicyAssertion => {
    const { line, text } = each;
    if (isSyntaxError(each)) return { line, text, state: 'error', why: each.problem };
    if (!evaluator) return { line, text, state: 'unknown', why: 'the policy has errors' };
    const answer = evaluator.ask(each);
    if (typeof answer === 'string') return { line, text, state: 'error', why: answer };
    return { line, text, state: answer.isSo === each.isNegative ? 'fails' : 'holds', why: answer.why };
  });
}

interface Answer {
  readonly isSo: boolean;
  readonly why: string;
}

class Evaluator {
  readonly #rows: readonly string[];
  readonly #walls: WallPairs;
  readonly #ste: ReadonlyMap<string, readonly string[]>;

  constructor(private readonly context: AssertionContext) {
    const numbered = numbersOf(context.policy);
    this.#rows = numbered.vmLabels;
    this.#walls = new WallPairs(numbered);
    this.#ste = new Map(context.policy.vmLabels.map(({ name, ste }) => [name, ste]));
  }

  /** A text: the question itself makes no sense. */
  ask({ verb, subject, object, except }: Assertion): Answer | string {
    const label = this.#vmLabel(subject);
    if (label === undefined) return `there is no VM label and no domain ${subject}`;
    if (label === null) return `the label of ${subject} is not in this policy`;
    if (verb === 'start') return this.#start(label);
    if (verb === 'use') return this.#use(label, object);
    const other = this.#vmLabel(object);
    if (other === undefined) return `there is no VM label and no domain ${object}`;
    if (other === null) return `the label of ${object} is not in this policy`;
    if (verb === 'run with') return this.#runWith(label, other);
    return verb === 'reach' ? this.#reach(label, other, except) : this.#share(label, other);
  }

  /** Labels come before domains of the same name; null: a domain whose label is not in this policy. */
  #vmLabel(name: string): string | null | undefined {
    if (this.#ste.has(name)) return name;
    if (!this.context.domains.has(name)) return undefined;
    const label = this.context.domains.get(name);
    return label !== undefined && this.#rows.includes(label) ? label : null;
  }

  #start(label: string): Answer {
    const above = this.#ste.get(this.context.dom0Label) ?? [];
    const types = this.#ste.get(label) ?? [];
    const lacking = types.filter((type) => !above.includes(type));
    const dom0 = `Domain-0 (${this.context.dom0Label})`;
    if (types.length === 0) return { isSo: false, why: `${label} has no STE type` };
    return lacking.length > 0
      ? { isSo: false, why: `${dom0} lacks ${lacking.join(', ')}` }
      : { isSo: true, why: `${dom0} has ${types.join(', ')}` };
  }

  #share(a: string, b: string): Answer {
    return this.#common(`${a} and ${b}`, this.#ste.get(a) ?? [], this.#ste.get(b) ?? []);
  }

  #common(who: string, a: readonly string[], b: readonly string[]): Answer {
    const common = a.filter((type) => b.includes(type));
    return common.length > 0
      ? { isSo: true, why: `${who} share ${common.join(', ')}` }
      : { isSo: false, why: `${who} have no STE type in common` };
  }

  #use(label: string, resource: string): Answer | string {
    const known = this.#resourceLabel(resource);
    if (known === undefined) return `${resource} is neither a resource nor a resource label`;
    if (known === null) return { isSo: false, why: `the label of ${resource} is not in this policy` };
    if (known === INACCESSIBLE) return { isSo: false, why: `${resource} is ${INACCESSIBLE}` };
    const types =
      known === UNLABELED
        ? (this.#ste.get(UNLABELED) ?? [])
        : this.context.policy.resourceLabels.filter(({ name }) => name === known).map(({ ste }) => ste);
    const shown = known === resource ? resource : `${resource} (${known})`;
    return this.#common(`${label} and ${shown}`, this.#ste.get(label) ?? [], types);
  }

  /** A resource that nobody has labelled is unlabelled. */
  #resourceLabel(name: string): string | null | undefined {
    const { resources, policy } = this.context;
    const full = /^phy:[^/]/.test(name) ? name.replace('phy:', 'phy:/dev/') : name;
    const label = resources.get(name) ?? resources.get(full);
    if (label !== undefined || resources.has(full)) return label;
    if (/^(phy|file|tap|vlan):/.test(name)) return UNLABELED;
    return policy.resourceLabels.some((each) => each.name === name) ? name : undefined;
  }

  #runWith(a: string, b: string): Answer {
    const isSo = this.#walls.mayRunTogether(this.#rows.indexOf(a), this.#rows.indexOf(b));
    if (isSo) return { isSo, why: `no conflict set separates ${a} and ${b}` };
    const walls = (name: string) => this.context.policy.vmLabels.find((label) => label.name === name)?.chwall ?? [];
    const set = this.context.policy.chwall?.conflictSets.find(
      ({ types }) =>
        types.some((type) => walls(a).includes(type) && !walls(b).includes(type)) &&
        types.some((type) => walls(b).includes(type) && !walls(a).includes(type)),
    );
    return { isSo, why: `conflict set ${set?.name ?? ''} {${set?.types.join(', ') ?? ''}}` };
  }

  #reach(a: string, b: string, except: readonly string[]): Answer | string {
    const unknown = except.find((name) => !this.#rows.includes(name));
    if (unknown !== undefined) return `there is no VM label ${unknown}`;
    const flows = informationFlows(this.context.policy, except);
    if (!flows) return 'the policy has too many labels for this';
    const path = flowPath(flows, a, b);
    return path ? { isSo: true, why: path.join(' → ') } : { isSo: false, why: `no way from ${a} to ${b}` };
  }
}
