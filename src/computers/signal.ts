/** Invitations and answers: what two pages must know of each other to connect, as a text that is copied by hand. */
import { deflateSync, inflateSync, strFromU8, strToU8 } from 'fflate';
import type { PeerMachine } from '../../workers/contract';
import { text } from './text';

export interface Invitation {
  readonly kind: 'invitation';
  /** The answer repeats it. */
  readonly id: string;
  /** ms since 1970, by the clock of the inviting computer. */
  readonly madeAt: number;
  readonly machine: PeerMachine;
  /** Numbers in use in the inviting browser. */
  readonly own: readonly number[];
  /** Machines of other computers that it knows. */
  readonly others: readonly PeerMachine[];
  readonly sdp: string;
}

export interface Answer {
  readonly kind: 'answer';
  readonly id: string;
  readonly machine: PeerMachine;
  readonly sdp: string;
}

/** Says in one sentence why a text is of no use. */
export class SignalProblem extends Error {
  override readonly name = 'SignalProblem';
}

const VERSION = '1';
const FORM = /^xen-lab-(invitation|answer):(\d+):([\w-]+)\.([0-9a-f]{8})$/;
/** As far as a text is a signal at all. */
const BEGINNING = /^xen-lab-(invitation|answer):/;
const LONGEST = 20_000;
const VALID_MS = 60 * 60 * 1000;
const MAX_NUMBER = 80;

export function encodeSignal(signal: Invitation | Answer): string {
  const bytes = deflateSync(strToU8(JSON.stringify(signal)), { level: 9 });
  const body = btoa(strFromU8(bytes, true)).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
  return `xen-lab-${signal.kind}:${VERSION}:${body}.${checksum(body)}`;
}

/** Throws SignalProblem. */
export function readInvitation(pasted: string, now: number): Invitation {
  const { problems } = text;
  const value = read(pasted, 'invitation', problems.noInvitation, problems.isAnswer);
  const { id, madeAt, machine, own, others, sdp } = value;
  if (!isText(id) || typeof madeAt !== 'number' || !isMachine(machine) || !isSdp(sdp))
    throw new SignalProblem(problems.noInvitation);
  if (!Array.isArray(own) || !own.every(isNumber) || !Array.isArray(others) || !others.every(isMachine))
    throw new SignalProblem(problems.noInvitation);
  if (now - madeAt > VALID_MS) throw new SignalProblem(problems.expired);
  return { kind: 'invitation', id, madeAt, machine, own, others, sdp };
}

/** The answer to the invitation of this name. Throws SignalProblem. */
export function readAnswer(pasted: string, invitationId: string): Answer {
  const { problems } = text;
  const { id, machine, sdp } = read(pasted, 'answer', problems.noAnswer, problems.isInvitation);
  if (!isText(id) || !isMachine(machine) || !isSdp(sdp)) throw new SignalProblem(problems.noAnswer);
  if (id !== invitationId) throw new SignalProblem(problems.otherInvitation);
  return { kind: 'answer', id, machine, sdp };
}

function read(pasted: string, kind: string, isNone: string, isOther: string): Readonly<Record<string, unknown>> {
  // Mail programs break lines.
  const packed = pasted.replace(/\s+/g, '');
  const beginning = BEGINNING.exec(packed);
  if (!beginning || packed.length > LONGEST) throw new SignalProblem(isNone);
  if (beginning[1] !== kind) throw new SignalProblem(isOther);
  const [, , version, body = '', sum] = FORM.exec(packed) ?? [];
  if (sum === undefined || checksum(body) !== sum) throw new SignalProblem(text.problems.damaged);
  if (version !== VERSION) throw new SignalProblem(text.problems.otherVersion);
  try {
    const bytes = strToU8(atob(body.replace(/-/g, '+').replace(/_/g, '/')), true);
    const value: unknown = JSON.parse(strFromU8(inflateSync(bytes)));
    if (typeof value === 'object' && value !== null) return value as Readonly<Record<string, unknown>>;
  } catch {
    // Neither packed nor written as a signal is.
  }
  throw new SignalProblem(isNone);
}

/** FNV-1a: finds what was lost in copying, and is no protection against anybody. */
function checksum(body: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < body.length; i++) hash = Math.imul(hash ^ body.charCodeAt(i), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, '0');
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0;
}

function isNumber(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MAX_NUMBER;
}

function isMachine(value: unknown): value is PeerMachine {
  if (typeof value !== 'object' || value === null) return false;
  const { number, browser } = value as Partial<PeerMachine>;
  return isNumber(number) && isText(browser);
}

/** One data channel: neither sound nor pictures. */
function isSdp(value: unknown): value is string {
  return isText(value) && /^m=application /m.test(value) && value.match(/^m=/gm)?.length === 1;
}

/** The number that the machine which joins should have: undefined when its own will do. */
export function betterNumber(invitation: Invitation, self: PeerMachine, own: readonly number[]): number | undefined {
  const others = invitation.others.filter(({ browser }) => browser !== self.browser);
  const used = new Set([...invitation.own, ...others.map(({ number }) => number)]);
  if (!used.has(self.number)) return undefined;
  for (let number = 1; ; number++) if (!used.has(number) && !own.includes(number)) return number;
}
