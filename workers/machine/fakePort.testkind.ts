/** For tests: the page's side of a message port. */
import type { LabEvent, MessagePortLike, TerminalInput, TerminalOutput } from '../contract';

export class FakePort implements MessagePortLike {
  onmessage: ((event: { data: unknown }) => void) | null = null;
  isClosed = false;
  readonly messages: unknown[] = [];

  postMessage(message: unknown): void {
    this.messages.push(message);
  }

  close(): void {
    this.isClosed = true;
  }

  /** The page says something. */
  receive(message: TerminalInput): void {
    this.onmessage?.({ data: message });
  }

  type(text: string): void {
    this.receive({ type: 'input', data: new TextEncoder().encode(text) });
  }

  outputs(): string[] {
    return this.#output().map(({ data }) => new TextDecoder().decode(data));
  }

  text(): string {
    return this.outputs().join('');
  }

  outputBytes(): number {
    return this.#output().reduce((sum, { data }) => sum + data.length, 0);
  }

  lastByte(): number | undefined {
    return this.#output().at(-1)?.data.at(-1);
  }

  closedReason(): string | undefined {
    for (const message of this.messages as TerminalOutput[]) if (message.type === 'closed') return message.reason;
    return undefined;
  }

  events(): LabEvent[] {
    return (this.messages as LabEvent[][]).flat();
  }

  #output(): (TerminalOutput & { type: 'output' })[] {
    return (this.messages as TerminalOutput[]).flatMap((message) => (message.type === 'output' ? [message] : []));
  }
}
