/** The connection of this page to a machine of another computer: WebRTC, set up by two texts that somebody carries. */
import { create } from 'zustand';
import type { PeerApi, PeerMachine } from '../../workers/contract';
import { asPortLike, unwrap } from '../worker/connect';
import { browserId } from './browserId';
import { type ChannelLike, connectPipe, type PortLike } from './channelPipe';
import { betterNumber, encodeSignal, readAnswer, readInvitation, SignalProblem } from './signal';
import { text } from './text';

export type Connection =
  | { readonly phase: 'none' }
  /** Side A; without a text while addresses are gathered. */
  | { readonly phase: 'inviting'; readonly text?: string }
  /** Side B. */
  | { readonly phase: 'answering'; readonly text?: string }
  | { readonly phase: 'connecting'; readonly host: string }
  | { readonly phase: 'connected'; readonly host: string; readonly isStalled: boolean }
  | { readonly phase: 'lost'; readonly host: string };

export const useComputer = create<{
  readonly connection: Connection;
  /** Machines of other computers that count as switched on. */
  readonly others: readonly PeerMachine[];
}>()(() => ({ connection: { phase: 'none' }, others: [] }));

/** Addresses that are not known by then are not in the text. */
const GATHER_MS = 5000;
/** A way is found by then, or there is none. */
const CONNECT_MS = 30_000;
const CHANNEL = 'xen-lab';
const STUN = /^(stuns?:)?[\w.-]+(:\d+)?$|^(stuns?:)?\[[0-9a-f:]+\](:\d+)?$/i;

interface Attempt {
  readonly rtc: RTCPeerConnection;
  /** Of the invitation. */
  readonly id: string;
  peer?: PeerMachine;
  /** Its number was reserved for this attempt. */
  isNew?: boolean;
  timer?: ReturnType<typeof setTimeout>;
  /** Closing the connection tells its own side nothing. */
  endPipe?: () => void;
}

export class OtherComputer {
  #attempt: Attempt | undefined;
  readonly #leave = () => this.#attempt?.rtc.close();

