/**
 * The hypervisor's console: what it prints goes to the serial line and into the console ring; what is typed on the
 * serial line goes to Domain-0, or, after three times Ctrl-A, to the hypervisor's key handlers.
 *
 * Source: xen/drivers/char/console.c, Xen 3.4.
 */
import type { Clock } from '../lib/clock';
import { parseSize } from './commandLine';
import { ConsoleRing, DEFAULT_CONRING_SIZE } from './consoleRing';
import { isOptionOn } from './sched/options';

export type LogLevel = 'error' | 'warning' | 'info' | 'debug';
const levelNumber = { error: 0, warning: 1, info: 2, debug: 3 } as const;
/** Levels below the first always print, below the second print rate-limited. */
export interface Threshold {
  readonly always: number;
  readonly limited: number;
}

const NEWLINE = 10;
const RATE_LIMIT_NS = 5e9;
const RATE_LIMIT_BURST = 10;
/** Input that Domain-0 has not fetched yet, bytes. Xen keeps 128; a page can paste more than a serial line delivers. */
const RX_SIZE = 65536;
const SWITCH_COUNT = 3;

export interface XenConsoleHost {
  readonly clock: Clock;
  /** UTC at time 0, s; for `console_timestamps`. */
  readonly bootUnixSeconds: number;
  serialOut(bytes: Uint8Array): void;
  /** Input for Domain-0 has arrived: VIRQ_CONSOLE. */
  inputArrived(): void;
  /** The ring has grown: VIRQ_CON_RING. */
  ringGrew(): void;
  /** A key typed while Xen has the input. */
  handleKey(key: string): void;
}

export class XenConsole {
  readonly ring: ConsoleRing;
  readonly #host: XenConsoleHost;
  readonly #encoder = new TextEncoder();
  readonly #hasTimestamps: boolean;
  readonly #copiesGuests: boolean;
  readonly #switchCode: number;
  readonly #own: Threshold;
  readonly #guest: Threshold;
  #tokensNs = RATE_LIMIT_BURST * RATE_LIMIT_NS;
  #tokensAtNs = 0;
  #missed = 0;
  #xenHasInput = true;
  #switchSeen = 0;
  #received: number[] = [];

  constructor(host: XenConsoleHost, options: ReadonlyMap<string, string>) {
    this.#host = host;
    this.ring = new ConsoleRing(parseRingSize(options.get('conring_size')));
    this.#hasTimestamps = isOptionOn(options, 'console_timestamps');
    this.#copiesGuests = isOptionOn(options, 'console_to_ring');
    this.#own = parseThreshold(options.get('loglvl'), { always: 2, limited: 2 });
    this.#guest = parseThreshold(options.get('guest_loglvl'), { always: 0, limited: 2 });
    const word = options.get('conswitch') ?? 'a';
    this.#switchCode = word[0] === '`' ? 0 : (word || 'a').toLowerCase().charCodeAt(0) - 0x60;
  }

