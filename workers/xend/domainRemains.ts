/** What a domain leaves when it goes: backends that have to let go, and records in the store. */
import type { XendDomainInfo } from './domainInfo';
import { sleep, type XendEnvironment } from './environment';

/** How long the hotplug scripts have to clear a dead domain's backends before xend does, ms. */
const BACKEND_SWEEP_MS = 20_000;
/** How long whoever needs the devices of a dead domain waits for them, ms. */
const RELEASE_TIMEOUT_MS = 5_000;
const RELEASE_POLL_MS = 10;

/** Asks all its devices to close. Answers their backend directories. */
export function releaseDevices(domain: XendDomainInfo): readonly string[] {
  const { controllers, log } = domain.host;
  log.debug('XendDomainInfo:2011', 'Releasing devices');
  const backends: string[] = [];
  for (const controller of controllers) {
    for (const devid of controller.deviceIds(domain)) {
      const backend = controller.backendPath(domain, devid);
      if (backend !== undefined) backends.push(backend);
      log.debug(
        'XendDomainInfo:1114',
        `XendDomainInfo.destroyDevice: deviceClass = ${controller.device.class}, device = ${controller.device.class}/${devid}`,
      );
      controller.destroy(domain, devid, false);
    }
  }
  return backends;
}

export function removeRecords({ domPath, vmPath, host }: XendDomainInfo, backends: readonly string[]): void {
  const { store, after } = host.environment;
  store.remove(domPath);
  store.remove(vmPath);
  if (backends.length === 0) return;
  // Differs from Xen: what a broken or missing hotplug script left is swept away, so that nothing ever stays.
  after(BACKEND_SWEEP_MS, () => {
    for (const backend of backends) {
      store.remove(backend);
      removeEmptyParent(store, backend);
    }
  });
}

/** Waits until these backends have gone. Gives up after 5 s. Differs from Xen, where xm is too slow to notice. */
export async function untilReleased(environment: XendEnvironment, backends: readonly string[]): Promise<void> {
  for (let waited = 0; waited < RELEASE_TIMEOUT_MS; waited += RELEASE_POLL_MS) {
    if (backends.every((backend) => environment.store.list(backend) === undefined)) return;
    await sleep(environment, RELEASE_POLL_MS);
  }
}

function removeEmptyParent(store: XendEnvironment['store'], path: string): void {
  const parent = path.slice(0, path.lastIndexOf('/'));
  if (store.list(parent)?.length === 0) store.remove(parent);
}
