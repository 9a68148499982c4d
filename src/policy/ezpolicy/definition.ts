/**
 * A workload definition and its changes, with the checks and texts of ezPolicy (tools/security/xensec_ezpolicy, Xen 3.4).
 * Changes answer the new definition, or the message that the tool shows instead.
 */
import type { WorkloadDefinition } from '../../../workers/contract';

export const UNLABELED = '__UNLABELED__';

export const startDefinition: WorkloadDefinition = {
  organizations: [{ name: UNLABELED, departments: [] }],
  rules: [],
};
/** What New leaves: nothing at all. */
export const emptyDefinition: WorkloadDefinition = { organizations: [], rules: [] };

export interface Workload {
  readonly organization: string;
  /** Undefined: the organisation itself. */
  readonly department?: string | undefined;
}

export const entryOf = ({ organization, department }: Workload): string =>
  department === undefined ? organization : `${organization}.${department}`;

/** A question, an error, or the changed definition. */
export type Change =
  | { readonly kind: 'done'; readonly definition: WorkloadDefinition }
  | { readonly kind: 'refused'; readonly title: string; readonly message: string };

const done = (definition: WorkloadDefinition): Change => ({ kind: 'done', definition });
const refused = (title: string, message: string): Change => ({ kind: 'refused', title, message });

/** Differs from ezPolicy, which takes any name: these make no policy that could be loaded. */
function badName(name: string): string | undefined {
  return /[:\s/]/.test(name) || name === 'SystemManagement'
    ? `“${name}” cannot name a workload: blanks, / and : may not stand in it, and SystemManagement is Domain-0's.`
    : undefined;
}

function entries({ organizations }: WorkloadDefinition): readonly string[] {
  return organizations.flatMap(({ name, departments }) => [name, ...departments.map((each) => `${name}.${each}`)]);
}

function siblings(definition: WorkloadDefinition, organization: string | undefined): readonly string[] {
  if (organization === undefined) return definition.organizations.map(({ name }) => name);
  return definition.organizations.find(({ name }) => name === organization)?.departments ?? [];
}

/** `organization` undefined: a new organisation. */
export function addWorkload(definition: WorkloadDefinition, organization: string | undefined, name: string): Change {
  const bad = badName(name);
  if (bad !== undefined) return refused('Rename', bad);
  if (siblings(definition, organization).includes(name))
    return refused('Rename', `Item with name ${name} already exists!`);
  const entry = entryOf({
    organization: organization ?? name,
    department: organization === undefined ? undefined : name,
  });
  if (entries(definition).includes(entry)) return refused('Rename', `Item with name ${entry} already exists!`);
  const organizations =
    organization === undefined
      ? [...definition.organizations, { name, departments: [] }]
      : definition.organizations.map((each) =>
          each.name === organization ? { ...each, departments: [...each.departments, name] } : each,
        );
  return done({ ...definition, organizations });
}

/** Rules follow: an organisation's own entry and those of its departments. */
export function renameWorkload(definition: WorkloadDefinition, workload: Workload, name: string): Change {
  const { organization, department } = workload;
  const old = department ?? organization;
  if (name === old) return done(definition);
  const bad = badName(name);
  if (bad !== undefined) return refused('Rename', bad);
  if (siblings(definition, department === undefined ? undefined : organization).includes(name))
    return refused('Rename', `Item with name ${name} already exists!`);
  const organizations = definition.organizations.map((each) => {
    if (each.name !== organization) return each;
    if (department === undefined) return { ...each, name };
    return { ...each, departments: each.departments.map((one) => (one === department ? name : one)) };
  });
  const renamed = (entry: string): string => {
    if (department !== undefined) return entry === entryOf(workload) ? `${organization}.${name}` : entry;
    if (entry === organization) return name;
    const isOwn = entry.startsWith(`${organization}.`) && entries(definition).includes(entry);
    return isOwn ? `${name}${entry.slice(organization.length)}` : entry;
  };
  const rules = definition.rules.map((rule) => ({ ...rule, workloads: rule.workloads.map(renamed) }));
  const next = { organizations, rules };
  const all = entries(next);
  const twice = all.find((entry, at) => all.indexOf(entry) !== at);
  return twice === undefined ? done(next) : refused('Rename', `Item with name ${twice} already exists!`);
}

