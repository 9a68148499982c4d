import { describe, expect, it } from 'vitest';
import type { PeerInput } from '../../workers/contract';
import { type ChannelLike, connectPipe, HIGH, LOW, type PortLike } from './channelPipe';

class FakeChannel implements ChannelLike {
  binaryType = 'blob';
  bufferedAmountLowThreshold = 0;
  bufferedAmount = 0;
  readyState = 'open';
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: (() => void) | null = null;
  onbufferedamountlow: (() => void) | null = null;
  readonly sent: number[] = [];

  send(piece: ArrayBuffer): void {
    this.sent.push(piece.byteLength);
    this.bufferedAmount += piece.byteLength;
  }

  close(): void {
    this.readyState = 'closed';
  }

  /** The network has taken all. */
  flush(): void {
    this.bufferedAmount = 0;
    this.onbufferedamountlow?.();
  }
}

function pipe() {
  const channel = new FakeChannel();
  const heard: PeerInput[] = [];
  const port: PortLike = { onmessage: null, postMessage: (message) => heard.push(message) };
  let closings = 0;
  const end = connectPipe(channel, port, () => {
    closings += 1;
  });
  const send = (bytes: number) => port.onmessage?.({ data: { type: 'bytes', bytes: new ArrayBuffer(bytes) } });
  return { channel, heard, port, end, send, closings: () => closings };
}

describe('the pipe between the worker and a data channel', () => {
  it('fills the channel so far and no further, goes on when it is low, and says what has left', () => {
    const { channel, heard, send } = pipe();
    const piece = 64 << 10;
    const pieces = (3 * HIGH) / piece;
    for (let i = 0; i < pieces; i++) send(piece);
    expect(channel.bufferedAmount).toBe(HIGH);
    expect(channel.bufferedAmountLowThreshold).toBe(LOW);
    channel.flush();
    channel.flush();
    expect(channel.sent.length).toBe(pieces);
    const taken = heard.reduce((sum, message) => sum + (message.type === 'taken' ? message.bytes : 0), 0);
    expect(taken).toBe(3 * HIGH);
  });

  it('hands over what arrives', () => {
    const { channel, heard } = pipe();
    const { buffer } = Uint8Array.of(1, 2);
    channel.onmessage?.({ data: buffer });
    expect(heard).toEqual([{ type: 'bytes', bytes: buffer }]);
    expect(channel.binaryType).toBe('arraybuffer');
  });

  it.each([
    ['the channel is lost', ({ channel }: ReturnType<typeof pipe>) => channel.onclose?.()],
    [
      'the worker has had enough',
      ({ port }: ReturnType<typeof pipe>) => port.onmessage?.({ data: { type: 'closed' } }),
    ],
    ['a text comes', ({ channel }: ReturnType<typeof pipe>) => channel.onmessage?.({ data: 'hello' })],
    ['it is ended here', ({ end }: ReturnType<typeof pipe>) => end()],
  ])('ends once when %s', (_, act) => {
    const it = pipe();
    act(it);
    it.channel.onclose?.();
    it.send(10);
    expect(it.heard).toEqual([{ type: 'lost' }]);
    expect(it.closings()).toBe(1);
    expect(it.channel.readyState).toBe('closed');
    expect(it.channel.sent).toEqual([]);
  });
});
