/**
 * The split devices there are, in the order in which the toolstack makes them. The console of a domain is not among them:
 * every domain has one, and Domain-0 serves it from a daemon (console/daemon.ts).
 */
import type { BackendClass } from '../guest/backendBus';
import type { FrontendClass } from '../guest/frontendBus';
import type { SplitDevice } from './device';
import { tap, vbd } from './vbd';
import { vif } from './vif';

/** The configuration of each class is its own business: xend hands back what the class's parser returned. */
export type AnySplitDevice = SplitDevice<unknown>;

export const splitDevices: readonly AnySplitDevice[] = [
  vbd as AnySplitDevice,
  tap as AnySplitDevice,
  vif as AnySplitDevice,
];

/** What a guest kernel loads. */
export const frontendClasses: readonly FrontendClass[] = splitDevices.flatMap((device) =>
  device.frontend ? [{ class: device.frontendClass ?? device.class, attach: device.frontend.attach }] : [],
);

/** What a backend domain's kernel loads. */
export const backendClasses: readonly BackendClass[] = splitDevices.flatMap((device) =>
  device.backend ? [{ class: device.class, attach: device.backend.attach }] : [],
);
