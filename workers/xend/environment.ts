/**
 * What xend needs from the Domain-0 it runs in: the way to the hypervisor, the store, files, programs and time. Every
 * promise here is settled by virtual time, never by the real world.
 */
import type { Verdict } from '../acm/decisionLog';
import type { SplitDevice } from '../devices/device';
import type { Privcmd } from '../guest/services';
import type { ByteSink, ByteSource } from '../lib/byteStream';
import type { Random } from '../lib/random';
import type { MigrationWatch } from '../migration/watch';
import type { XenstoreClient } from '../xenstore/client';

/** A file that is written or read from its beginning to its end. */
export interface OpenFile {
  /** Appends. Throws SysError when there is no room. */
  write(bytes: Uint8Array): void;
  /** Up to so many bytes; fewer at the end. */
  read(length: number): Uint8Array;
  close(): void;
}

/** A connection could not be made; the message is the reason as Python's socket module says it. */
export class ConnectError extends Error {
  override readonly name = 'ConnectError';
}

/** A TCP connection of Domain-0. Reading and writing reject with EndOfStream when it is there no more. */
export interface Connection extends ByteSource, ByteSink {
  readonly peerAddress: string;
  readonly hasEnded: boolean;
  /** From now on data takes a faster way beside the network. Both ends say so at the same point of their conversation. */
  hurry(): void;
  close(): void;
}

export interface XendNetwork {
  /** Rejects with ConnectError. */
  connect(host: string, port: number): Promise<Connection>;
  /** The address of a host; undefined: nobody knows it. */
  resolve(host: string): string | undefined;
  /** An empty address: every one. The function ends it. SysError EADDRINUSE. */
  listen(address: string, port: number, accepted: (connection: Connection) => void): () => void;
  /** False: the machine with this address is off, and whatever it held in memory is gone (a fencing device's answer). */
  isPoweredOn(address: string): boolean;
}

export interface XendFiles {
  /** Undefined when there is no such file or it cannot be read. */
  read(path: string): Uint8Array | undefined;
  /** Sees to it that a file which is fetched on first use has its contents; rejects when it cannot be had. */
  provide?(path: string): Promise<void>;
  /** Replaces the content; directories on the way are made. */
  write(path: string, data: string | Uint8Array): void;
  /** Adds to the end; file and directories are made when missing. */
  append(path: string, text: string): void;
  exists(path: string): boolean;
  isExecutable(path: string): boolean;
  /** st_rdev of a device node as Linux packs it for blkif (major × 256 + minor); undefined when it is none. */
  deviceNumber(path: string): number | undefined;
  /** Bytes; undefined when it does not exist. */
  size(path: string): number | undefined;
  rename(from: string, to: string): void;
  /** Removing what does not exist is fine. */
  remove(path: string): void;
  /** Names in a directory; undefined: there is none. */
  list(path: string): readonly string[] | undefined;
  /** Absolute, without links and dots; of what does not exist, as far as it goes. */
  realPath(path: string): string;
  /** Undefined: nothing there. */
  kindOf(path: string): 'file' | 'block' | 'other' | undefined;
}

export interface XendEnvironment {
  readonly privcmd: Privcmd;
  readonly store: XenstoreClient;
  readonly files: XendFiles;
  /** Opens a file, emptied and made when missing for `write`. Throws SysError. */
  openFile(path: string, mode: 'read' | 'write'): OpenFile;
  readonly network: XendNetwork;
  /** Where the volume behind a block device is, as `ADDRESS:PORT`; undefined: in this host. */
  volumeServer(deviceNumber: number): string | undefined;
  readonly random: Random;
  /** The split device classes, from devices/registry.ts. */
  readonly devices: readonly SplitDevice<unknown>[];
  /** Domain-0's kernel. */
  uname(): { readonly nodename: string; readonly release: string; readonly version: string; readonly machine: string };
  /** Runs a program of Domain-0 to its end; output goes to xend-debug.log. Resolves with its exit status. */
  runScript(path: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<number>;
  /** Calls back after that much virtual time, unless cancelled. */
  after(ms: number, action: () => void): { cancel(): void };
  /** Seconds since 1970, with a fraction. */
  nowUnix(): number;
  /** Something that xend's code awaits has been settled: let it run before anything else happens in this machine. */
  wake(): void;
  /** Looks on while domains leave and arrive. */
  readonly migrations?: MigrationWatch;
  /** What xend made of a decision of the security policy, for whoever asks why. */
  onVerdict?(verdict: Verdict): void;
  /** xend's process id, for its log. */
  readonly pid: number;
}

/** Resolves after that much virtual time. */
export function sleep(environment: XendEnvironment, ms: number): Promise<void> {
  return new Promise((resolve) => {
    environment.after(ms, () => {
      resolve();
      environment.wake();
    });
  });
}

/** Python's `int(text)` as xend applies it to configuration values; throws with Python's text. */
export function pythonInt(text: string): number {
  const trimmed = text.trim();
  if (!/^[+-]?\d+$/.test(trimmed)) throw new Error(`invalid literal for int() with base 10: '${text}'`);
  return Number(trimmed);
}

/** A random (version 4) uuid. */
export function randomUuid(random: Random): string {
  const bytes = random.bytes(16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return uuidText(bytes);
}

export function uuidText(bytes: Uint8Array): string {
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}

/** The 16 bytes of a uuid's text. */
export function uuidBytes(text: string): Uint8Array {
  const hex = text.replaceAll('-', '');
  return Uint8Array.from({ length: 16 }, (_, i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2) || '0', 16));
}

/** 00:16:3e, then three random bytes of which the first is at most 7f (Xen's own range of addresses). */
export function randomMac(random: Random): string {
  const bytes = [0x00, 0x16, 0x3e, random.below(0x80), random.below(0x100), random.below(0x100)];
  return bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}
