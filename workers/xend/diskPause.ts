/**
 * The disks of a domain that has suspended: their backends finish what it had asked for and flush it, before its memory
 * goes anywhere else. Without it a late write of this host could overtake one of the next.
 *
 * Differs from Xen 3.4, whose blkback ends with the domain and nobody waits for it; the store's words (`pause`,
 * `pause-done`) are those of the blktap of later Xens.
 */
import type { DevController, DeviceOwner } from './devController';
import { sleep, type XendEnvironment } from './environment';
import { XendError } from './errors';

const TIMEOUT_MS = 30_000;
const POLL_MS = 1;

interface PausedDomain extends DeviceOwner {
  readonly host: { readonly environment: XendEnvironment; readonly controllers: readonly DevController[] };
}

/** Rejects with XendError when a disk does not come to rest, or cannot keep what was written. */
export async function pauseDisks(domain: PausedDomain): Promise<void> {
  const { environment } = domain.host;
  const { store } = environment;
  const disks = disksOf(domain);
  for (const { backend } of disks) store.write(`${backend}/pause`, '1');
  for (let waited = 0; ; waited += POLL_MS) {
    const pending = disks.filter(({ backend }) => store.read(`${backend}/pause-done`) === undefined);
    if (pending.length === 0) break;
    if (waited >= TIMEOUT_MS) throw new XendError(`Timeout waiting for ${pending[0]!.name} to finish its requests`);
    await sleep(environment, POLL_MS);
  }
  for (const { backend, name } of disks) {
    const result = store.read(`${backend}/pause-done`);
    if (result !== '1') throw new XendError(`${name} could not be flushed: ${result}`);
  }
}

/** The domain goes on here. */
export function unpauseDisks(domain: PausedDomain): void {
  for (const { backend } of disksOf(domain)) domain.host.environment.store.remove(`${backend}/pause`);
}

/** Whose backend driver is there to answer. */
function disksOf(domain: PausedDomain): readonly { readonly name: string; readonly backend: string }[] {
  const { controllers, environment } = domain.host;
  return controllers
    .filter(({ device }) => device.class === 'vbd' || device.class === 'tap')
    .flatMap((controller) =>
      controller.deviceIds(domain).flatMap((devid) => {
        const backend = controller.backendPath(domain, devid);
        const isThere = backend !== undefined && environment.store.read(`${backend}/state`) !== undefined;
        return isThere ? [{ name: `Device ${devid} (${controller.device.class})`, backend }] : [];
      }),
    );
}
