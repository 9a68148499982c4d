/**
 * The console of a domain for somebody who wants to go on reading it when the domain moves to another machine: it is opened
 * again wherever the domain runs, and here when it is back. `xm console` ends instead, as in Xen.
 */
import type { Host } from './createHost';
import { callConsole, type OpenedConsole } from './remoteConsole';
import { firstSeen, nextOf, type Whereabouts } from './whereabouts';

/** For so long the new machine may keep silent about a domain that has come to it, ns of virtual time. */
const PATIENCE_NS = 10e9;

export interface ConsoleViewer {
  data(bytes: Uint8Array): void;
  /** It goes on at `host`, which may be this one again; `domid` is the domain's id there. */
  moved(host: string, domid: number): void;
  /** Called once, with words for the reader. */
  closed(reason: string): void;
}

/** Everything here happens in Domain-0's kernel, as interrupts. */
export class FollowedConsole {
  #place: Whereabouts;
  #open: OpenedConsole | undefined;
  #isClosed = false;
  #stopWaiting: (() => void) | undefined;

  private constructor(
    private readonly host: Host,
    domid: number,
    private readonly viewer: ConsoleViewer,
  ) {
    this.#place = firstSeen(host.migrations.records, host.options.name, domid);
  }

  /** Undefined: this machine has no console of such a domain. */
  static open(host: Host, domid: number, viewer: ConsoleViewer): FollowedConsole | undefined {
    const followed = new FollowedConsole(host, domid, viewer);
    return followed.#attachHere() ? followed : undefined;
  }

  /** While the domain is on its way nobody reads what is typed. */
  write(bytes: Uint8Array): void {
    this.#open?.write(bytes);
  }

  detach(): void {
    this.#isClosed = true;
    this.#stopWaiting?.();
    this.#open?.detach();
    this.#open = undefined;
  }

  #attachHere(): boolean {
    this.#open = this.host.toolstack?.consoles?.attach(this.#place.domid, {
      data: (bytes) => this.viewer.data(bytes),
      closed: () => this.#left(),
    });
    return this.#open !== undefined;
  }

  #attachThere({ host: machine, migration }: Whereabouts): boolean {
    this.#open = callConsole(this.host, machine, migration!, {
      data: (bytes) => this.viewer.data(bytes),
      closed: (how) => (how === 'gone' ? this.#left() : this.#end(this.#lostReason(machine))),
    });
    return this.#open !== undefined;
  }

  #lostReason(machine: string): string {
    return this.host.isPoweredOn(machine)
      ? `The connection to ${machine}, where the domain runs, is lost.`
      : `${machine}, where the domain was, is switched off.`;
  }

  /** The domain is not there any more: after it, or this was its end. */
  #left(): void {
    this.#open = undefined;
    if (this.#isClosed || this.#follow()) return;
    const { clock } = this.host;
    const giveUp = clock.at(clock.nowNs + PATIENCE_NS, () => {
      this.#stopWaiting?.();
      this.host.interrupt(() => this.#end('The domain is gone.'));
    });
    const unsubscribe = this.host.world.lan.bulletins.subscribe(() => {
      if (nextOf(this.host.migrations.records, this.#place) === 'unknown') return;
      this.#stopWaiting?.();
      this.host.interrupt(() => void this.#follow());
    });
    this.#stopWaiting = () => {
      this.#stopWaiting = undefined;
      giveUp.cancel();
      unsubscribe();
    };
  }

  /** False: it is not known yet where the domain went. */
  #follow(): boolean {
    if (this.#isClosed) return true;
    const next = nextOf(this.host.migrations.records, this.#place);
    if (next === 'unknown') return false;
    if (next === 'staying') {
      this.#end('The domain is gone.');
      return true;
    }
    this.#place = next;
    this.viewer.moved(next.host, next.domid);
    const isHere = next.host === this.host.options.name;
    // It may have gone on from here already.
    if (!(isHere ? this.#attachHere() : this.#attachThere(next))) this.#left();
    return true;
  }

  #end(reason: string): void {
    if (this.#isClosed) return;
    this.detach();
    this.viewer.closed(reason);
  }
}
