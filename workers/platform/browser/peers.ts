/**
 * Machines of other computers on this machine's network. Each has its number reserved by a lock as long as it counts as switched
 * on: no tab here takes the number, and tabs that look at the locks see a machine that is on.
 *
 * A lost connection does not prove that a machine is off. So the lock stays, and hosts in the middle of their last words wait
 * (xend/relocation/agreement.ts), until there is a connection again or somebody says that the machine is off.
 */
import type { LabResult, MessagePortLike, PeerApi, PeerInput, PeerMachine, PeerState } from '../../contract';
import { PeerLink } from '../../net/peerLink';
import type { UplinkMessage } from '../../net/uplink';
import { liveMachines, reserveNumber } from './machineName';

export interface PeerNetwork {
  received(message: UplinkMessage): void;
  /** This machine is on the network, and switched on. */
  joined(number: number): void;
  /** The broker of this browser's tabs is there. */
  introduced(broker: MessagePortLike): void;
  /** The cable to this machine is pulled. */
  lost(number: number): void;
}

interface Reserved {
  readonly peer: PeerMachine;
  readonly release: () => void;
}

interface Joined {
  readonly link: PeerLink;
  readonly port: MessagePortLike;
}

export class Peers implements PeerApi {
  readonly #reserved = new Map<number, Reserved>();
  readonly #joined = new Map<number, Joined>();

  constructor(
    private readonly number: number,
    private readonly network: PeerNetwork,
  ) {}

  /** What this machine says to all. */
  post(message: UplinkMessage): void {
    for (const { link } of this.#joined.values()) link.post(message);
  }

  async peerState(): Promise<LabResult<PeerState>> {
    const live = await liveMachines();
    const own = [...live].filter((number) => !this.#reserved.has(number));
    const others = [...this.#reserved.values()].map(({ peer }) => peer);
    return { ok: true, value: { number: this.number, own, others } };
  }

  async reservePeer(peer: PeerMachine): Promise<LabResult<null>> {
    if (this.#reserved.get(peer.number)?.peer.browser === peer.browser) return { ok: true, value: null };
    const release = await reserveNumber(peer.number);
    if (!release) return taken(peer.number);
    this.#reserved.set(peer.number, { peer, release });
    return { ok: true, value: null };
  }

  async joinPeer(peer: PeerMachine, port: MessagePortLike): Promise<LabResult<null>> {
    if (this.#reserved.get(peer.number)?.peer.browser !== peer.browser) return taken(peer.number);
    this.#pull(peer.number);
    const link = new PeerLink({
      number: peer.number,
      send: (bytes) => port.postMessage({ type: 'bytes', bytes }, [bytes]),
      received: (message) => this.network.received(message),
    });
    const joined = { link, port };
    this.#joined.set(peer.number, joined);
    port.onmessage = ({ data }) => {
      if (this.#joined.get(peer.number) === joined) this.#hear(peer.number, joined, data as PeerInput);
    };
    port.start?.();
    this.network.joined(peer.number);
    return { ok: true, value: null };
  }

  async joinTabs(broker: MessagePortLike): Promise<LabResult<null>> {
    this.network.introduced(broker);
    return { ok: true, value: null };
  }

  async peerIsOff(number: number): Promise<LabResult<null>> {
    this.#pull(number);
    this.#reserved.get(number)?.release();
    this.#reserved.delete(number);
    return { ok: true, value: null };
  }

  #hear(number: number, { link }: Joined, input: PeerInput): void {
    switch (input.type) {
      case 'bytes':
        try {
          link.receive(input.bytes);
        } catch (error) {
          // Whatever it was that the other computer said: with this one there is nothing to talk about.
          console.error(error);
          this.#pull(number);
        }
        break;
      case 'taken':
        link.taken(input.bytes);
        break;
      case 'lost':
        this.#pull(number);
    }
  }

  /** The page sees the closed port as the end of the connection. */
  #pull(number: number): void {
    const joined = this.#joined.get(number);
    if (!joined) return;
    this.#joined.delete(number);
    joined.port.postMessage({ type: 'closed' });
    joined.port.close();
    this.network.lost(number);
  }
}

function taken(number: number): LabResult<null> {
  return {
    ok: false,
    error: { code: 'EADDRINUSE', message: `host${number} is a machine of this browser, or of another computer.` },
  };
}
