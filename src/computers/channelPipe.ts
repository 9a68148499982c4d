/** Carries pieces between the worker's port and a data channel, no faster than the channel takes them. */
import type { PeerInput, PeerOutput } from '../../workers/contract';

/** As much of RTCDataChannel as is needed. */
export interface ChannelLike {
  binaryType: string;
  bufferedAmountLowThreshold: number;
  readonly bufferedAmount: number;
  readonly readyState: string;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: (() => void) | null;
  onbufferedamountlow: (() => void) | null;
  send(piece: ArrayBuffer): void;
  close(): void;
}

export interface PortLike {
  postMessage(message: PeerInput, transfer?: Transferable[]): void;
  onmessage: ((event: { data: PeerOutput }) => void) | null;
}

/** What the channel holds at most, and when it is filled again, bytes. */
export const HIGH = 1 << 20;
export const LOW = 256 << 10;

/** `closed` is called once, whichever side ends it. Answers with the way to end it here. */
export function connectPipe(channel: ChannelLike, port: PortLike, closed: () => void): () => void {
  const waiting: ArrayBuffer[] = [];
  let isOpen = true;
  const end = () => {
    if (!isOpen) return;
    isOpen = false;
    waiting.length = 0;
    port.postMessage({ type: 'lost' });
    channel.close();
    closed();
  };
  const drain = () => {
    let taken = 0;
    while (isOpen && channel.readyState === 'open' && channel.bufferedAmount < HIGH) {
      const piece = waiting.shift();
      if (!piece) break;
      taken += piece.byteLength;
      channel.send(piece);
    }
    if (taken > 0) port.postMessage({ type: 'taken', bytes: taken });
  };
  channel.binaryType = 'arraybuffer';
  channel.bufferedAmountLowThreshold = LOW;
  channel.onbufferedamountlow = drain;
  channel.onclose = end;
  channel.onmessage = ({ data }) => {
    // A text is nothing that a lab says.
    if (!(data instanceof ArrayBuffer)) end();
    else if (isOpen) port.postMessage({ type: 'bytes', bytes: data }, [data]);
  };
  port.onmessage = ({ data }) => {
    if (data.type === 'closed') end();
    else {
      waiting.push(data.bytes);
      drain();
    }
  };
  return end;
}
