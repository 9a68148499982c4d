/**
 * The domains that the store knows: each has a shared page with two rings, an event channel, and a connection.
 *
 * Whatever a domain puts into its page, only its own connection suffers. Behaviour: tools/xenstore/xenstored_domain.c,
 * Xen 3.4.
 */
import { XsRing, XsRingError } from '../abi/io/xsRing';
import { XsProtocolError } from '../abi/io/xsWire';
import type { Domid } from '../abi/xen';
import { XenError } from '../lib/errno';
import type { Connection, ConnectionOptions } from './connection';
import type { DomainOperations } from './operations';

export type DomainState = 'alive' | 'shutdown' | 'dying' | 'gone';

/** How the daemon reaches a domain's page and event channel. Failures are thrown as XenError. */
export interface DomainAccess {
  /** The live bytes of a page of another domain. */
  mapRing(domid: Domid, mfn: number): { readonly page: Uint8Array; unmap(): void };
  /** Binds to the domain's port; `onEvent` is called when the domain notifies. */
  bindInterdomain(domid: Domid, remotePort: number, onEvent: () => void): { notify(): void; close(): void };
  domainState(domid: Domid): DomainState;
}

/** What this module needs from the daemon. */
export interface DomainHost {
  openConnection(options: ConnectionOptions, flush: () => void): Connection;
  /** Forgets the watches, transactions and buffered bytes of a connection. */
  resetConnection(connection: Connection): void;
  closeConnection(connection: Connection): void;
  /** Handles every complete message that the connection's reader holds. Throws XsProtocolError. */
  handleMessages(connection: Connection): void;
  /** Sends what the handled messages have queued for others. */
  settle(): void;
  fireSpecial(path: '@introduceDomain' | '@releaseDomain'): void;
}

interface KnownDomain {
  readonly domid: number;
  readonly mfn: number;
  readonly mapping: { readonly page: Uint8Array; unmap(): void };
  readonly requests: XsRing;
  readonly responses: XsRing;
  readonly connection: Connection;
  channel: { notify(): void; close(): void };
  /** It wrote nonsense into its ring: nobody serves it any longer. */
  isSevered: boolean;
  /** @releaseDomain has been fired for its shutdown. */
  isShutdown: boolean;
}

/** Stands in while a domain has no event channel, because binding to the new one failed. */
const NO_CHANNEL = { notify: () => {}, close: () => {} };

export class Domains implements DomainOperations {
  readonly #known = new Map<number, KnownDomain>();

  constructor(
    private readonly access: DomainAccess,
    private readonly host: DomainHost,
  ) {}

  /** INTRODUCE: a new domain, or a new event channel for a known one. */
  introduce(domid: number, mfn: number, port: number): void {
    let known = this.#known.get(domid);
    if (known?.isSevered) {
      this.#known.delete(domid);
      known = undefined;
    }
    if (known) {
      if (known.mfn !== mfn) throw new XenError('EINVAL', `domain ${domid} has its ring at ${known.mfn}`);
      known.channel.close();
      known.channel = NO_CHANNEL;
      known.channel = this.#bind(known.domid, port);
      this.#reset(known);
      return;
    }
    if (domid <= 0) throw new XenError('EINVAL', `domain ${domid}`);
    const mapping = this.access.mapRing(domid as Domid, mfn);
    let channel: KnownDomain['channel'];
    try {
      channel = this.#bind(domid, port);
    } catch (error) {
      mapping.unmap();
      throw error;
    }
    const connection = this.host.openConnection({ domid, canWrite: true, directory: `/local/domain/${domid}` }, () =>
      this.serve(domid),
    );
    const domain: KnownDomain = {
      domid,
      mfn,
      mapping,
      requests: new XsRing(mapping.page, 'req'),
      responses: new XsRing(mapping.page, 'rsp'),
      connection,
      channel,
      isSevered: false,
      isShutdown: false,
    };
    this.#known.set(domid, domain);
    this.host.fireSpecial('@introduceDomain');
    this.#reset(domain);
  }

  release(domid: number): void {
    this.#drop(this.#require(domid));
  }

  resume(domid: number): void {
    this.#require(domid).isShutdown = false;
  }

  setTarget(domid: number, target: number): void {
    this.#require(domid).connection.target = this.#require(target).domid;
  }

  /** Domain-0 always is: its own connections are made at boot. */
  isIntroduced(domid: number): boolean {
    return domid === 0 || this.#known.has(domid);
  }

  /** VIRQ_DOM_EXC: some domain shut down or died; look which. */
  check(): void {
    let hasShutdown = false;
    for (const domain of this.#known.values()) {
      const state = this.access.domainState(domain.domid as Domid);
      if (state === 'dying' || state === 'gone') {
        this.#drop(domain);
      } else if (state === 'shutdown' && !domain.isShutdown) {
        domain.isShutdown = true;
        hasShutdown = true;
      }
    }
    if (hasShutdown) this.host.fireSpecial('@releaseDomain');
  }

  /** Moves bytes both ways until nothing moves any more, and tells the domain if anything did. */
  serve(domid: number): void {
    const domain = this.#known.get(domid);
    if (!domain || domain.isSevered) return;
    try {
      let moved = this.#flush(domain);
      while (!domain.connection.isCongested) {
        const bytes = domain.requests.read();
        if (bytes.length === 0) break;
        moved += bytes.length;
        domain.connection.reader.push(bytes);
        this.host.handleMessages(domain.connection);
        moved += this.#flush(domain);
      }
      if (moved > 0) domain.channel.notify();
    } catch (error) {
      if (!(error instanceof XsRingError || error instanceof XsProtocolError || error instanceof XenError)) throw error;
      this.#sever(domain);
    }
  }

  #flush(domain: KnownDomain): number {
    return domain.connection.drain((bytes) => domain.responses.write(bytes));
  }

  #bind(domid: number, port: number): KnownDomain['channel'] {
    return this.access.bindInterdomain(domid as Domid, port, () => {
      this.serve(domid);
      this.host.settle();
    });
  }

  #reset(domain: KnownDomain): void {
    this.host.resetConnection(domain.connection);
    domain.requests.reset();
    domain.responses.reset();
  }

  #drop(domain: KnownDomain): void {
    this.#known.delete(domain.domid);
    for (const other of this.#known.values()) {
      if (other.connection.target === domain.domid) other.connection.target = undefined;
    }
    if (!domain.isSevered) this.#sever(domain);
    this.host.fireSpecial('@releaseDomain');
  }

  /** Ends the connection. The domain stays known: others want to hear of its end. */
  #sever(domain: KnownDomain): void {
    domain.isSevered = true;
    this.host.closeConnection(domain.connection);
    domain.channel.close();
    domain.mapping.unmap();
  }

  #require(domid: number): KnownDomain {
    const domain = this.#known.get(domid);
    if (!domain) throw new XenError('ENOENT', `domain ${domid}`);
    return domain;
  }
}
