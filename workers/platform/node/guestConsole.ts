/** Somebody at a guest's console, for tests and measurements: types command lines and reads what they print. */
import type { BootedHost } from './testing';

/** Virtual time within which a guest must have answered, ms. */
const ANSWER_LIMIT_MS = 600_000;

/** What is waited for is not longer than this. */
const LONGEST_MATCH = 200;

export interface CommandResult {
  readonly status: number;
  /** Without carriage returns, and without the command line itself. */
  readonly output: string;
}

export class GuestConsole {
  /** Everything shown since the last command line was typed, as it came. */
  shown = '';
  /** Every byte since then. */
  readonly chunks: Uint8Array[] = [];
  /** What has not been looked at yet, and a little before it. */
  #news = '';
  #count = 0;
  #isClosed = false;
  #write: (bytes: Uint8Array) => Promise<void> = async () => {};
  #close: () => void = () => {};

  private constructor(readonly booted: BootedHost) {}

  /** Attaches to a running domain's console and reads what it has said so far. */
  static async attach(booted: BootedHost, domain: string): Promise<GuestConsole> {
    const guest = new GuestConsole(booted);
    const decoder = new TextDecoder();
    const opened = await booted.host.openConsole(domain, {
      data: (bytes) => {
        guest.chunks.push(bytes.slice());
        const text = decoder.decode(bytes, { stream: true });
        guest.shown += text;
        guest.#news += text;
      },
      closed: () => {
        guest.#isClosed = true;
      },
    });
    guest.#write = (bytes) => opened.write(bytes);
    guest.#close = () => opened.close();
    return guest;
  }

  /** A Linux guest's console, whose shell needs no login. */
  static async linux(booted: BootedHost, domain: string): Promise<GuestConsole> {
    const guest = await GuestConsole.attach(booted, domain);
    await guest.until(/linux:\S*# (\x1b\[6n)?$/);
    return guest;
  }

  /** A mini guest's console, logged in as root. */
  static async mini(booted: BootedHost, domain: string): Promise<GuestConsole> {
    const guest = await GuestConsole.attach(booted, domain);
    await guest.until(/login: $/);
    await guest.type('root\n');
    await guest.until(/# $/);
    return guest;
  }

  /** The domain is gone. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  close(): void {
    this.#close();
  }

  type(text: string): Promise<void> {
    return this.#write(new TextEncoder().encode(text));
  }

  /** Lets time pass until the console shows it; throws when it does not come, or the domain has gone. */
  async until(pattern: RegExp, limitMs = ANSWER_LIMIT_MS): Promise<void> {
    const { clock, loop } = this.booted.lab;
    let isShown = false;
    let looked = -1;
    this.#news = this.shown;
    // Asked after every event: the text is only looked at when there is more of it, and only the new end of it.
    const isOver = () => {
      if (looked !== this.shown.length) {
        looked = this.shown.length;
        isShown = pattern.test(this.#news);
        this.#news = this.#news.slice(-LONGEST_MATCH);
      }
      return isShown || this.#isClosed;
    };
    await loop.runUntil(isOver, clock.nowNs + limitMs * 1e6);
    if (!isShown) throw new Error(`${pattern} does not come. The console shows:\n${this.shown.slice(-2000)}`);
  }

  /** Types a command line for the shell and waits for its end. */
  async run(command: string, limitMs = ANSWER_LIMIT_MS): Promise<CommandResult> {
    const end = await this.begin(command);
    return end(limitMs);
  }

  /** Types a command line that takes its time; the function waits for its end. */
  async begin(command: string): Promise<(limitMs?: number) => Promise<CommandResult>> {
    const n = ++this.#count;
    this.shown = '';
    this.chunks.length = 0;
    // The marks are put together by the shell: what the terminal echoes does not contain them.
    await this.type(`echo "be""gin${n}"; ${command}; echo "en""d${n}:$?"\n`);
    return async (limitMs = ANSWER_LIMIT_MS) => {
      const end = new RegExp(`end${n}:(\\d+)\\r*\\n`);
      await this.until(end, limitMs);
      const begin = new RegExp(`begin${n}\\r*\\n`).exec(this.shown)!;
      const { index, 1: status } = end.exec(this.shown)!;
      const output = this.shown.slice(begin.index + begin[0].length, index);
      return { status: Number(status), output: output.replaceAll('\r', '') };
    };
  }
}
