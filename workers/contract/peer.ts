/**
 * A machine of another computer on this machine's network. The page carries the bytes, over a connection that its user made by
 * hand; what they say is the network's business and stays in the worker.
 */
import type { LabResult } from './errors';
import type { MessagePortLike } from './lab';

/** One machine, as the other computer sees it. */
export interface PeerMachine {
  /** 2 for host2. */
  readonly number: number;
  /** Names the browser that it is in. */
  readonly browser: string;
}

export interface PeerState {
  /** This machine's own number. */
  readonly number: number;
  /** Numbers of the machines of this browser, this one's included. */
  readonly own: readonly number[];
  /** Machines of other computers that count as switched on: they were connected, and nobody has said that they are off. */
  readonly others: readonly PeerMachine[];
}

/** From worker to page. `bytes`: for the other computer, no more than a data channel takes. `closed`: it has said what nobody says. */
export type PeerOutput = { readonly type: 'bytes'; readonly bytes: ArrayBuffer } | { readonly type: 'closed' };

/** From page to worker. `taken`: so many bytes have left for the other computer. `lost`: there is no connection any more. */
export type PeerInput =
  | { readonly type: 'bytes'; readonly bytes: ArrayBuffer }
  | { readonly type: 'taken'; readonly bytes: number }
  | { readonly type: 'lost' };

export interface PeerApi {
  /** Refused where a browser gives tabs no network. */
  peerState(): Promise<LabResult<PeerState>>;
  /**
   * Keeps the number of another computer's machine from the tabs of this browser. From now on that machine counts as switched
   * on. Refused when a machine of this browser has the number.
   */
  reservePeer(peer: PeerMachine): Promise<LabResult<null>>;
  /** Plugs the way to a machine whose number is reserved into this machine's network. */
  joinPeer(peer: PeerMachine, port: MessagePortLike): Promise<LabResult<null>>;
  /** A port to the broker of this browser's tabs, which gives this machine ports to theirs. */
  joinTabs(broker: MessagePortLike): Promise<LabResult<null>>;
  /** Somebody knows that the machine is switched off: it has lost whatever it held in memory. */
  peerIsOff(number: number): Promise<LabResult<null>>;
}
