/** Collects the fields that a word expands to: splitting by IFS, and which characters are quoted for globbing. */

export interface Field {
  /** The text with quotes gone. */
  val: string;
  /** The text as a pattern: quoted special characters carry a backslash. */
  pat: string;
  /** Some unquoted character may be a wildcard. */
  wild: boolean;
}

const WILD = /[*?[\\(]/;

export class Fields {
  readonly done: Field[] = [];
  #current: Field | undefined;
  /** The last field was ended by white space only: one more delimiter belongs to it. */
  #closedBySpace = false;

  constructor(readonly ifs: string) {}

  quoted(text: string): void {
    const field = this.#open();
    field.val += text;
    field.pat += escapePattern(text);
  }

  /** Unquoted text of the script itself: not split. */
  literal(text: string): void {
    const field = this.#open();
    field.val += text;
    field.pat += text;
    if (WILD.test(text)) field.wild = true;
  }

  /** The result of an unquoted expansion. */
  split(text: string): void {
    let plain = '';
    for (const c of text) {
      if (!this.ifs.includes(c)) {
        plain += c;
        continue;
      }
      if (plain) this.#value(plain);
      plain = '';
      this.#delimiter(c);
    }
    if (plain) this.#value(plain);
  }

  /** A value's backslashes are ordinary characters, its wildcards are not. */
  #value(text: string): void {
    const field = this.#open();
    field.val += text;
    field.pat += text.replace(/\\/g, '\\\\');
    if (WILD.test(text)) field.wild = true;
  }

  /** Ends the current field, as between the elements of "$@". */
  next(): void {
    if (this.#current) this.done.push(this.#current);
    this.#current = undefined;
  }

  finish(): Field[] {
    this.next();
    return this.done;
  }

  #open(): Field {
    this.#closedBySpace = false;
    this.#current ??= { val: '', pat: '', wild: false };
    return this.#current;
  }

  #delimiter(c: string): void {
    const isSpace = c === ' ' || c === '\t' || c === '\n';
    if (this.#current) {
      this.next();
      this.#closedBySpace = isSpace;
    } else if (!isSpace) {
      if (!this.#closedBySpace) this.done.push({ val: '', pat: '', wild: false });
      this.#closedBySpace = false;
    }
  }
}

export function escapePattern(text: string): string {
  return text.replace(/[\\*?[\]()|!@+-]/g, '\\$&');
}
