/** Virtual block devices: `vbd` over the block layer (`phy:`, `file:`), `tap` over image files (`tap:aio:`). */
import type { SplitDevice } from '../device';
import { tapBackend, vbdBackend } from './backend';
import { parseVbd, type VbdConfig, vbdEntries } from './controller';
import { vbdFrontend } from './frontend';

export const vbd: SplitDevice<VbdConfig> = {
  class: 'vbd',
  configKey: 'disk',
  parseConfig: parseVbd,
  storeEntries: vbdEntries,
  waitsForHotplug: true,
  frontend: vbdFrontend,
  backend: vbdBackend,
};

/** The guest sees an ordinary vbd; only the backend differs. */
export const tap: SplitDevice<VbdConfig> = {
  ...vbd,
  class: 'tap',
  frontendClass: 'vbd',
  frontend: undefined,
  backend: tapBackend,
};
