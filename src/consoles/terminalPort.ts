/** One terminal's bytes: the page's end of the MessageChannel that `openTerminal` hands to the worker. */
import type { LabApi, TerminalInput, TerminalOutput, TerminalTarget } from '../../workers/contract';
import { asPortLike, messageOf } from '../worker/connect';

export interface TerminalPort {
  send(data: string): void;
  sendBytes(data: Uint8Array): void;
  resize(rows: number, cols: number): void;
  /** Flow control: tells the worker that so many bytes are on the screen. */
  drawn(bytes: number): void;
  close(): void;
}

/** On which host of the network a domain runs, and its id there. */
export interface Place {
  readonly host: string;
  readonly domid: number;
}

export interface TerminalListener {
  output(data: Uint8Array): void;
  moved(place: Place): void;
  closed(reason: string): void;
}

export function openTerminalPort(
  api: LabApi,
  target: TerminalTarget,
  size: { readonly rows: number; readonly cols: number },
  listener: TerminalListener,
): TerminalPort {
  const { port1, port2 } = new MessageChannel();
  const encoder = new TextEncoder();
  port1.onmessage = (event: MessageEvent<TerminalOutput>) => {
    if (event.data.type === 'output') listener.output(event.data.data);
    else if (event.data.type === 'moved') listener.moved(event.data);
    else listener.closed(event.data.reason);
  };
  const post = (message: TerminalInput) => port1.postMessage(message);
  api
    .openTerminal(target, asPortLike(port2), size.rows, size.cols)
    .then((result) => {
      if (!result.ok) listener.closed(result.error.message);
    })
    .catch((error: unknown) => listener.closed(messageOf(error)));
  return {
    send: (data) => post({ type: 'input', data: encoder.encode(data) }),
    sendBytes: (data) => post({ type: 'input', data }),
    resize: (rows, cols) => post({ type: 'resize', rows, cols }),
    drawn: (bytes) => post({ type: 'drawn', bytes }),
    close: () => {
      post({ type: 'close' });
      port1.close();
    },
  };
}
