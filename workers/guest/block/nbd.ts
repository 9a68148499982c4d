/** The network block devices of a kernel, as the calls of nbd-client change them (NBD_SET_SOCK, NBD_DO_IT, …). */
import type { ErrnoName } from '../../lib/errno';
import type { OpenFiles } from '../descriptors';
import type { OpenFile } from '../openFile';
import { SysError } from '../sys';
import { NbdDevice, type NbdHost, type NbdSettings, type NbdState } from './nbdDevice';
import type { BlockDevices } from './registry';

/** nbds_max of the module. */
export const NBD_DEVICES = 16;

interface Entry {
  readonly device: NbdDevice;
  /** The socket, held as long as the connection lasts. */
  file: OpenFile | undefined;
  /** The process that made the connection. */
  maker: number;
  /** The process that waits for the end of the connection, and how it is told. */
  client: { readonly pid: number; readonly done: (reason: ErrnoName | undefined) => void } | undefined;
  /** The connection has ended and nobody has heard of it yet. */
  ended: { readonly reason: ErrnoName | undefined } | undefined;
}

export class NbdDevices {
  readonly #entries = new Map<number, Entry>();

  constructor(
    private readonly host: NbdHost,
    private readonly block: BlockDevices,
    private readonly files: OpenFiles,
  ) {}

  find(minor: number): NbdDevice | undefined {
    return this.#entries.get(minor)?.device;
  }

  /** The process that keeps the connection; the one that made it, until another waits for its end. */
  clientOf(minor: number): number | undefined {
    const entry = this.#entries.get(minor);
    return entry?.client?.pid ?? (entry?.device.isConnected ? entry.maker : undefined);
  }

  /** Gives the device a connection. EBUSY when it has one. */
  connect(minor: number, file: OpenFile, settings: NbdSettings, pid: number): void {
    if (minor < 0 || minor >= NBD_DEVICES) throw new SysError('ENXIO');
    const known = this.#entries.get(minor);
    if (known?.device.isConnected) throw new SysError('EBUSY');
    const entry = known ?? this.#add(minor, settings);
    entry.ended = undefined;
    entry.maker = pid;
    this.#hold(entry, file);
    entry.device.connect(file.object, settings);
    if (!known) this.block.add(entry.device);
  }

  #add(minor: number, settings: NbdSettings): Entry {
    const device = new NbdDevice(this.host, minor, settings);
    const entry: Entry = { device, file: undefined, maker: 0, client: undefined, ended: undefined };
    device.onEnd = (reason) => this.#ended(entry, reason);
    this.#entries.set(minor, entry);
    return entry;
  }

  #hold(entry: Entry, file: OpenFile): void {
    this.files.hold(file);
    entry.file = file;
  }

  /** The process waits until the connection is over; `done` gets the reason when it was lost. ENOTCONN. */
  doIt(minor: number, pid: number, done: (reason: ErrnoName | undefined) => void): void {
    const entry = this.#entries.get(minor);
    if (!entry) throw new SysError('ENOTCONN');
    entry.client = { pid, done };
    if (entry.ended) this.#tell(entry);
  }

  /** NBD_DISCONNECT. */
  disconnect(minor: number): void {
    const entry = this.#entries.get(minor);
    if (!entry?.device.isConnected) throw new SysError('ENOTCONN');
    entry.device.disconnect();
  }

  /** The client has ended, of itself or by force: so has the device. */
  clientExited(pid: number): void {
    for (const [minor, entry] of this.#entries) {
      if (entry.client?.pid !== pid) continue;
      entry.client = undefined;
      entry.device.lose('EINTR');
      this.#entries.delete(minor);
      this.block.remove(entry.device.name);
    }
  }

  #ended(entry: Entry, reason: ErrnoName | undefined): void {
    const { file } = entry;
    entry.file = undefined;
    if (file) this.files.release(file);
    entry.ended = { reason };
    this.#tell(entry);
  }

  #tell(entry: Entry): void {
    entry.client?.done(entry.ended?.reason);
  }

  save(): readonly NbdState[] {
    return [...this.#entries.values()].map(({ device, file }) => device.save(file?.id));
  }

  /** After the open files; whoever waited for the end of a connection asks again. */
  restore(states: readonly NbdState[]): void {
    for (const state of states) {
      const entry = this.#add(state.minor, state);
      const file = state.file === undefined ? undefined : this.files.files.get(state.file);
      if (file) this.#hold(entry, file);
      else entry.ended = { reason: 'ECONNRESET' };
      entry.device.restore(state);
      this.block.add(entry.device);
    }
  }
}
