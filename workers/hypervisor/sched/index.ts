/** The schedulers that the boot option `sched=` can name, in the order in which Xen 3.4 searches them. */
import { credit } from './credit';
import type { SchedulerKind } from './scheduler';
import { sedf } from './sedf';

export const schedulers: readonly SchedulerKind[] = [sedf, credit];

export interface ChosenScheduler {
  readonly kind: SchedulerKind;
  /** What Xen prints about it at boot. */
  readonly messages: readonly string[];
}

/**
 * Finds what `sched=` names (undefined: no such option, `credit`). An unknown name is reported, and the last entry of
 * the table stays in use (scheduler_init in xen/common/schedule.c).
 */
export function chooseScheduler(name = 'credit'): ChosenScheduler {
  const found = schedulers.find((kind) => kind.option === name);
  const kind = found ?? schedulers.at(-1)!;
  const messages = found ? [] : [`Could not find scheduler: ${name}`];
  return { kind, messages: [...messages, `Using scheduler: ${kind.title} (${kind.option})`] };
}
