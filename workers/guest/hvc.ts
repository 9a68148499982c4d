/**
 * The kernel's console: in a guest a ring in a page that it shares with xenconsoled, in Domain-0 Xen's own console.
 *
 * Output that finds no room is offered again when the other side has made some; kernel messages wait in a buffer of
 * their own, because printk cannot wait.
 */
import { ByteRing } from '../abi/io/byteRing';
import { CONSOLE_IN, CONSOLE_OUT } from '../abi/io/console';
import { type Port, VIRQ_CONSOLE } from '../abi/xen';
import type { EventChannels } from './evtchn';
import type { Hypercalls } from './hypercall';

/** Kernel messages beyond this are dropped while nobody reads. */
const PRINTK_BACKLOG = 65_536;

export interface ConsoleSink {
  /** Bytes typed at the console. */
  input(bytes: Uint8Array): void;
  /** There is room again after a write that was cut short. */
  writable(): void;
}

export interface HvcConsole {
  /** Returns how many bytes were taken. */
  write(bytes: Uint8Array): number;
  /** A kernel message: kept until it has gone out. */
  print(text: string): void;
  /** Input goes there from now on; what came before is delivered at once. */
  attach(sink: ConsoleSink): void;
}

export class RingConsole implements HvcConsole {
  readonly #in: ByteRing;
  readonly #out: ByteRing;
  #sink: ConsoleSink | undefined;
  #printk = new Uint8Array(0);
  #wantsRoom = false;

  constructor(
    page: Uint8Array,
    private readonly port: Port,
    private readonly events: EventChannels,
  ) {
    this.#in = new ByteRing(page, CONSOLE_IN);
    this.#out = new ByteRing(page, CONSOLE_OUT);
    events.handle(port, () => this.#onEvent());
  }

  write(bytes: Uint8Array): number {
    this.#flushPrintk();
    const taken = this.#printk.length > 0 ? 0 : this.#out.write(bytes);
    if (taken > 0) this.events.notify(this.port);
    if (taken < bytes.length) this.#wantsRoom = true;
    return taken;
  }

  print(text: string): void {
    const bytes = new TextEncoder().encode(text.replaceAll('\n', '\r\n'));
    if (this.#printk.length + bytes.length <= PRINTK_BACKLOG) {
      const both = new Uint8Array(this.#printk.length + bytes.length);
      both.set(this.#printk);
      both.set(bytes, this.#printk.length);
      this.#printk = both;
    }
    this.#flushPrintk();
  }

  attach(sink: ConsoleSink): void {
    this.#sink = sink;
    this.#onEvent();
  }

  #flushPrintk(): void {
    if (this.#printk.length === 0) return;
    const taken = this.#out.write(this.#printk);
    if (taken === 0) return;
    this.#printk = this.#printk.slice(taken);
    this.events.notify(this.port);
  }

  #onEvent(): void {
    this.#flushPrintk();
    if (!this.#sink) return;
    const bytes = this.#in.read();
    if (bytes.length > 0) {
      this.events.notify(this.port);
      this.#sink.input(bytes);
    }
    if (this.#wantsRoom && this.#printk.length === 0 && this.#out.free > 0) {
      this.#wantsRoom = false;
      this.#sink.writable();
    }
  }
}

/** Domain-0: Xen's console always takes everything. */
export class XenConsole implements HvcConsole {
  #sink: ConsoleSink | undefined;

  constructor(
    private readonly hypercalls: Hypercalls,
    events: EventChannels,
  ) {
    events.handle(events.bindVirq(VIRQ_CONSOLE), () => this.#read());
  }

  write(bytes: Uint8Array): number {
    this.hypercalls.consoleWrite(bytes);
    return bytes.length;
  }

  print(text: string): void {
    this.hypercalls.consoleWrite(new TextEncoder().encode(text.replaceAll('\n', '\r\n')));
  }

  attach(sink: ConsoleSink): void {
    this.#sink = sink;
    this.#read();
  }

  #read(): void {
    if (!this.#sink) return;
    for (;;) {
      const bytes = this.hypercalls.consoleRead();
      if (bytes.length === 0) return;
      this.#sink.input(bytes);
    }
  }
}