  constructor(private readonly peers: PeerApi) {
    useComputer.setState({ connection: { phase: 'none' }, others: [] });
    window.addEventListener('pagehide', this.#leave);
  }

  /** Side A begins. */
  async invite(stun: string): Promise<void> {
    const attempt = this.#begin(stun, crypto.randomUUID());
    this.#show({ phase: 'inviting' });
    try {
      const { number, own, others } = unwrap(await this.peers.peerState());
      const channel = attempt.rtc.createDataChannel(CHANNEL, { ordered: true });
      channel.onopen = () => void this.#opened(attempt, channel);
      const sdp = await describe(attempt.rtc, await attempt.rtc.createOffer());
      if (attempt !== this.#attempt) return;
      const machine = { number, browser: browserId() };
      const invitation = { kind: 'invitation', id: attempt.id, madeAt: Date.now(), machine, own, others, sdp } as const;
      this.#show({ phase: 'inviting', text: encodeSignal(invitation) });
    } catch (error) {
      await this.#giveUp(attempt);
      throw error;
    }
  }

  /** Side A has the answer. Throws SignalProblem for a text that is none; the invitation stands. */
  async accept(pasted: string): Promise<void> {
    const attempt = this.#attempt;
    if (!attempt) return;
    const answer = readAnswer(pasted, attempt.id);
    await this.#reserve(attempt, answer.machine);
    try {
      await attempt.rtc.setRemoteDescription({ type: 'answer', sdp: answer.sdp });
    } catch {
      await this.#forget(attempt);
      throw new SignalProblem(text.problems.noAnswer);
    }
    this.#show({ phase: 'connecting', host: nameOf(answer.machine) });
    this.#limit(attempt);
  }

  /**
   * Side B. Resolves with another number when this machine's own is in use on the other side: it must restart with that first.
   * Throws SignalProblem.
   */
  async join(pasted: string, stun: string): Promise<{ readonly own: number; readonly number: number } | undefined> {
    const invitation = readInvitation(pasted, Date.now());
    const browser = browserId();
    if (invitation.machine.browser === browser) throw new SignalProblem(text.problems.sameBrowser);
    const { number, own } = unwrap(await this.peers.peerState());
    const machine = { number, browser };
    const better = betterNumber(invitation, machine, own);
    if (better !== undefined) return { own: number, number: better };
    const attempt = this.#begin(stun, invitation.id);
    this.#show({ phase: 'answering' });
    try {
      await this.#reserve(attempt, invitation.machine);
      attempt.rtc.ondatachannel = ({ channel }) => {
        if (channel.label !== CHANNEL) return;
        if (channel.readyState === 'open') void this.#opened(attempt, channel);
        else channel.onopen = () => void this.#opened(attempt, channel);
      };
      try {
        await attempt.rtc.setRemoteDescription({ type: 'offer', sdp: invitation.sdp });
      } catch {
        throw new SignalProblem(text.problems.noInvitation);
      }
      const sdp = await describe(attempt.rtc, await attempt.rtc.createAnswer());
      if (attempt !== this.#attempt) return undefined;
      this.#show({ phase: 'answering', text: encodeSignal({ kind: 'answer', id: invitation.id, machine, sdp }) });
    } catch (error) {
      await this.#giveUp(attempt);
      throw error;
    }
    return undefined;
  }

  /** Ends the connection, or the attempt to make one. What was being handed over waits for the next one. */
  async disconnect(): Promise<void> {
    if (this.#attempt) await this.#giveUp(this.#attempt);
  }

  /** The user knows that the machine is off. */
  async isOff(number: number): Promise<void> {
    unwrap(await this.peers.peerIsOff(number));
    const { connection } = useComputer.getState();
    if (connection.phase === 'lost') this.#show({ phase: 'none' });
    await this.#refresh();
  }

  /** The machine of this page ends. */
  dispose(): void {
    window.removeEventListener('pagehide', this.#leave);
    const attempt = this.#attempt;
    this.#attempt = undefined;
    if (attempt) end(attempt);
  }

  #begin(stun: string, id: string): Attempt {
    if (typeof RTCPeerConnection === 'undefined') throw new SignalProblem(text.problems.unsupported);
    const server = stun.trim();
    if (server !== '' && !STUN.test(server)) throw new SignalProblem(text.problems.stun);
    const urls = /^stuns?:/i.test(server) ? server : `stun:${server}`;
    if (this.#attempt) end(this.#attempt);
    const rtc = new RTCPeerConnection({ iceServers: server === '' ? [] : [{ urls }] });
    const attempt: Attempt = { rtc, id };
    this.#attempt = attempt;
    rtc.onconnectionstatechange = () => void this.#stateChanged(attempt);
    return attempt;
  }

  async #reserve(attempt: Attempt, peer: PeerMachine): Promise<void> {
    const { others } = unwrap(await this.peers.peerState());
    const isKnown = others.some(({ number, browser }) => number === peer.number && browser === peer.browser);
    const answer = await this.peers.reservePeer(peer);
    if (!answer.ok) throw new SignalProblem(text.problems.numberTaken(nameOf(peer)));
    attempt.peer = peer;
    attempt.isNew = !isKnown;
    await this.#refresh();
  }

  #limit(attempt: Attempt): void {
    attempt.timer = setTimeout(() => void this.#failed(attempt), CONNECT_MS);
  }

  async #opened(attempt: Attempt, channel: RTCDataChannel): Promise<void> {
    const { peer } = attempt;
    if (attempt !== this.#attempt || !peer) return;
    clearTimeout(attempt.timer);
    attempt.isNew = false;
    const { port1, port2 } = new MessageChannel();
    attempt.endPipe = connectPipe(channel as unknown as ChannelLike, port1 as PortLike, () => void this.#lost(attempt));
    unwrap(await this.peers.joinPeer(peer, asPortLike(port2)));
    if (attempt === this.#attempt) this.#show({ phase: 'connected', host: nameOf(peer), isStalled: false });
  }

  async #stateChanged(attempt: Attempt): Promise<void> {
    if (attempt !== this.#attempt) return;
    const { connection } = useComputer.getState();
    const state = attempt.rtc.connectionState;
    if (connection.phase === 'connected') {
      if (state === 'failed') await this.#lost(attempt);
      else this.#show({ ...connection, isStalled: state === 'disconnected' });
    } else if (state === 'failed') await this.#failed(attempt);
  }

  async #lost(attempt: Attempt): Promise<void> {
    if (attempt !== this.#attempt) return;
    this.#attempt = undefined;
    end(attempt);
    if (attempt.peer) this.#show({ phase: 'lost', host: nameOf(attempt.peer) });
    await this.#refresh();
  }

  async #failed(attempt: Attempt): Promise<void> {
    if (attempt !== this.#attempt) return;
    await this.#giveUp(attempt);
    useProblem.setState({ problem: text.problems.noWay });
  }

  /** A machine that never was on this network need not be waited for: its number is free again. */
  async #giveUp(attempt: Attempt): Promise<void> {
    if (attempt !== this.#attempt) return;
    const { connection } = useComputer.getState();
    this.#attempt = undefined;
    end(attempt);
    this.#show(connection.phase === 'connected' ? { phase: 'lost', host: connection.host } : { phase: 'none' });
    await this.#forget(attempt);
  }

  async #forget({ peer, isNew }: Attempt): Promise<void> {
    if (isNew && peer) await this.peers.peerIsOff(peer.number);
    await this.#refresh();
  }

  #show(connection: Connection): void {
    useComputer.setState({ connection });
  }

  async #refresh(): Promise<void> {
    const answer = await this.peers.peerState();
    if (answer.ok) useComputer.setState({ others: answer.value.others });
  }
}

/** One sentence, until the next attempt. */
export const useProblem = create<{ readonly problem: string | undefined }>()(() => ({ problem: undefined }));

function end({ timer, endPipe, rtc }: Attempt): void {
  clearTimeout(timer);
  endPipe?.();
  rtc.close();
}

export function nameOf({ number }: { readonly number: number }): string {
  return `host${number}`;
}

/** The description with all addresses in it, since nothing can be sent after it. */
async function describe(rtc: RTCPeerConnection, description: RTCSessionDescriptionInit): Promise<string> {
  const gathered = new Promise<void>((resolve) => {
    rtc.addEventListener('icegatheringstatechange', () => rtc.iceGatheringState === 'complete' && resolve());
    setTimeout(resolve, GATHER_MS);
  });
  await rtc.setLocalDescription(description);
  await gathered;
  return rtc.localDescription?.sdp ?? '';
}
