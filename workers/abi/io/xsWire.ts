/**
 * Messages between xenstored and its clients: a 16-byte header (struct xsd_sockmsg: four little-endian u32: type, req_id,
 * tx_id, len) followed by `len` payload bytes.
 *
 * Source: xen/include/public/io/xs_wire.h, Xen 3.4. The shared ring that carries them for a domain: xsRing.ts.
 */
export const XS_DEBUG = 0;
export const XS_DIRECTORY = 1;
export const XS_READ = 2;
export const XS_GET_PERMS = 3;
export const XS_WATCH = 4;
export const XS_UNWATCH = 5;
export const XS_TRANSACTION_START = 6;
export const XS_TRANSACTION_END = 7;
export const XS_INTRODUCE = 8;
export const XS_RELEASE = 9;
export const XS_GET_DOMAIN_PATH = 10;
export const XS_WRITE = 11;
export const XS_MKDIR = 12;
export const XS_RM = 13;
export const XS_SET_PERMS = 14;
export const XS_WATCH_EVENT = 15;
export const XS_ERROR = 16;
export const XS_IS_DOMAIN_INTRODUCED = 17;
export const XS_RESUME = 18;
export const XS_SET_TARGET = 19;

export const XS_HEADER_SIZE = 16;
/** Bytes a payload may have; a longer message ends the connection. */
export const XENSTORE_PAYLOAD_MAX = 4096;
/** Bytes of the longest absolute path, and by convention of the longest relative one. */
export const XENSTORE_ABS_PATH_MAX = 3072;
export const XENSTORE_REL_PATH_MAX = 2048;

export interface XsMessage {
  readonly type: number;
  readonly reqId: number;
  readonly txId: number;
  readonly payload: Uint8Array;
}

/** A header announced more than XENSTORE_PAYLOAD_MAX bytes: the stream cannot be trusted any further. */
export class XsProtocolError extends Error {
  override readonly name = 'XsProtocolError';
}

export function encode(message: XsMessage): Uint8Array {
  const { payload } = message;
  const bytes = new Uint8Array(XS_HEADER_SIZE + payload.length);
  putU32(bytes, 0, message.type);
  putU32(bytes, 4, message.reqId);
  putU32(bytes, 8, message.txId);
  putU32(bytes, 12, payload.length);
  bytes.set(payload, XS_HEADER_SIZE);
  return bytes;
}

/** The message at the start of `bytes` (its payload a copy); undefined while part of it is missing. Throws XsProtocolError. */
export function decode(bytes: Uint8Array): XsMessage | undefined {
  if (bytes.length < XS_HEADER_SIZE) return undefined;
  const length = getU32(bytes, 12);
  if (length > XENSTORE_PAYLOAD_MAX) throw new XsProtocolError(`payload of ${length} bytes`);
  if (bytes.length < XS_HEADER_SIZE + length) return undefined;
  return {
    type: getU32(bytes, 0),
    reqId: getU32(bytes, 4),
    txId: getU32(bytes, 8),
    payload: bytes.slice(XS_HEADER_SIZE, XS_HEADER_SIZE + length),
  };
}

/** Finds the messages in a byte stream that arrives in pieces of any size. */
export class XsMessageReader {
  #bytes: Uint8Array = new Uint8Array(0);

  push(chunk: Uint8Array): void {
    if (this.#bytes.length === 0) {
      this.#bytes = chunk.slice();
      return;
    }
    const joined = new Uint8Array(this.#bytes.length + chunk.length);
    joined.set(this.#bytes);
    joined.set(chunk, this.#bytes.length);
    this.#bytes = joined;
  }

  /** The next complete message; undefined when more bytes are needed. Throws XsProtocolError. */
  next(): XsMessage | undefined {
    const message = decode(this.#bytes);
    if (message) this.#bytes = this.#bytes.subarray(XS_HEADER_SIZE + message.payload.length);
    return message;
  }

  /** Forgets a half-received message. */
  reset(): void {
    this.#bytes = new Uint8Array(0);
  }
}

/** Each byte as the character of the same number: paths, tokens and numbers on the wire, whatever they contain. */
export function latin1(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i++) text += String.fromCharCode(bytes[i]!);
  return text;
}

/** The reverse of `latin1`; a character above 255 becomes `?`, which no path may contain. */
export function latin1Bytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    bytes[i] = code > 0xff ? 0x3f : code;
  }
  return bytes;
}

/** A payload of strings, each ended by a NUL. */
export function stringsPayload(strings: readonly string[]): Uint8Array {
  return latin1Bytes(strings.map((s) => `${s}\0`).join(''));
}

/** The strings of such a payload; what follows the last NUL is left out. */
export function payloadStrings(payload: Uint8Array): string[] {
  const strings = latin1(payload).split('\0');
  strings.pop();
  return strings;
}

function putU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

function getU32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}
