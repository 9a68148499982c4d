/** Signals: their numbers and what each does to a process that does not catch it (signal(7)). */
import type { SignalName } from './sys';

/** Linux i386 numbers; an exit by signal is status 128 + number in the shell. */
export const signalNumber: Readonly<Record<SignalName, number>> = {
  HUP: 1,
  INT: 2,
  QUIT: 3,
  ILL: 4,
  TRAP: 5,
  ABRT: 6,
  BUS: 7,
  FPE: 8,
  KILL: 9,
  USR1: 10,
  SEGV: 11,
  USR2: 12,
  PIPE: 13,
  ALRM: 14,
  TERM: 15,
  CHLD: 17,
  CONT: 18,
  STOP: 19,
  TSTP: 20,
  TTIN: 21,
  TTOU: 22,
  URG: 23,
  WINCH: 28,
};

/** Every signal with its number, in the order of the numbers. */
export const signalList = Object.entries(signalNumber) as readonly (readonly [SignalName, number])[];

/** `TERM`, `SIGTERM`, `term` or `15` → TERM; undefined when there is no such signal. */
export function parseSignal(text: string): SignalName | undefined {
  if (/^\d+$/.test(text)) return signalList.find(([, number]) => number === Number(text))?.[0];
  const bare = text.toUpperCase().replace(/^SIG/, '');
  return signalList.find(([name]) => name === bare)?.[0];
}

export type DefaultAction = 'terminate' | 'ignore' | 'stop';

export function defaultAction(signal: SignalName): DefaultAction {
  switch (signal) {
    case 'CHLD':
    case 'CONT':
    case 'URG':
    case 'WINCH':
      return 'ignore';
    case 'STOP':
    case 'TSTP':
    case 'TTIN':
    case 'TTOU':
      return 'stop';
    default:
      return 'terminate';
  }
}
