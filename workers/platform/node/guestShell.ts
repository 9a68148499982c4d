/** A mini guest's root shell on its console, for tests. */
import type { BootedHost } from './testing';

export class GuestShell {
  /** What it has shown since the last command. */
  shown = '';
  #write: (bytes: Uint8Array) => Promise<void> = async () => {};
  #count = 0;

  constructor(readonly machine: BootedHost) {}

  /** Logs in as root. */
  async open(domain: string): Promise<this> {
    const decoder = new TextDecoder();
    const { write } = await this.machine.host.openConsole(domain, {
      data: (bytes) => {
        this.shown += decoder.decode(bytes, { stream: true });
      },
      closed: () => {},
    });
    this.#write = (bytes) => write(bytes);
    await this.#until(/login: $/);
    await this.#type('root\n');
    await this.#until(/# $/);
    return this;
  }

  #type(text: string): Promise<void> {
    return this.#write(new TextEncoder().encode(text));
  }

  async #until(pattern: RegExp): Promise<void> {
    for (let tries = 0; tries < 600 && !pattern.test(this.shown); tries++) await this.machine.advance(100);
    if (!pattern.test(this.shown)) throw new Error(`the guest does not answer:\n${this.shown}`);
  }

  /** What a command line printed. */
  async run(command: string): Promise<string> {
    const mark = `done${++this.#count}`;
    this.shown = '';
    await this.#type(`${command}; echo "do""ne${this.#count}"\n`);
    await this.#until(new RegExp(`${mark}\r?\n`));
    const [, ...lines] = this.shown.replaceAll('\r', '').split('\n');
    return lines.join('\n').split(mark)[0]!;
  }
}
