/** What a frontend does when its device cannot be set up (xenbus_dev_fatal, linux-2.6.18-xen xenbus_client.c). */
import { XenbusState } from '../abi/io/xenbus';
import type { Domid, Port } from '../abi/xen';
import type { KernelServices } from '../guest/services';
import { errno, XenError } from '../lib/errno';

/** The reason into the kernel's log and the store, and the device goes down. `path`: `device/vbd/2049`. */
function fatal(services: KernelServices, path: string, reason: string): void {
  const [, className, id] = path.split('/');
  services.log.printk(`${className} ${className}-${id}: ${reason}`);
  services.xenbus.write({
    [`error/${path}/error`]: reason,
    [`${path}/state`]: String(XenbusState.Closing),
  });
}

/** A channel that the backend may bind; undefined when the hypervisor does not allow it, and then the device is down. */
export function frontendChannel(services: KernelServices, path: string, backend: Domid): Port | undefined {
  try {
    return services.events.allocUnbound(backend);
  } catch (error) {
    if (!(error instanceof XenError)) throw error;
    fatal(services, path, `${errno[error.code]} allocating event channel`);
    return undefined;
  }
}
