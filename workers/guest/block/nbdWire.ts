/**
 * The protocol of network block devices, as a client and a server of 2008 speak it over TCP: a greeting of 152 bytes, then
 * requests one way and replies the other. All numbers are big-endian.
 *
 * greeting  "NBDMAGIC" · u64 0x420281861253 · u64 size in bytes · u32 flags · 124 zeroes
 * request   u32 0x25609513 · u32 type · u64 handle · u64 from · u32 length, then the data of a write
 * reply     u32 0x67446698 · u32 error · u64 handle, then the data of a read that did not fail
 *
 * Source: the protocol's description that comes with nbd (doc/proto.md, "oldstyle negotiation" and "transmission").
 * Differs from it: two types of our own, NBD_CMD_RESERVE and NBD_CMD_REPORT, of which a server that does not know them
 * says EINVAL.
 */

const PASSWORD = 'NBDMAGIC';
const CLISERV_MAGIC = 0x4202_8186_1253n;
const REQUEST_MAGIC = 0x25609513;
const REPLY_MAGIC = 0x67446698;

export const NBD_GREETING_BYTES = 152;
export const NBD_REQUEST_BYTES = 28;
export const NBD_REPLY_BYTES = 16;

export const NBD_FLAG_HAS_FLAGS = 1;
export const NBD_FLAG_READ_ONLY = 2;
export const NBD_FLAG_SEND_FLUSH = 4;

export const NBD_CMD_READ = 0;
export const NBD_CMD_WRITE = 1;
export const NBD_CMD_DISC = 2;
export const NBD_CMD_FLUSH = 3;
/** Data: a key of 16 bytes; `from` is one of the modes below. EBUSY: somebody else's use forbids it. */
export const NBD_CMD_RESERVE = 0x100;
/** Answers `length` bytes of text, filled up with zeroes: who has reserved the volume. */
export const NBD_CMD_REPORT = 0x101;

/** What somebody means to do with a volume: the modes of a disk in a domain's configuration. */
export const RESERVE_MODES = ['release', 'r', 'w', 'w!'] as const;
export type ReserveMode = (typeof RESERVE_MODES)[number];
export const RESERVE_KEY_BYTES = 16;

/** Largest piece that one request moves. */
export const NBD_MAX_LENGTH = 1 << 20;

export interface NbdGreeting {
  readonly bytes: number;
  readonly flags: number;
}

export interface NbdRequest {
  readonly type: number;
  readonly handle: bigint;
  readonly from: number;
  readonly length: number;
}

export interface NbdReply {
  readonly error: number;
  readonly handle: bigint;
}

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

export function encodeGreeting({ bytes, flags }: NbdGreeting): Uint8Array {
  const out = new Uint8Array(NBD_GREETING_BYTES);
  const view = viewOf(out);
  for (let i = 0; i < PASSWORD.length; i++) out[i] = PASSWORD.charCodeAt(i);
  view.setBigUint64(8, CLISERV_MAGIC);
  view.setBigUint64(16, BigInt(bytes));
  view.setUint32(24, flags);
  return out;
}

/** What is wrong with it, in the words of nbd-client, when it is none. */
export function decodeGreeting(greeting: Uint8Array): NbdGreeting | string {
  const view = viewOf(greeting);
  const password = String.fromCharCode(...greeting.subarray(0, PASSWORD.length));
  if (password !== PASSWORD) return 'INIT_PASSWD bad';
  if (view.getBigUint64(8) !== CLISERV_MAGIC) return 'Not enough cliserv_magic';
  return { bytes: Number(view.getBigUint64(16)), flags: view.getUint32(24) };
}

export function encodeRequest({ type, handle, from, length }: NbdRequest): Uint8Array {
  const out = new Uint8Array(NBD_REQUEST_BYTES);
  const view = viewOf(out);
  view.setUint32(0, REQUEST_MAGIC);
  view.setUint32(4, type);
  view.setBigUint64(8, handle);
  view.setBigUint64(16, BigInt(from));
  view.setUint32(24, length);
  return out;
}

/** Undefined: not the beginning of a request. */
export function decodeRequest(bytes: Uint8Array): NbdRequest | undefined {
  const view = viewOf(bytes);
  if (view.getUint32(0) !== REQUEST_MAGIC) return undefined;
  const from = Number(view.getBigUint64(16));
  return { type: view.getUint32(4), handle: view.getBigUint64(8), from, length: view.getUint32(24) };
}

export function encodeReply({ error, handle }: NbdReply): Uint8Array {
  const out = new Uint8Array(NBD_REPLY_BYTES);
  const view = viewOf(out);
  view.setUint32(0, REPLY_MAGIC);
  view.setUint32(4, error);
  view.setBigUint64(8, handle);
  return out;
}

/** Undefined: not the beginning of a reply. */
export function decodeReply(bytes: Uint8Array): NbdReply | undefined {
  const view = viewOf(bytes);
  if (view.getUint32(0) !== REPLY_MAGIC) return undefined;
  return { error: view.getUint32(4), handle: view.getBigUint64(8) };
}

/** Whether data follows the header of a request. */
export const carriesData = (type: number) => type === NBD_CMD_WRITE || type === NBD_CMD_RESERVE;
/** Whether data follows the header of a reply without error. */
export const answersData = (type: number) => type === NBD_CMD_READ || type === NBD_CMD_REPORT;