/** Their entries go from the rules; a rule that is left with none goes without a question. */
export function removeWorkloads(definition: WorkloadDefinition, workloads: readonly Workload[]): WorkloadDefinition {
  const gone = new Set(workloads.map(entryOf));
  const organizations = definition.organizations
    .filter(({ name }) => !workloads.some((each) => each.organization === name && each.department === undefined))
    .map((each) => ({
      ...each,
      departments: each.departments.filter((department) => !gone.has(`${each.name}.${department}`)),
    }));
  const left = new Set(entries({ organizations, rules: [] }));
  const known = new Set(entries(definition));
  const rules = definition.rules
    .map((rule) => ({ ...rule, workloads: rule.workloads.filter((entry) => left.has(entry) || !known.has(entry)) }))
    .filter(({ workloads: members }) => members.length > 0);
  return { organizations, rules };
}

export function sortDepartments({ organizations, rules }: WorkloadDefinition): WorkloadDefinition {
  const sorted = organizations.map((each) => ({ ...each, departments: [...each.departments].sort() }));
  return { organizations: sorted, rules };
}

/** Undefined: the selection may go into a rule. */
export function selectionProblem(selection: readonly Workload[]): Extract<Change, { kind: 'refused' }> | undefined {
  if (selection.length === 0)
    return {
      kind: 'refused',
      title: 'Creating A New Run-time  Rule',
      message: 'You must select first at least one Organization/Department workload!',
    };
  for (const { organization, department } of selection) {
    if (department === undefined) continue;
    if (selection.some((each) => each.organization === organization && each.department === undefined))
      return {
        kind: 'refused',
        title: 'Creating A New Run-time Exclusion Rule',
        message: `Invalid Selection [ ${organization}, ${organization}.${department} ].\n\nYou can only select EITHER an Organization OR specific Department!`,
      };
  }
  return undefined;
}

const sortedEntries = (members: readonly string[]) => [...new Set(members)].sort();

export function createRule(
  definition: WorkloadDefinition,
  selection: readonly Workload[],
  name: string,
): WorkloadDefinition {
  const rule = { name, workloads: sortedEntries(selection.map(entryOf)) };
  return { ...definition, rules: [...definition.rules, rule] };
}

/** Entries of the selection that the rule has already. */
export function alreadyIn(
  definition: WorkloadDefinition,
  rule: number,
  selection: readonly Workload[],
): readonly string[] {
  const members = definition.rules[rule]?.workloads ?? [];
  return selection.map(entryOf).filter((entry) => members.includes(entry));
}

export function addToRule(definition: WorkloadDefinition, rule: number, selection: readonly Workload[]): Change {
  const members = definition.rules[rule]?.workloads ?? [];
  for (const workload of selection) {
    const { organization, department } = workload;
    const family = members.find((entry) =>
      department === undefined
        ? definition.organizations.some(
            ({ name, departments }) => name === organization && departments.some((each) => `${name}.${each}` === entry),
          )
        : entry === organization,
    );
    if (family !== undefined)
      return refused(
        'Adding Orgs/Depts workloads to a Run-time Exclusion Rule',
        `Invalid Selection [ ${family}, ${entryOf(workload)} ].\nYou can only have EITHER an Organization OR a specific Department workload\nin a single Run-time Exclusion Rule`,
      );
  }
  const workloads = sortedEntries([...members, ...selection.map(entryOf)]);
  return done(withRule(definition, rule, { workloads }));
}

export function removeFromRule(
  definition: WorkloadDefinition,
  rule: number,
  gone: readonly string[],
): WorkloadDefinition {
  const members = definition.rules[rule]?.workloads ?? [];
  return withRule(definition, rule, { workloads: members.filter((entry) => !gone.includes(entry)) });
}

export function renameRule(definition: WorkloadDefinition, rule: number, name: string): WorkloadDefinition {
  return withRule(definition, rule, { name });
}

export function deleteRule(definition: WorkloadDefinition, rule: number): WorkloadDefinition {
  return { ...definition, rules: definition.rules.filter((_, at) => at !== rule) };
}

function withRule(
  definition: WorkloadDefinition,
  rule: number,
  change: Partial<WorkloadDefinition['rules'][number]>,
): WorkloadDefinition {
  return { ...definition, rules: definition.rules.map((each, at) => (at === rule ? { ...each, ...change } : each)) };
}
