/** All subcommands of xm, in the order of the long help. */
import type { XmCommand } from '../command';
import { blockAttach, blockDetach, blockList } from './block';
import { restore, resume, save, suspend } from './checkpoint';
import { consoleCommand } from './console';
import { create } from './create';
import { dryRun } from './dryRun';
import { dumpCore } from './dumpCore';
import { helpCommand } from './help';
import { debugKeys, dmesg, info, log } from './host';
import { addlabel, getlabel, rmlabel } from './label';
import { labels, resources } from './labels';
import { destroy, pause, reset, unpause } from './lifecycle';
import { list } from './list';
import { deleteCommand, newCommand, rename, start } from './managed';
import { memMax, memSet } from './memory';
import { migrate } from './migrate';
import { domid, domname } from './names';
import { networkAttach, networkDetach, networkList } from './network';
import { activatepolicy, cfgbootpolicy, loadpolicy, makepolicy } from './olderPolicy';
import { dumppolicy, getpolicy, resetpolicy, setpolicy } from './policy';
import { schedCredit } from './schedCredit';
import { reboot, shutdown } from './shutdown';
import { sysrq } from './sysrq';
import { uptime } from './uptime';
import { vcpuList } from './vcpuList';
import { vcpuPin, vcpuSet } from './vcpus';

export const commands: readonly XmCommand[] = [
  consoleCommand,
  create,
  newCommand,
  deleteCommand,
  destroy,
  domid,
  domname,
  dumpCore,
  list,
  memMax,
  memSet,
  migrate,
  pause,
  reboot,
  rename,
  reset,
  restore,
  resume,
  save,
  shutdown,
  start,
  suspend,
  sysrq,
  unpause,
  uptime,
  vcpuList,
  vcpuPin,
  vcpuSet,
  debugKeys,
  dmesg,
  info,
  log,
  schedCredit,
  blockAttach,
  blockDetach,
  blockList,
  networkAttach,
  networkDetach,
  networkList,
  labels,
  addlabel,
  rmlabel,
  getlabel,
  dryRun,
  resources,
  makepolicy,
  loadpolicy,
  cfgbootpolicy,
  activatepolicy,
  dumppolicy,
  setpolicy,
  resetpolicy,
  getpolicy,
  helpCommand(() => commands),
];
