/**
 * netfront: the guest's half of a virtual network interface, an Ethernet device `ethN` to its network stack. One ring
 * carries frames out, each in a granted page; the other carries empty granted pages to the backend, which fills them
 * (linux-2.6.18-xen drivers/xen/netfront with rx-copy; behaviour, not code).
 */
import {
  NETIF_RX_ENTRY_BYTES,
  NETIF_TX_ENTRY_BYTES,
  NETRXF_more_data,
  readRxResponse,
  readTxResponse,
  writeRxRequest,
  writeTxRequest,
} from '../../abi/io/netif';
import { FrontRing, type FrontRingState, initialiseRing } from '../../abi/io/ring';
import { XenbusState } from '../../abi/io/xenbus';
import type { Domid, Gref, Pfn, Port } from '../../abi/xen';
import type { KernelPage, KernelServices, NetDevice } from '../../guest/services';
import { NETFRONT_PACKET_NS } from '../costs';
import type { FrontendDriver, FrontendInstance } from '../device';
import { frontendChannel } from '../fatal';
import { parseUnsigned, readKeys } from '../readKeys';

/** Receive buffers posted at first; doubled whenever the backend runs short, up to the ring's size. */
const RX_MIN_TARGET = 16;
const MAX_FRAME = 4096;

interface Buffer {
  readonly pfn: Pfn;
  readonly gref: Gref;
}

/** All that the driver knows, plain. Buffers by the id that stands in the ring. */
interface VifState {
  readonly devid: number;
  readonly mac: string;
  readonly backend: string;
  readonly backendId: number;
  readonly port: Port;
  readonly txPfn: Pfn;
  readonly txRef: Gref;
  readonly tx: FrontRingState;
  readonly rxPfn: Pfn;
  readonly rxRef: Gref;
  readonly rx: FrontRingState;
  readonly txBuffers: Record<number, Buffer>;
  readonly rxBuffers: Record<number, Buffer>;
  nextTxId: number;
  rxTarget: number;
  isConnected: boolean;
}

class VifFrontend implements FrontendInstance {
  #state: VifState | undefined;
  #tx: FrontRing | undefined;
  #rx: FrontRing | undefined;
  #device: NetDevice | undefined;
  #deliver: ((frame: Uint8Array) => void) | undefined;
  #stuck: Buffer[] = [];
  #isClosed = false;

  constructor(
    private readonly services: KernelServices,
    private readonly path: string,
    saved: VifState | undefined,
  ) {
    if (saved) this.#adopt(saved);
    else this.#readConfig();
  }

  get isConnected(): boolean {
    return this.#state?.isConnected ?? false;
  }

  get hasFailed(): boolean {
    return this.#isClosed;
  }

  backendChanged(state: number): void {
    if (state === XenbusState.InitWait) this.#connect();
    else if (state === XenbusState.Connected) this.#setCarrier(true);
    else if (state === XenbusState.Closing && !this.#isClosed) {
      this.#release();
      this.services.xenbus.write({ [`${this.path}/state`]: String(XenbusState.Closed) });
    }
  }

  save(): VifState | undefined {
    return this.#state && structuredClone(this.#state);
  }

  detach(): void {
    this.#release();
  }

