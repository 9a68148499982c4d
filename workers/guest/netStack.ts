/** What the kernel's core asks of the network stack, and what it offers to it; the stack itself is in net/. */
import type { QueuedEvent } from '../lib/clock';
import type { ErrnoName } from '../lib/errno';
import type { FileOps } from './openFile';
import type { NetDeviceRegistry } from './services';
import type { NetSys } from './sys';

/** What a stack gets from the core. */
export interface NetHost {
  readonly nowNs: number;
  /** A timer that is not saved: the stack sets it again after a restore. */
  at(timeNs: number, action: () => void): QueuedEvent;
  random(limit: number): number;
  charge(ns: number): void;
  printk(line: string): void;
  /** Content of a file (/etc/hosts, /etc/resolv.conf); undefined when there is none. */
  readText(path: string): string | undefined;
  hostname(): string;
}

/** The calling process, as far as `NetSys` needs it. */
export interface NetCaller {
  readonly uid: number;
  /** Makes an open file of kind `socket` for the stack's socket number and gives it a descriptor. */
  installSocket(object: number): number;
  /** The socket's number; throws EBADF, ENOTSOCK. */
  socketOf(fd: number): number;
}

/** TCP for daemons that run beside the kernel: connections by number, and a call whenever one may have changed. */
export interface DaemonSockets {
  open(): number;
  /** SysError as bind(2) and listen(2). An empty address: every one. */
  listen(id: number, address: string, port: number): void;
  accept(id: number): { readonly id: number; readonly address: string; readonly port: number } | undefined;
  connect(id: number, address: string, port: number): void;
  /** Undefined: connected; `pending`: still trying; otherwise why it failed. */
  error(id: number): ErrnoName | 'pending' | undefined;
  /** This end of a connection. */
  localEnd(id: number): { readonly address: string; readonly port: number };
  /** Empty at the end; undefined when nothing is there yet. */
  read(id: number, max: number): Uint8Array | undefined;
  /** Bytes taken. */
  write(id: number, bytes: Uint8Array): number;
  close(id: number): void;
  /** Called after anything has happened to it, until it is closed. */
  watch(id: number, changed: () => void): void;
  /** An address for a name or an address; undefined: unknown. */
  resolve(name: string): string | undefined;
}

export interface NetStack {
  /** Kind `socket`; `OpenFile.object` is the stack's socket number. `opened`/`release` tell it about lifetimes. */
  readonly fileOps: FileOps;
  readonly devices: NetDeviceRegistry;
  sysFor(caller: NetCaller): NetSys;
  /** Files below /proc/net (`dev`, `arp`, `route`, `tcp` …) and /proc/sys/net (`sys/ipv4/ip_forward` …). */
  procFiles(): ReadonlyMap<string, { read(): string; write?(text: string): void }>;
  /** Files below /sys/class/net (`eth0/address`). */
  sysFiles?(): ReadonlyMap<string, { read(): string }>;
  readonly daemons: DaemonSockets;
  /** Plain state of interfaces, routes and sockets. */
  save(): unknown;
}

/** Builds the stack; `saved` is what an earlier one's `save` returned. */
export type NetStackFactory = (host: NetHost, saved: unknown) => NetStack;
