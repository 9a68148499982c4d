/**
 * What the mini kernel offers to its drivers (frontends, backends) and, in Domain-0, to the daemons of the toolstack.
 *
 * Drivers keep their state plain: a driver is built from the services and, after a restore, from the state it saved;
 * callbacks that it registers are re-registered by its constructor, never serialised.
 */
import type { Domid, Gref, Mfn, Pfn, Port } from '../abi/xen';

export interface KernelServices {
  readonly time: {
    /** Kernel monotonic time, ns. */
    readonly nowNs: number;
    /** Calls back once at that time, on vcpu 0, unless cancelled. */
    at(timeNs: number, action: () => void): { cancel(): void };
  };
  readonly events: EventServices;
  readonly pages: PageServices;
  readonly grants: GrantServices;
  /** xenstore as this kernel reaches it: over the ring in a domU, directly in Domain-0. */
  readonly xenbus: XenbusServices;
  readonly block: BlockRegistry;
  readonly net: NetDeviceRegistry;
  readonly log: {
    /** One line into the kernel log and onto the console, as printk. */
    printk(line: string): void;
  };
  /** Charges cpu time to the vcpu that is running this code (see docs/costs.md). */
  charge(ns: number): void;
  /** Runs `action` when the current interrupt work is done, in order; for drivers that must not recurse. */
  defer(action: () => void): void;
  /** Domain-0 and driver domains: hypercalls for the toolstack. Undefined in an unprivileged guest. */
  readonly privcmd: Privcmd | undefined;
  /** Image files as block devices, for `tap:aio:` backends. Undefined where the kernel has no files to offer. */
  readonly images?: ImageFiles;
  /**
   * A kernel hotplug event (uevent): Domain-0's userland runs the udev rule for it, e.g.
   * `{SUBSYSTEM: 'xen-backend', ACTION: 'add', XENBUS_TYPE: 'vbd', XENBUS_PATH: 'backend/vbd/1/769'}`.
   */
  uevent(variables: Readonly<Record<string, string>>): void;
}

export interface EventServices {
  /** EVTCHNOP_alloc_unbound for this domain. */
  allocUnbound(remote: Domid): Port;
  bindInterdomain(remote: Domid, remotePort: Port): Port;
  bindVirq(virq: number, vcpu?: number): Port;
  /** Called (on the vcpu the port is bound to) when the port fires; replaces an earlier handler. */
  handle(port: Port, handler: () => void): void;
  notify(port: Port): void;
  /** Holds the port back: its events stay pending until it is let go. */
  setMasked(port: Port, masked: boolean): void;
  close(port: Port): void;
}

export interface KernelPage {
  readonly pfn: Pfn;
  readonly mfn: Mfn;
  readonly va: number;
  readonly bytes: Uint8Array;
}

export interface PageServices {
  /** A zeroed page of the guest's own memory; SysError ENOMEM. */
  alloc(): KernelPage;
  free(page: { readonly pfn: Pfn }): void;
  /** The view again, by guest frame, after a restore. */
  at(pfn: Pfn): KernelPage;
}

export interface GrantMapping {
  readonly handle: number;
  readonly va: number;
  readonly bytes: Uint8Array;
}

export interface GrantServices {
  /** Puts an entry into this domain's grant table. */
  grantAccess(domid: Domid, mfn: Mfn, readonly: boolean): Gref;
  /** Takes it back; false while the other side still has it mapped (try again later). */
  endAccess(gref: Gref): boolean;
  /** Maps a page granted by another domain. Throws XenError with the grant status's meaning. */
  map(domid: Domid, gref: Gref, readonly: boolean): GrantMapping;
  unmap(mapping: GrantMapping): void;
  /** GNTTABOP_copy between a granted page and own bytes (one page at most). */
  copyFrom(domid: Domid, gref: Gref, offset: number, length: number): Uint8Array;
  copyTo(domid: Domid, gref: Gref, offset: number, bytes: Uint8Array): void;
}

