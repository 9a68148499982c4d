import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { XENSTORE_RING_SIZE, XsRing, XsRingError } from './xsRing';
import {
  decode,
  encode,
  latin1,
  latin1Bytes,
  payloadStrings,
  stringsPayload,
  XsMessageReader,
  XsProtocolError,
} from './xsWire';

const u32 = fc.nat({ max: 0xffff_ffff });
const message = fc.record({
  type: u32,
  reqId: u32,
  txId: u32,
  payload: fc.uint8Array({ maxLength: 300 }),
});

/** Cuts bytes into pieces of the given sizes, over and over. */
function pieces(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length]!;
    parts.push(bytes.subarray(at, at + size));
    at += size;
  }
  return parts;
}

const sizes = fc.array(fc.integer({ min: 1, max: 64 }), { minLength: 1, maxLength: 8 });

describe('the wire codec', () => {
  it('has the header of xs_wire.h: type, req_id, tx_id, len, little-endian', () => {
    const bytes = encode({ type: 2, reqId: 0x01020304, txId: 5, payload: latin1Bytes('/a\0') });
    expect([...bytes]).toEqual([2, 0, 0, 0, 4, 3, 2, 1, 5, 0, 0, 0, 3, 0, 0, 0, 47, 97, 0]);
  });
  it('gives back every message', () => {
    fc.assert(
      fc.property(message, (m) => {
        expect(decode(encode(m))).toEqual(m);
      }),
    );
  });
  it('waits for the rest of a message that has not fully arrived', () => {
    fc.assert(
      fc.property(message, fc.nat(), (m, n) => {
        const bytes = encode(m);
        expect(decode(bytes.subarray(0, n % bytes.length))).toBeUndefined();
      }),
    );
  });
  it('finds all messages of a stream, wherever it is cut', () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 6 }), sizes, (messages, cuts) => {
        const stream = Uint8Array.from(messages.flatMap((m) => [...encode(m)]));
        const reader = new XsMessageReader();
        const found = [];
        for (const piece of pieces(stream, cuts)) {
          reader.push(piece);
          for (let m = reader.next(); m; m = reader.next()) found.push(m);
        }
        expect(found).toEqual(messages);
      }),
    );
  });
  it('refuses a payload of more than 4096 bytes as soon as the header is there', () => {
    const bytes = encode({ type: 2, reqId: 0, txId: 0, payload: new Uint8Array(4096) });
    expect(decode(bytes)!.payload.length).toBe(4096);
    bytes[12] = 1;
    expect(() => decode(bytes.subarray(0, 16))).toThrow(XsProtocolError);
  });
  it('gives back lists of strings and any bytes as text', () => {
    const text = fc.uint8Array({ max: 255 }).map((bytes) => latin1(bytes.filter((b) => b !== 0)));
    fc.assert(
      fc.property(fc.array(text), (strings) => {
        expect(payloadStrings(stringsPayload(strings))).toEqual(strings);
      }),
    );
  });
});

describe('the shared ring', () => {
  it('is a byte stream, whatever the sizes of writes, and wherever the indices stand', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5000 }), sizes, u32, (bytes, cuts, start) => {
        const page = new Uint8Array(4096);
        const view = new DataView(page.buffer);
        for (const at of [2056, 2060]) view.setUint32(at, start, true);
        const producer = new XsRing(page, 'rsp');
        const consumer = new XsRing(page, 'rsp');
        const got: number[] = [];
        for (const piece of pieces(bytes, cuts)) {
          let rest = piece;
          while (rest.length > 0) {
            rest = rest.subarray(producer.write(rest));
            if (rest.length > 0 || piece.length % 3 === 0) got.push(...consumer.read());
          }
        }
        got.push(...consumer.read());
        expect(Uint8Array.from(got)).toEqual(bytes);
        expect(page.subarray(0, 1024).every((b) => b === 0)).toBe(true); // the other direction is untouched
      }),
    );
  });
  it('takes no more than fits', () => {
    const ring = new XsRing(new Uint8Array(4096), 'req');
    expect(ring.write(new Uint8Array(2000))).toBe(XENSTORE_RING_SIZE);
    expect(ring.write(new Uint8Array(1))).toBe(0);
    expect(ring.read().length).toBe(XENSTORE_RING_SIZE);
  });
  it('notices indices that are further apart than the ring is long', () => {
    const page = new Uint8Array(4096);
    new DataView(page.buffer).setUint32(2052, 1025, true);
    expect(() => new XsRing(page, 'req').read()).toThrow(XsRingError);
    expect(() => new XsRing(page, 'req').write(new Uint8Array(1))).toThrow(XsRingError);
  });
});