  /** How `loglvl` and `guest_loglvl` stand, as the boot messages name them. */
  get levelNames(): { readonly own: string; readonly guest: string } {
    return { own: describeThreshold(this.#own), guest: describeThreshold(this.#guest) };
  }

  // --- output

  /** A line of the hypervisor's own, with the prefix `(XEN) `. Lines without a level count as warnings. */
  print(line: string, level: LogLevel = 'warning'): void {
    this.#print(line, level, this.#own);
  }

  /** A line that a guest's behaviour caused; such lines are rate-limited. */
  printGuest(line: string, level: LogLevel = 'warning'): void {
    this.#print(line, level, this.#guest);
  }

  /** Text without a prefix: the banner. */
  printRaw(text: string): void {
    this.#emit(this.#encoder.encode(text));
  }

  /** console_io write: Domain-0's output. */
  guestWrite(bytes: Uint8Array): void {
    this.#host.serialOut(withCarriageReturns(bytes));
    if (this.#copiesGuests) {
      this.ring.write(bytes);
      this.#host.ringGrew();
    }
  }

  // --- input

  /** Hands the serial line over at the end of boot; `conswitch=<c>x` keeps it. */
  endBoot(options: ReadonlyMap<string, string>): void {
    if (options.get('conswitch')?.[1] === 'x') this.#announceInput();
    else this.#toggleInput();
  }

  serialInput(bytes: Uint8Array): void {
    const before = this.#received.length;
    for (const byte of bytes) this.#receive(byte);
    if (this.#received.length > before) this.#host.inputArrived();
  }

  /** console_io read: what was typed for Domain-0. */
  takeInput(limit: number): Uint8Array {
    return Uint8Array.from(this.#received.splice(0, limit));
  }

  #receive(byte: number): void {
    if (byte === this.#switchCode && this.#switchCode !== 0) {
      if (++this.#switchSeen === SWITCH_COUNT) {
        this.#switchSeen = 0;
        this.#toggleInput();
      }
      return;
    }
    // Fewer than three were meant for whoever has the input.
    for (; this.#switchSeen > 0; this.#switchSeen--) this.#deliver(this.#switchCode);
    this.#deliver(byte);
  }

  #deliver(byte: number): void {
    if (this.#xenHasInput) this.#host.handleKey(String.fromCharCode(byte));
    else if (this.#received.length < RX_SIZE) this.#received.push(byte);
  }

  #toggleInput(): void {
    this.#xenHasInput = !this.#xenHasInput;
    this.#announceInput();
  }

  #announceInput(): void {
    const [now, other] = this.#xenHasInput ? ['Xen', 'DOM0'] : ['DOM0', 'Xen'];
    const hint =
      this.#switchCode === 0
        ? ''
        : ` (type 'CTRL-${String.fromCharCode(this.#switchCode + 0x60)}' three times to switch input to ${other})`;
    this.print(`*** Serial input -> ${now}${hint}`);
  }

  #print(line: string, level: LogLevel, threshold: Threshold): void {
    const number = levelNumber[level];
    if (number >= threshold.always && (number >= threshold.limited || !this.#hasToken())) return;
    this.#emitLine(line);
  }

  #emitLine(line: string): void {
    const stamp = this.#hasTimestamps ? `[${this.#timestamp()}] ` : '';
    this.#emit(this.#encoder.encode(`(XEN) ${stamp}${line}\n`));
  }

  #hasToken(): boolean {
    const nowNs = this.#host.clock.nowNs;
    this.#tokensNs = Math.min(RATE_LIMIT_BURST * RATE_LIMIT_NS, this.#tokensNs + nowNs - this.#tokensAtNs);
    this.#tokensAtNs = nowNs;
    if (this.#tokensNs < RATE_LIMIT_NS) {
      this.#missed++;
      return false;
    }
    this.#tokensNs -= RATE_LIMIT_NS;
    const missed = this.#missed;
    this.#missed = 0;
    if (missed > 0) this.#emitLine(`printk: ${missed} messages suppressed.`);
    return true;
  }

  #emit(bytes: Uint8Array): void {
    this.ring.write(bytes);
    this.#host.serialOut(withCarriageReturns(bytes));
    this.#host.ringGrew();
  }

  #timestamp(): string {
    const ms = this.#host.bootUnixSeconds * 1000 + Math.floor(this.#host.clock.nowNs / 1e6);
    return new Date(ms).toISOString().slice(0, 19).replace('T', ' ');
  }
}

function withCarriageReturns(bytes: Uint8Array): Uint8Array {
  let lines = 0;
  for (const byte of bytes) if (byte === NEWLINE) lines++;
  const out = new Uint8Array(bytes.length + lines);
  let at = 0;
  for (const byte of bytes) {
    if (byte === NEWLINE) out[at++] = 13;
    out[at++] = byte;
  }
  return out;
}

function parseRingSize(text: string | undefined): number {
  const [, number = '', unit = ''] = /^(\w*?)([kM]?)$/.exec(text ?? '') ?? [];
  const bytes = parseSize(`${number}${unit || 'b'}`);
  return Math.min(bytes || DEFAULT_CONRING_SIZE, 2 ** 24);
}

const levelWords: Readonly<Record<string, number>> = { none: 0, error: 1, warning: 2, info: 3, debug: 4, all: 4 };

function parseThreshold(text: string | undefined, standard: Threshold): Threshold {
  if (text === undefined) return standard;
  const [lower, upper] = text.split('/').map((word) => levelWords[word] ?? 0);
  const always = lower ?? 0;
  return { always, limited: Math.max(always, upper ?? always) };
}

const thresholdWords = ['Nothing', 'Errors', 'Errors and warnings', 'Errors, warnings and info', 'All'];

function describeThreshold({ always, limited }: Threshold): string {
  const own = thresholdWords[always]!;
  return limited > always ? `${own} (Rate-limited: ${thresholdWords[limited]})` : own;
}