/** Asynchronous by nature: replies come through the ring. Paths may be relative to the domain's own directory. */
export interface XenbusServices {
  /** Value, or undefined when it does not exist (or may not be read). */
  read(path: string, done: (value: string | undefined) => void): void;
  list(path: string, done: (names: readonly string[]) => void): void;
  /** Writes all pairs in one transaction (retried on EAGAIN). */
  write(pairs: Readonly<Record<string, string>>, done?: (ok: boolean) => void): void;
  remove(path: string, done?: (ok: boolean) => void): void;
  /** The handler gets the changed path; called once right after the watch is set. Returns the token for unwatch. */
  watch(path: string, handler: (path: string) => void): string;
  unwatch(token: string): void;
}

/** A block device as the kernel's block layer sees it; sectors are 512 bytes. */
export interface BlockDevice {
  /** Kernel name: `hda1`, `sda`, `xvda`, `loop0`. */
  readonly name: string;
  readonly major: number;
  readonly minor: number;
  readonly sectors: number;
  readonly readonly: boolean;
  /** `done` is called later or at once, exactly once; undefined bytes mean an I/O error. */
  read(sector: number, count: number, done: (bytes: Uint8Array | undefined) => void): void;
  write(sector: number, bytes: Uint8Array, done: (ok: boolean) => void): void;
  flush(done: (ok: boolean) => void): void;
}

/** Opens a file of this kernel's file system as a disk, without a loop device. */
export interface ImageFiles {
  /** SysError when the file does not exist or may not be written. */
  open(path: string, writable: boolean): { readonly device: BlockDevice; close(): void };
}

export interface BlockRegistry {
  add(device: BlockDevice): void;
  remove(name: string): void;
  /** By name or by (major, minor). */
  find(key: string | { major: number; minor: number }): BlockDevice | undefined;
  list(): readonly BlockDevice[];
  /** Called after each add and remove. */
  onChange(listener: () => void): void;
  /** Who uses the device: `mount /home`, `open 312` (a pid), `loop1`, or what `claim` was given. */
  usersOf(name: string): readonly string[];
  /** A backend's use of a device, so that mounts and detaches see it. The returned function ends it. */
  claim(name: string, user: string): () => void;
}

/** An Ethernet device as the kernel's network stack sees it. */
export interface NetDevice {
  readonly name: string;
  readonly mac: string;
  readonly kind: 'loopback' | 'ethernet' | 'vif';
  /** A frame leaves the stack (or the bridge) through this device. False: dropped (no room, no carrier). */
  transmit(frame: Uint8Array): boolean;
  carrier: boolean;
}

export interface NetDeviceRegistry {
  /** The returned function delivers a received frame into the stack (or the bridge the device is a port of). */
  add(device: NetDevice): (frame: Uint8Array) => void;
  remove(name: string): void;
  /** Current name of a device (interfaces can be renamed). */
  nameOf(device: NetDevice): string;
  /** The device may be somewhere else on its network now: its addresses are told to the neighbours (gratuitous ARP). */
  announce?(device: NetDevice): void;
}

/** Domain-0's door to the hypervisor for tools (/proc/xen/privcmd, /dev/xen/evtchn). */
export interface Privcmd {
  /** Any hypercall, on vcpu 0; a negative result is thrown as XenError. */
  hypercall(op: number, ...args: readonly number[]): number;
  /** Zeroed guest memory, contiguous in virtual addresses, to hold a hypercall's structures. */
  alloc(bytes: number): HypercallBuffer;
  /** Maps frames of another domain (update_va_mapping_otherdomain), one page each. */
  mapForeign(domid: Domid, mfns: readonly number[]): ForeignMapping;
}

export interface HypercallBuffer {
  readonly va: number;
  readonly size: number;
  write(offset: number, bytes: Uint8Array): void;
  read(offset: number, length: number): Uint8Array;
  u8(offset: number, value?: number): number;
  u16(offset: number, value?: number): number;
  u32(offset: number, value?: number): number;
  u64(offset: number, value?: bigint): bigint;
  /** Many 32-bit words at once, from the beginning of the buffer. */
  writeWords(values: readonly number[]): void;
  readWords(count: number): readonly number[];
  free(): void;
}

export interface ForeignMapping {
  /** Byte view of the i-th frame. */
  page(index: number): Uint8Array;
  /** The same to read it now; undefined: zeroes, nobody has written to it yet. */
  peek(index: number): Uint8Array | undefined;
  unmap(): void;
}
