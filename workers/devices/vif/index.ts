/** Virtual network interfaces. */
import type { SplitDevice } from '../device';
import { vifBackend } from './backend';
import { parseVif, type VifConfig, vifEntries } from './controller';
import { vifFrontend } from './frontend';

export const vif: SplitDevice<VifConfig> = {
  class: 'vif',
  configKey: 'vif',
  parseConfig: parseVif,
  storeEntries: vifEntries,
  waitsForHotplug: true,
  frontend: vifFrontend,
  backend: vifBackend,
};
