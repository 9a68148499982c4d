/** From a refusal that somebody reads to the decision behind it. */
import type { LabApi } from '../../workers/contract';
import { showPanel } from '../workbench/layout';
import { messageOf, unwrap } from '../worker/connect';
import { useBench } from './bench';

/** `back`: how many equal refusals came later. `domid`: of the guest in whose console it stands. */
export async function openWhy(api: LabApi, text: string, back: number, domid?: number): Promise<void> {
  const { explain, show, say } = useBench.getState();
  show('why');
  showPanel('policy');
  try {
    const number = unwrap(await api.findRefusal(text, back, domid));
    if (number !== null) explain(number);
  } catch (error) {
    say({ isBad: true, text: messageOf(error) });
  }
}

/** The last refusal of all, for those who have no mouse to click one with. */
export async function openLastRefusal(api: LabApi): Promise<void> {
  await openWhy(api, '', 0);
}
