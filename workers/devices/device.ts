/**
 * A split device class: the half in the guest (frontend), the half in the backend domain, and what xend writes into
 * the store so that they find each other. One folder per class, one line in registry.ts.
 */
import type { KernelServices } from '../guest/services';

export interface SplitDevice<Config> {
  /** `vbd`: device/vbd/<devid> and backend/vbd/<domid>/<devid>. */
  readonly class: string;
  /** Where the frontend's directory lies when not under the class's own name: a `tap` disk is device/vbd/<devid>. */
  readonly frontendClass?: string;
  /** Variable of a domain's configuration file that lists such devices. */
  readonly configKey: string | undefined;
  /** The device's s-expression, e.g. ['vbd', ['uname', 'phy:hda1'], ['dev', 'hda1'], ['mode', 'w']], checked. Throws Error with the operator's text. */
  parseConfig(sxp: unknown, context: DeviceContext): Config;
  /** Device number and the class-specific keys of both ends; the common ones (backend, state …) are xend's. */
  storeEntries(config: Config, context: DeviceContext): DeviceEntries;
  /** Whether xend waits for hotplug-status after it wrote the entries. */
  readonly waitsForHotplug: boolean;
  readonly frontend: FrontendDriver | undefined;
  readonly backend: BackendDriver | undefined;
}

export interface DeviceContext {
  readonly domid: number;
  /** Next free number of the class (device-misc/CLASS/nextDeviceID). */
  allocateDeviceId(className: string): number;
  /** st_rdev of a node in Domain-0's /dev, as blkif looks names up there first; undefined when there is none. */
  deviceNumber(path: string): number | undefined;
  randomMac(): string;
  randomUuid(): string;
  /** xend-config.sxp option, as text. */
  option(name: string): string | undefined;
  /** An executable /etc/xen/scripts/block-TYPE exists. */
  hasBlockScript?(type: string): boolean;
  readonly protocol: string;
}

export interface DeviceEntries {
  readonly devid: number;
  readonly frontend: Readonly<Record<string, string>>;
  readonly backend: Readonly<Record<string, string>>;
}

/** State kept by the kernel between slices and over a suspend: plain data, whatever the driver wants. */
export type DriverState = unknown;

export interface FrontendDriver {
  /** A device directory appeared (`saved`: what `save` returned, when the kernel goes on with the same backend). */
  attach(services: KernelServices, path: string, saved: DriverState | undefined): FrontendInstance;
}

export interface FrontendInstance {
  /** The backend's state node changed (xenbus states 1 … 8). */
  backendChanged(state: number): void;
  /** Plain state, before a suspend or a snapshot. */
  save(): DriverState;
  /** True once the device is usable; the boot waits for it before it mounts the root disk. */
  readonly isConnected: boolean;
  /** False while somebody waits for an answer of the device: a guest does not suspend before. */
  readonly isQuiet?: boolean;
  /** It never will be: the boot does not wait for it. */
  readonly hasFailed?: boolean;
  /** The device directory is gone: let go of everything. */
  detach?(): void;
}

export interface BackendDriver {
  /** A directory backend/<class>/<domid>/<devid> appeared in this domain. */
  attach(services: KernelServices, path: string): BackendInstance;
}

export interface BackendInstance {
  /** The frontend's state node changed. */
  frontendChanged(state: number): void;
  /** hotplug-status or another key of its own directory changed. */
  ownKeyChanged(key: string): void;
  /** The directory is gone or the frontend's domain died: release every mapping and port. */
  detach(): void;
}