  /** The interface exists at once; frames flow when the backend is there. */
  #readConfig(): void {
    const { services, path } = this;
    readKeys(services, path, ['backend', 'backend-id', 'mac', 'handle'], (keys) => {
      const backendId = parseUnsigned(keys['backend-id']);
      if (this.#isClosed || keys.backend === undefined || backendId === undefined) return;
      const port = frontendChannel(services, path, backendId as Domid);
      if (port === undefined) {
        this.#isClosed = true;
        return;
      }
      const devid = Number(path.split('/').at(-1));
      const txPage = this.#ringPage();
      const rxPage = this.#ringPage();
      this.#adopt({
        devid,
        mac: keys.mac ?? '00:00:00:00:00:00',
        backend: keys.backend,
        backendId,
        port,
        txPfn: txPage.pfn,
        txRef: services.grants.grantAccess(backendId as Domid, txPage.mfn, false),
        tx: { reqProdPvt: 0, rspCons: 0 },
        rxPfn: rxPage.pfn,
        rxRef: services.grants.grantAccess(backendId as Domid, rxPage.mfn, false),
        rx: { reqProdPvt: 0, rspCons: 0 },
        txBuffers: {},
        rxBuffers: {},
        nextTxId: 0,
        rxTarget: RX_MIN_TARGET,
        isConnected: false,
      });
      this.services.xenbus.read(`${keys.backend}/state`, (state) => this.backendChanged(Number(state)));
    });
  }

  #ringPage(): KernelPage {
    const page = this.services.pages.alloc();
    initialiseRing(page.bytes);
    return page;
  }

  #adopt(state: VifState): void {
    const { services } = this;
    this.#state = state;
    this.#tx = new FrontRing(services.pages.at(state.txPfn).bytes, NETIF_TX_ENTRY_BYTES, state.tx);
    this.#rx = new FrontRing(services.pages.at(state.rxPfn).bytes, NETIF_RX_ENTRY_BYTES, state.rx);
    services.events.handle(state.port, () => this.#onEvent());
    this.#device = {
      name: `eth${state.devid}`,
      mac: state.mac,
      kind: 'ethernet',
      transmit: (frame) => this.#transmit(frame),
      carrier: state.isConnected,
    };
    this.#deliver = services.net.add(this.#device);
  }

  /** The backend waits: publish both rings and receive buffers. */
  #connect(): void {
    const state = this.#state;
    if (!state || state.isConnected) return;
    state.isConnected = true;
    this.#postBuffers();
    this.services.xenbus.write({
      [`${this.path}/tx-ring-ref`]: String(state.txRef),
      [`${this.path}/rx-ring-ref`]: String(state.rxRef),
      [`${this.path}/event-channel`]: String(state.port),
      [`${this.path}/request-rx-copy`]: '1',
      [`${this.path}/feature-rx-notify`]: '1',
      [`${this.path}/feature-no-csum-offload`]: '1',
      [`${this.path}/feature-sg`]: '0',
      [`${this.path}/feature-gso-tcpv4`]: '0',
      [`${this.path}/state`]: String(XenbusState.Connected),
    });
  }

  #setCarrier(on: boolean): void {
    if (this.#device) this.#device.carrier = on;
  }

  #transmit(frame: Uint8Array): boolean {
    const state = this.#state;
    const ring = this.#tx;
    if (!state?.isConnected || !ring || frame.length > MAX_FRAME) return false;
    if (ring.free === 0) this.#reapTransmitted();
    if (ring.free === 0) return false;
    let page: KernelPage;
    try {
      page = this.services.pages.alloc();
    } catch {
      // Out of memory: a network may lose frames.
      return false;
    }
    page.bytes.set(frame);
    const gref = this.services.grants.grantAccess(state.backendId as Domid, page.mfn, true);
    const id = state.nextTxId;
    // At most 256 are in flight, so a number this old is free again.
    state.nextTxId = (id + 1) & 0x3fff;
    state.txBuffers[id] = { pfn: page.pfn, gref };
    writeTxRequest(ring.view, ring.nextRequest(), { gref, offset: 0, flags: 0, id, size: frame.length });
    this.services.charge(NETFRONT_PACKET_NS);
    if (ring.push()) this.services.events.notify(state.port);
    return true;
  }

  #onEvent(): void {
    this.#reapTransmitted();
    this.#receive();
    const stuck = this.#stuck;
    this.#stuck = [];
    for (const buffer of stuck) this.#free(buffer);
  }

  #reapTransmitted(): void {
    const ring = this.#tx;
    const state = this.#state;
    if (!ring || !state) return;
    do {
      for (let at = ring.nextResponse(); at !== undefined; at = ring.nextResponse()) {
        const { id } = readTxResponse(ring.view, at);
        const buffer = state.txBuffers[id];
        delete state.txBuffers[id];
        if (buffer) this.#free(buffer);
      }
    } while (ring.finalCheck() && ring.free < ring.size);
  }

  #receive(): void {
    const ring = this.#rx;
    const state = this.#state;
    if (!ring || !state) return;
    const frames: Uint8Array[] = [];
    let parts: Uint8Array[] = [];
    let isBroken = false;
    do {
      for (let at = ring.nextResponse(); at !== undefined; at = ring.nextResponse()) {
        const response = readRxResponse(ring.view, at);
        const buffer = state.rxBuffers[response.id];
        delete state.rxBuffers[response.id];
        if (!buffer) continue;
        if (response.status < 0 || response.offset + response.status > 4096) isBroken = true;
        else {
          const page = this.services.pages.at(buffer.pfn);
          parts.push(page.bytes.slice(response.offset, response.offset + response.status));
        }
        this.#free(buffer);
        if ((response.flags & NETRXF_more_data) !== 0) continue;
        if (!isBroken) frames.push(joined(parts));
        parts = [];
        isBroken = false;
      }
    } while (ring.finalCheck() && ring.free < ring.size);
    const posted = ring.size - ring.free;
    if (posted < state.rxTarget / 4) state.rxTarget = Math.min(state.rxTarget * 2, ring.size);
    this.#postBuffers();
    for (const frame of frames) {
      this.services.charge(NETFRONT_PACKET_NS);
      this.#deliver?.(frame);
    }
  }

  /** The id of a receive buffer is its slot: the backend's answer comes in the same one. */
  #postBuffers(): void {
    const ring = this.#rx!;
    const state = this.#state!;
    let posted = 0;
    while (ring.size - ring.free < state.rxTarget && ring.free > 0) {
      let page: KernelPage;
      try {
        page = this.services.pages.alloc();
      } catch {
        break;
      }
      const id = state.rx.reqProdPvt & (ring.size - 1);
      const gref = this.services.grants.grantAccess(state.backendId as Domid, page.mfn, false);
      if (state.rxBuffers[id]) this.#stuck.push(state.rxBuffers[id]);
      state.rxBuffers[id] = { pfn: page.pfn, gref };
      writeRxRequest(ring.view, ring.nextRequest(), { id, gref });
      posted++;
    }
    if (posted > 0 && ring.push()) this.services.events.notify(state.port);
  }

  #free(buffer: Buffer): void {
    if (this.services.grants.endAccess(buffer.gref)) this.services.pages.free(this.services.pages.at(buffer.pfn));
    else this.#stuck.push(buffer);
  }

  #release(): void {
    this.#isClosed = true;
    const state = this.#state;
    if (!state) return;
    this.#state = undefined;
    this.#tx = undefined;
    this.#rx = undefined;
    if (this.#device) this.services.net.remove(this.services.net.nameOf(this.#device));
    this.services.events.close(state.port);
    this.#stuck.push(
      ...Object.values(state.txBuffers),
      ...Object.values(state.rxBuffers),
      { pfn: state.txPfn, gref: state.txRef },
      { pfn: state.rxPfn, gref: state.rxRef },
    );
    this.#releaseStuck();
  }

  /** The backend unmaps when it gets to it: try until nothing is left. */
  #releaseStuck(): void {
    const stuck = this.#stuck;
    this.#stuck = [];
    for (const buffer of stuck) this.#free(buffer);
    if (this.#stuck.length > 0)
      this.services.time.at(this.services.time.nowNs + 100_000_000, () => this.#releaseStuck());
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  const frame = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    frame.set(part, at);
    at += part.length;
  }
  return frame;
}

export const vifFrontend: FrontendDriver = {
  attach: (services, path, saved) => new VifFrontend(services, path, saved as VifState | undefined),
};
