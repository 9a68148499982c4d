/** The kernel log: what printk writes, dmesg prints, and the console shows. */
const LINES_MAX = 1024;

export class KernelLog {
  #lines: string[] = [];

  /** `onLine` puts each line on the console. */
  constructor(private readonly onLine: (line: string) => void) {}

  printk(text: string): void {
    for (const line of text.replace(/\n$/, '').split('\n')) {
      this.#lines.push(line);
      this.onLine(line);
    }
    if (this.#lines.length > LINES_MAX) this.#lines.splice(0, this.#lines.length - LINES_MAX);
  }

  text(): string {
    return this.#lines.length === 0 ? '' : `${this.#lines.join('\n')}\n`;
  }

  clear(): void {
    this.#lines = [];
  }

  save(): readonly string[] {
    return [...this.#lines];
  }

  restore(lines: readonly string[]): void {
    this.#lines = [...lines];
  }
}
