/**
 * A policy while it is being written: what can be read of it, and everything that is wrong with it, each at the line (and
 * the type) that is to blame. Errors are those that xend refuses; notes are legal and probably not meant.
 */
import type { PolicyIssue } from '../../contract';
import { type AcmPolicy, UNLABELED } from '../policyModel';
import { policyProblems } from '../policyRules';
import { PolicyError, type PolicyFile, type PolicyProblem, readPolicy } from '../policyXml';
import { elements, type Place, textOf, type XmlElement } from '../xmlTree';

export interface Draft {
  readonly issues: readonly PolicyIssue[];
  /** Undefined: not well-formed, or not after the schema. */
  readonly file: PolicyFile | undefined;
  /** No rule is broken: it can be compiled. */
  readonly isSound: boolean;
}

/** More than anybody reads. */
const MAX_ISSUES = 200;

export function readDraft(text: string): Draft {
  try {
    const file = readPolicy(text);
    const problems = policyProblems(file.policy);
    const errors = problems.slice(0, MAX_ISSUES).map((problem) => issueOf(problem, file.document.root));
    return { issues: [...errors, ...notes(file.policy, file.document.root)], file, isSound: problems.length === 0 };
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    return {
      issues: error.problems.slice(0, MAX_ISSUES).map((problem) => issueOf(problem)),
      file: undefined,
      isSound: false,
    };
  }
}

function issueOf({ code, message, place, type }: PolicyProblem, root?: XmlElement): PolicyIssue {
  const at = (root && exactPlace(root, code, place, type)) ?? place;
  return { severity: 'error', code, message, line: at.line, column: at.column };
}

/** The rules name the label or the set; in the text it is one of the elements inside. */
function exactPlace(root: XmlElement, code: string, place: Place, type: string | undefined): Place | undefined {
  if (code === 'POLICY_INCONSISTENT') return find(root, ({ local }) => local === 'SubjectLabels')?.place;
  if (type === undefined) return undefined;
  const owner = find(root, (element) => element.place.line === place.line && element.place.column === place.column);
  return owner && find(owner, (element) => element.local === 'Type' && textOf(element) === type)?.place;
}

function find(element: XmlElement, isWanted: (element: XmlElement) => boolean): XmlElement | undefined {
  if (isWanted(element)) return element;
  for (const child of elements(element)) {
    const found = find(child, isWanted);
    if (found) return found;
  }
  return undefined;
}

/** What the tools accept and what does not do what one would think. */
function notes(policy: AcmPolicy, root: XmlElement): readonly PolicyIssue[] {
  const found: PolicyIssue[] = [];
  const note = (message: string, place: Place | undefined) =>
    void found.push({ severity: 'warning', code: 'note', message, line: place?.line ?? 1, column: place?.column ?? 1 });
  if (!policy.chwall) note('Without a ChineseWall part this policy cannot be loaded.', undefined);
  if (!policy.ste)
    note('Without a SimpleTypeEnforcement part Domain-0 could not talk to itself: Xen refuses it.', undefined);
  const primaries = elements(root).filter(({ attributes }) => attributes.has('priority'));
  if (primaries.length > 1)
    note('Both parts say that they are the primary one; it is Chinese Wall.', primaries[1]!.place);
  const bootstrap = policy.vmLabels.find(({ name }) => name === policy.bootstrap);
  if (policy.ste && bootstrap?.ste.length === 0)
    note(`Domain-0's label ${bootstrap.name} has no STE type: Xen refuses the policy.`, bootstrap.place);
  const dom0Types = new Set(bootstrap?.ste);
  for (const { name, ste, place } of policy.vmLabels) {
    if (ste.length === 0) note(`VM label ${name} has no STE type: no domain with it is ever authorised to run.`, place);
    const lacking = ste.find((type) => !dom0Types.has(type));
    if (bootstrap && lacking !== undefined)
      note(`Domain-0's label ${bootstrap.name} lacks type ${lacking}: it may not run ${name}.`, place);
  }
  for (const { name, types, place } of policy.chwall?.conflictSets ?? [])
    if (new Set(types).size < 2) note(`Conflict set ${name} has one type: it forbids nothing.`, place);
  const used = new Set([...policy.vmLabels.flatMap(({ ste }) => ste), ...policy.resourceLabels.map(({ ste }) => ste)]);
  for (const { name, place } of policy.ste?.types ?? [])
    if (!used.has(name)) note(`STE type ${name} is in no label.`, place);
  const walls = new Set(policy.vmLabels.flatMap(({ chwall }) => chwall));
  for (const { name, place } of policy.chwall?.types ?? [])
    if (!walls.has(name)) note(`CHWALL type ${name} is in no label.`, place);
  const isUnlabelledThere = policy.vmLabels.some(({ name }) => name === UNLABELED);
  if (!isUnlabelledThere && policy.resourceLabels.some(({ name }) => name === UNLABELED))
    note(`${UNLABELED} is a resource label only: unlabelled domains may not run.`, undefined);
  return found.slice(0, MAX_ISSUES);
}
