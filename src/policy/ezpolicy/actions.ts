/** What ezPolicy's menus, buttons and keys do. */
import type { Dialogs } from '../../ui/dialogs';
import {
  addToRule,
  addWorkload,
  alreadyIn,
  type Change,
  createRule,
  deleteRule,
  entryOf,
  removeFromRule,
  removeWorkloads,
  renameRule,
  renameWorkload,
  selectionProblem,
  UNLABELED,
} from './definition';
import { useEzPolicy } from './state';
import { text } from './text';

export class EzPolicyActions {
  constructor(private readonly dialogs: Dialogs) {}

  async #apply(change: Change): Promise<void> {
    if (change.kind === 'done') useEzPolicy.getState().change(change.definition);
    else await this.dialogs.tell(change.title, change.message);
  }

  async newOrganization(): Promise<void> {
    const name = await this.dialogs.askText(text.naming);
    if (name) await this.#apply(addWorkload(useEzPolicy.getState().definition, undefined, name));
  }

  /** For one selected organisation; otherwise nothing happens. */
  async addDepartment(): Promise<void> {
    const [only, ...others] = useEzPolicy.getState().selection;
    if (!only || others.length > 0 || only.department !== undefined || only.organization === UNLABELED) return;
    const name = await this.dialogs.askText(text.naming);
    if (!name) return;
    await this.#apply(addWorkload(useEzPolicy.getState().definition, only.organization, name));
    const { expanded, expand } = useEzPolicy.getState();
    if (!expanded.includes(only.organization)) expand([...expanded, only.organization]);
  }

  async rename(): Promise<void> {
    const [only, ...others] = useEzPolicy.getState().selection;
    if (!only || others.length > 0 || entryOf(only) === UNLABELED) return;
    const name = await this.dialogs.askText({ ...text.naming, initial: only.department ?? only.organization });
    if (!name) return;
    const { expanded, expand } = useEzPolicy.getState();
    const wasExpanded = only.department === undefined && expanded.includes(only.organization);
    await this.#apply(renameWorkload(useEzPolicy.getState().definition, only, name));
    if (wasExpanded) expand([...expanded, name]);
  }

  remove(): void {
    const { definition, selection, change } = useEzPolicy.getState();
    if (selection.length > 0) change(removeWorkloads(definition, selection));
  }

  async createRule(): Promise<void> {
    const { selection } = useEzPolicy.getState();
    const problem = selectionProblem(selection);
    if (problem) {
      await this.dialogs.tell(problem.title, problem.message);
      return;
    }
    const name = await this.dialogs.askText(text.namingRule);
    if (name === undefined) return;
    const { definition, change } = useEzPolicy.getState();
    change(createRule(definition, selection, name));
  }

  async addToRule(rule: number): Promise<void> {
    const { definition, selection } = useEzPolicy.getState();
    const problem = selectionProblem(selection);
    if (problem) {
      await this.dialogs.tell(problem.title, problem.message);
      return;
    }
    const known = alreadyIn(definition, rule, selection);
    if (known.length > 0 && !(await this.dialogs.askYesNo(text.adding, text.already(known)))) return;
    await this.#apply(addToRule(useEzPolicy.getState().definition, rule, selection));
  }

  async removeFromRule(rule: number, entries: readonly string[]): Promise<void> {
    const { definition, change } = useEzPolicy.getState();
    const next = removeFromRule(definition, rule, entries);
    change(next);
    if ((next.rules[rule]?.workloads.length ?? 0) >= 2) return;
    if (await this.dialogs.askYesNo(text.deleting, text.tooFew)) this.deleteRule(rule);
  }

  async renameRule(rule: number): Promise<void> {
    const old = useEzPolicy.getState().definition.rules[rule]?.name ?? '';
    const name = await this.dialogs.askText({ ...text.renaming, initial: old });
    if (!name) return;
    const { definition, change } = useEzPolicy.getState();
    change(renameRule(definition, rule, name));
  }

  deleteRule(rule: number): void {
    const { definition, change } = useEzPolicy.getState();
    change(deleteRule(definition, rule));
  }
}
