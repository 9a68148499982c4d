/**
 * A change of policy or labels stands in the hypervisor, in files of Domain-0, in xend's memory and in the store. Here it
 * becomes true in all of them or in none: files first on trial, then the hypervisor, which may refuse, then the files.
 *
 * Differs from Xen 3.4, which writes after the hypervisor has changed and leaves the two apart when the disk is full.
 */
import type { DeviceConfig } from './domainConfig';
import type { XendFiles } from './environment';
import type { LabelledDomain } from './security';
import { StagedFiles } from './stagedFiles';

/** What a domain's configuration will say. */
export interface Labelling {
  readonly domain: LabelledDomain;
  readonly label: string | undefined;
  readonly devices?: readonly DeviceConfig[];
}

export interface LabelChange {
  readonly files: XendFiles;
  readonly labellings: readonly Labelling[];
  /** Writes what changes beside the domains' configurations. */
  readonly stage?: (files: XendFiles) => void;
  /** Changes the hypervisor, or throws; answers how to change it back. */
  readonly enforce?: () => () => void;
}

/** Throws SysError (a file cannot be written) or what `enforce` throws; then nothing has changed. */
export function commitChange({ files, labellings, stage, enforce }: LabelChange): void {
  const staged = new StagedFiles(files);
  const before = labellings.map(({ domain }) => ({
    domain,
    label: domain.config.securityLabel,
    devices: domain.config.devices,
  }));
  let undo: (() => void) | undefined;
  try {
    apply(labellings, staged);
    stage?.(staged);
    staged.prepare();
    undo = enforce?.();
    staged.commit();
  } catch (error) {
    undo?.();
    staged.discard();
    apply(before, new StagedFiles(files));
    throw error;
  }
}

function apply(labellings: readonly Labelling[], files: XendFiles): void {
  for (const { domain, label, devices } of labellings) {
    domain.config.securityLabel = label;
    if (devices) domain.config.devices = [...devices];
    domain.storeLabel(files);
  }
}
