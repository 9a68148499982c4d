import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteQueue } from './byteQueue';
import {
  decodeGreeting,
  decodeReply,
  decodeRequest,
  encodeGreeting,
  encodeReply,
  encodeRequest,
  NBD_GREETING_BYTES,
} from './nbdWire';

const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const u64 = fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn });
const size = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });

describe('the protocol of network block devices', () => {
  it('reads back what it wrote', () => {
    fc.assert(
      fc.property(u32, u64, size, u32, (number, handle, bytes, length) => {
        const greeting = { bytes, flags: number };
        expect(decodeGreeting(encodeGreeting(greeting))).toEqual(greeting);
        const request = { type: number, handle, from: bytes, length };
        expect(decodeRequest(encodeRequest(request))).toEqual(request);
        const reply = { error: number, handle };
        expect(decodeReply(encodeReply(reply))).toEqual(reply);
      }),
    );
  });

  it('has the bytes of its description', () => {
    const greeting = Buffer.from(encodeGreeting({ bytes: 0x1122334455, flags: 5 }));
    expect(greeting.length).toBe(NBD_GREETING_BYTES);
    expect(greeting.subarray(0, 28).toString('hex')).toBe(
      `${Buffer.from('NBDMAGIC').toString('hex')}${'0000420281861253'}${'0000001122334455'}${'00000005'}`,
    );
    const request = encodeRequest({ type: 1, handle: 7n, from: 4096, length: 512 });
    expect(Buffer.from(request).toString('hex')).toBe(
      '25609513' + '00000001' + '0000000000000007' + '0000000000001000' + '00000200',
    );
    expect(Buffer.from(encodeReply({ error: 5, handle: 7n })).toString('hex')).toBe(
      '67446698' + '00000005' + '0000000000000007',
    );
  });

  it('knows what is none of its messages', () => {
    expect(decodeGreeting(new Uint8Array(NBD_GREETING_BYTES))).toBe('INIT_PASSWD bad');
    const other = encodeGreeting({ bytes: 1, flags: 0 });
    other[15] = 0;
    expect(decodeGreeting(other)).toBe('Not enough cliserv_magic');
    expect(decodeRequest(new Uint8Array(28))).toBeUndefined();
    expect(decodeReply(new Uint8Array(16))).toBeUndefined();
  });
});

describe('ByteQueue', () => {
  it('gives the bytes back in order, however they came and are taken', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 9 })), fc.array(fc.nat(12)), (pieces, counts) => {
        const queue = new ByteQueue();
        for (const piece of pieces) queue.push(piece);
        const whole = pieces.flatMap((piece) => [...piece]);
        for (const count of counts) {
          const taken = Math.min(count, queue.length);
          expect([...queue.peek(taken)]).toEqual(whole.slice(0, taken));
          expect([...queue.take(taken)]).toEqual(whole.splice(0, taken));
          expect(queue.length).toBe(whole.length);
        }
      }),
    );
  });
});
