/** A decision in words: what was asked, what was answered, and from which types that follows. */
import type { PolicyBridgeNote, PolicyDecision, PolicyParty } from '../../workers/contract';

/** The title first. */
export function explainDecision(decision: PolicyDecision): readonly string[] {
  return [title(decision), ...reasons(decision), `Policy ${decision.policy}, ${hookNames[decision.hook]}.`];
}

const hookNames: Readonly<Record<PolicyDecision['hook'], string>> = {
  create: 'hook: creation of a domain, in the hypervisor',
  evtchn: 'hook: event channel, in the hypervisor',
  grant: 'hook: grant table, in the hypervisor',
  sharing: 'hook: sharing, asked by xend of the hypervisor',
  authorization: 'hook: authorization, asked by xend of the hypervisor',
  conflictset: 'hook: conflict set, asked by xend of the hypervisor',
  xend: 'decided by xend',
};

function title({ hook, isPermitted, subject, object, verdict }: PolicyDecision): string {
  if (verdict) {
    const may = verdict.isPermitted ? 'may' : 'may not';
    if (verdict.asked === 'start') return `${verdict.who} ${may} start`;
    if (verdict.asked === 'disk' || verdict.asked === 'vif') return `${verdict.who} ${may} use ${verdict.resource}`;
    if (verdict.asked === 'policy')
      return verdict.isPermitted ? `A policy took the place of ${verdict.who}` : `${verdict.who} stays in force`;
    if (verdict.asked === 'migrate') return `${verdict.who} ${may} move to ${verdict.resource}`;
    return verdict.isPermitted ? `${verdict.who} has a new label` : `The label of ${verdict.who} stays as it is`;
  }
  const a = shown(subject);
  const b = shown(object);
  const may = isPermitted ? 'may' : 'may not';
  switch (hook) {
    case 'create':
      return isPermitted ? `${a} was created` : `A domain labelled ${subject?.label} was not created`;
    case 'evtchn':
      return `${a} ${may} have an event channel with ${b}`;
    case 'grant':
      return `${a} ${may} map pages of ${b}`;
    case 'sharing':
      return `${a} ${may} share with ${b}`;
    case 'authorization':
      return `${a} ${may} run ${b}`;
    case 'conflictset':
      return `A domain labelled ${subject?.label} ${isPermitted ? 'could' : 'could not'} run now`;
    default:
      return isPermitted ? 'Permitted' : 'Refused';
  }
}

function shown(party: PolicyParty | undefined): string {
  if (!party) return 'nobody';
  if (party.domid === undefined) return party.label;
  if (party.isMissing) return `domain ${party.domid}`;
  return `${party.name ?? `domain ${party.domid}`} (${party.label})`;
}

function reasons(decision: PolicyDecision): readonly string[] {
  const { hook, isPermitted, subject, object, types, conflict, verdict } = decision;
  if (verdict?.reason !== undefined) return [verdict.reason];
  if (hook === 'create' || hook === 'conflictset') return conflict ? wall(decision) : [];
  if (!subject || !object) return [];
  const missing = [subject, object].find(({ isMissing }) => isMissing);
  if (missing) return [`There was no domain ${missing.domid}.`];
  const has = ({ label, ste }: PolicyParty) => `${label} has ${ste.length > 0 ? ste.join(', ') : 'no type'}`;
  if (hook === 'authorization')
    return isPermitted
      ? [`Domain-0 has every type of ${object.label}: ${object.ste.join(', ')}.`]
      : [`${has(object)}; Domain-0’s label ${subject.label} lacks ${types.join(', ') || 'a type in common'}.`];
  return isPermitted
    ? [`STE types in common: ${types.join(', ')}.`]
    : [`No STE type in common: ${has(subject)}; ${has(object)}.`];
}

function wall({ subject, conflict }: PolicyDecision): readonly string[] {
  if (!conflict) return [];
  return [
    `${subject?.label} holds the CHWALL type ${conflict.type}, which may not run now.`,
    ...conflict.holders.map(
      ({ set, name, label, type }) =>
        `${name} (${label}) runs and holds ${type}: conflict set ${set} allows one of them.`,
    ),
  ];
}

/** Why a ping gets through. */
export function explainBridge({ bridge, domains: [a, b], shared }: PolicyBridgeNote): string {
  const label = (full: string) => full.slice(full.lastIndexOf(':') + 1);
  return (
    `${a.name} (${label(a.label)}) and ${b.name} (${label(b.label)}) have no type in common, and packets between them pass on ${bridge}: ` +
    `Domain-0 forwards them, and shares ${shared[0].join(', ')} with the one and ${shared[1].join(', ')} with the other. ` +
    'sHype mediates event channels, grants and disks, not the network behind Domain-0’s bridge; separate bridges keep them apart.'
  );
}
