/** What a match or a target brings along: its options, and how it is printed and saved (iptables' libipt_*.so). */
import type { Sys } from '../../../sys';
import { Complaint } from './complaint';
import type { OptionName, Words } from './words';

/** An option of an extension, as it was given. */
export class Given {
  constructor(
    readonly sys: Sys,
    readonly name: string,
    readonly words: Words,
    /** A `!` stands before the option, or between it and its argument. */
    public isInverted: boolean,
    private argument: string | undefined,
  ) {}

  /** Its argument; a `!` before it turns the sense round. */
  value(): string {
    if (this.argument === '!') {
      if (this.isInverted) throw new Complaint("Multiple `!' flags not allowed");
      this.isInverted = true;
      const next = this.words.take();
      if (next === undefined) throw new Complaint("no argument following `!'");
      this.argument = next;
    }
    return this.argument ?? '';
  }

  /** Its argument, for an option that has no opposite. */
  plainValue(): string {
    if (this.argument === '!') throw new Complaint(`Unexpected \`!' after --${this.name}`);
    return this.argument ?? '';
  }

  /** Must not have been set before. */
  once(isSet: boolean, complaint: string): void {
    if (isSet) throw new Complaint(complaint);
  }
}

export interface Extension<T> {
  readonly name: string;
  readonly options: readonly OptionName[];
  readonly help: string;
  /** Without any option. */
  begin(): T;
  /** With one option more. */
  take(so: T, given: Given, seen: ReadonlySet<string>): T;
  /** Throws when an option is missing. */
  check?(value: T, seen: ReadonlySet<string>): void;
  /** As `iptables -L` prints it, with a blank behind. */
  print(value: T, sys: Sys, isNumeric: boolean): string;
  /** As `iptables-save` prints its options. */
  save(value: T): string;
}

export const required = (long: string): OptionName => ({ long, argument: 'required' });
export const bare = (long: string): OptionName => ({ long, argument: 'none' });
