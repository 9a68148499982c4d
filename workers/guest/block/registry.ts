/** The block layer's list of devices: who provides them is a driver's business, who uses them is asked here. */
import type { BlockDevice, BlockRegistry } from '../services';

export class BlockDevices implements BlockRegistry {
  readonly #devices = new Map<string, BlockDevice>();
  readonly #claims = new Map<string, string[]>();
  readonly #holders = new Map<string, string[]>();
  readonly #listeners: (() => void)[] = [];
  /** Uses that the kernel itself knows of (mounts, open files, loop devices). */
  knownUsers: (device: BlockDevice) => readonly string[] = () => [];

  add(device: BlockDevice): void {
    const awaited = this.#devices.get(device.name);
    this.#devices.set(device.name, device);
    if (awaited instanceof AwaitedDevice) awaited.settle(device);
    this.#changed();
  }

  /** There was such a device when the kernel was saved; its driver will add it again. */
  expect(known: KnownDevice): void {
    if (!this.#devices.has(known.name)) this.add(new AwaitedDevice(known));
  }

  remove(name: string): void {
    const device = this.#devices.get(name);
    if (!this.#devices.delete(name)) return;
    if (device instanceof AwaitedDevice) device.settle(undefined);
    this.#changed();
  }

  find(key: string | { major: number; minor: number }): BlockDevice | undefined {
    if (typeof key === 'string') return this.#devices.get(key);
    for (const device of this.#devices.values())
      if (device.major === key.major && device.minor === key.minor) return device;
    return undefined;
  }

  list(): readonly BlockDevice[] {
    return [...this.#devices.values()];
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  usersOf(name: string): readonly string[] {
    const device = this.#devices.get(name);
    return [...(device ? this.knownUsers(device) : []), ...(this.#claims.get(name) ?? [])];
  }

  claim(name: string, user: string): () => void {
    return enter(this.#claims, name, user);
  }

  /** Processes that have opened the device for themselves (O_EXCL), `nbd-server[67]`: it is not mounted beside them. */
  holdersOf(name: string): readonly string[] {
    return this.#holders.get(name) ?? [];
  }

  hold(name: string, holder: string): () => void {
    return enter(this.#holders, name, holder);
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** Adds to a list of users; the function takes it off again. */
function enter(users: Map<string, string[]>, name: string, user: string): () => void {
  const list = users.get(name) ?? [];
  list.push(user);
  users.set(name, list);
  return () => {
    const at = list.indexOf(user);
    if (at >= 0) list.splice(at, 1);
  };
}

/** What is known of a device without asking it; plain data. */
export type KnownDevice = Pick<BlockDevice, 'name' | 'major' | 'minor' | 'sectors' | 'readonly'>;

/** Stands for a device until its driver has connected again after a restore: requests wait, and nobody notices. */
class AwaitedDevice implements BlockDevice {
  readonly name: string;
  readonly major: number;
  readonly minor: number;
  readonly sectors: number;
  readonly readonly: boolean;
  #waiting: ((device: BlockDevice | undefined) => void)[] = [];

  constructor({ name, major, minor, sectors, readonly }: KnownDevice) {
    this.name = name;
    this.major = major;
    this.minor = minor;
    this.sectors = sectors;
    this.readonly = readonly;
  }

  read(sector: number, count: number, done: (bytes: Uint8Array | undefined) => void): void {
    this.#waiting.push((device) => (device ? device.read(sector, count, done) : done(undefined)));
  }

  write(sector: number, bytes: Uint8Array, done: (ok: boolean) => void): void {
    this.#waiting.push((device) => (device ? device.write(sector, bytes, done) : done(false)));
  }

  flush(done: (ok: boolean) => void): void {
    this.#waiting.push((device) => (device ? device.flush(done) : done(false)));
  }

  /** The device is there, or (undefined) will never be. */
  settle(device: BlockDevice | undefined): void {
    for (const action of this.#waiting.splice(0)) action(device);
  }
}

/**
 * A device by its name, as a mounted file system holds it: after a restore the driver may connect later than the first
 * request, which then waits for it. A device that is removed fails what comes afterwards.
 */
export class NamedDevice implements BlockDevice {
  #waiting: ((device: BlockDevice) => void)[] = [];
  #wasThere: boolean;

  constructor(
    private readonly registry: BlockDevices,
    readonly name: string,
  ) {
    this.#wasThere = registry.find(name) !== undefined;
    registry.onChange(() => this.#deviceChanged());
  }

  get major(): number {
    return this.#device?.major ?? 0;
  }

  get minor(): number {
    return this.#device?.minor ?? 0;
  }

  get sectors(): number {
    return this.#device?.sectors ?? 0;
  }

  get readonly(): boolean {
    return this.#device?.readonly ?? false;
  }

  read(sector: number, count: number, done: (bytes: Uint8Array | undefined) => void): void {
    if (this.#isGone) done(undefined);
    else this.#whenThere((device) => device.read(sector, count, done));
  }

  write(sector: number, bytes: Uint8Array, done: (ok: boolean) => void): void {
    if (this.#isGone) done(false);
    else this.#whenThere((device) => device.write(sector, bytes, done));
  }

  flush(done: (ok: boolean) => void): void {
    if (this.#isGone) done(false);
    else this.#whenThere((device) => device.flush(done));
  }

  get #device(): BlockDevice | undefined {
    return this.registry.find(this.name);
  }

  get #isGone(): boolean {
    return this.#wasThere && this.#device === undefined;
  }

  #whenThere(action: (device: BlockDevice) => void): void {
    const device = this.#device;
    if (device) action(device);
    else this.#waiting.push(action);
  }

  #deviceChanged(): void {
    const device = this.#device;
    if (!device) return;
    this.#wasThere = true;
    for (const action of this.#waiting.splice(0)) action(device);
  }
}
