/**
 * netback: the backend domain's half of a virtual network interface, a device `vif<domid>.<handle>` that the hotplug
 * script puts on a bridge. What the guest sends comes out of that device; what the bridge sends into it is copied into
 * the guest's buffers (linux-2.6.18-xen drivers/xen/netback with rx-copy; behaviour, not code).
 */
import {
  NETIF_RSP_DROPPED,
  NETIF_RSP_ERROR,
  NETIF_RSP_NULL,
  NETIF_RSP_OKAY,
  NETIF_RX_ENTRY_BYTES,
  NETIF_TX_ENTRY_BYTES,
  NETRXF_more_data,
  NETTXF_csum_blank,
  NETTXF_extra_info,
  NETTXF_more_data,
  type NetifTxRequest,
  readRxRequest,
  readTxRequest,
  writeRxResponse,
  writeTxResponse,
  XEN_NETIF_EXTRA_FLAG_MORE,
} from '../../abi/io/netif';
import { BackRing } from '../../abi/io/ring';
import { XenbusState } from '../../abi/io/xenbus';
import type { Domid, Gref, Port } from '../../abi/xen';
import { backendUevent } from '../../guest/backendBus';
import type { GrantMapping, KernelServices, NetDevice } from '../../guest/services';
import { NETBACK_BYTE_NS, NETBACK_PACKET_NS } from '../costs';
import type { BackendDriver, BackendInstance } from '../device';
import { parseUnsigned, readKeys } from '../readKeys';
import { completeChecksum } from './checksum';

const MAC = 'fe:ff:ff:ff:ff:ff';
const ETHERNET_HEADER = 14;
const MAX_PACKET = 65_535;

interface Rings {
  readonly tx: BackRing;
  readonly rx: BackRing;
  readonly mappings: readonly GrantMapping[];
  readonly port: Port;
}

class VifBackend implements BackendInstance {
  #frontend = '';
  #domid = 0 as Domid;
  #device: NetDevice | undefined;
  #deliver: ((frame: Uint8Array) => void) | undefined;
  #rings: Rings | undefined;
  #script = '';
  #frontendState: number = XenbusState.Unknown;
  #isConnecting = false;
  #isDetached = false;
  /** Bytes per interval (µs) that the guest may send; undefined: any. */
  #limit: { readonly bytes: number; readonly intervalNs: number } | undefined;
  #credit = { left: 0, refilledNs: Number.NEGATIVE_INFINITY };
  #isThrottled = false;

  constructor(
    private readonly services: KernelServices,
    private readonly path: string,
  ) {
    readKeys(services, path, ['frontend', 'frontend-id', 'handle', 'script', 'rate'], (keys) => {
      const domid = parseUnsigned(keys['frontend-id']);
      const handle = parseUnsigned(keys.handle);
      if (this.#isDetached || keys.frontend === undefined || domid === undefined || handle === undefined) return;
      this.#frontend = keys.frontend;
      this.#domid = domid as Domid;
      this.#script = keys.script ?? '';
      this.#limit = parseLimit(keys.rate);
      services.xenbus.write({
        [`${path}/feature-sg`]: '1',
        [`${path}/feature-gso-tcpv4`]: '0',
        [`${path}/feature-rx-copy`]: '1',
        [`${path}/feature-rx-flip`]: '0',
        [`${path}/state`]: String(XenbusState.InitWait),
      });
      this.#device = {
        name: `vif${domid}.${handle}`,
        mac: MAC,
        kind: 'vif',
        transmit: (frame) => this.#toGuest(frame),
        carrier: false,
      };
      this.#deliver = services.net.add(this.#device);
      this.#uevent('online');
      this.#update();
    });
  }

  frontendChanged(state: number): void {
    this.#frontendState = state;
    if (state === XenbusState.Connected) this.#update();
    else if (state === XenbusState.Initialising && this.#rings) {
      this.#disconnect();
      this.#setState(XenbusState.InitWait);
    } else if (state === XenbusState.Closing) {
      this.#disconnect();
      this.#setState(XenbusState.Closing);
    } else if (state === XenbusState.Closed) {
      this.#disconnect();
      this.#setState(XenbusState.Closed);
    }
  }

  ownKeyChanged(key: string): void {
    if (key !== 'rate') return;
    this.services.xenbus.read(`${this.path}/rate`, (rate) => {
      this.#limit = parseLimit(rate);
    });
  }

  detach(): void {
    this.#isDetached = true;
    this.#disconnect();
    if (!this.#device) return;
    this.#uevent('offline');
    this.services.net.remove(this.services.net.nameOf(this.#device));
    this.#device = undefined;
  }

  #uevent(action: 'online' | 'offline'): void {
    const vif = this.#device ? this.services.net.nameOf(this.#device) : '';
    backendUevent(this.services, this.path, action, { script: this.#script, vif });
  }

  #update(): void {
    if (this.#frontendState !== XenbusState.Connected || this.#rings || this.#isConnecting || !this.#device) return;
    this.#isConnecting = true;
    const keys = ['tx-ring-ref', 'rx-ring-ref', 'event-channel', 'request-rx-copy'] as const;
    readKeys(this.services, this.#frontend, keys, (found) => {
      this.#isConnecting = false;
      if (this.#isDetached || this.#rings) return;
      const txRef = parseUnsigned(found['tx-ring-ref']);
      const rxRef = parseUnsigned(found['rx-ring-ref']);
      const port = parseUnsigned(found['event-channel']);
      if (txRef === undefined || rxRef === undefined || port === undefined)
        this.#fatal(`reading ${this.#frontend}/ring-ref and event-channel`);
      else if (found['request-rx-copy'] !== '1')
        this.#fatal('the frontend asks for page flipping, which is not offered');
      else this.#connect(txRef as Gref, rxRef as Gref, port as Port);
    });
  }

  #connect(txRef: Gref, rxRef: Gref, remotePort: Port): void {
    const { services } = this;
    const mappings: GrantMapping[] = [];
    try {
      for (const gref of [txRef, rxRef]) mappings.push(services.grants.map(this.#domid, gref, false));
      const port = services.events.bindInterdomain(this.#domid, remotePort);
      this.#rings = {
        tx: new BackRing(mappings[0]!.bytes, NETIF_TX_ENTRY_BYTES),
        rx: new BackRing(mappings[1]!.bytes, NETIF_RX_ENTRY_BYTES),
        mappings,
        port,
      };
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'XenError') throw error;
      for (const mapping of mappings) services.grants.unmap(mapping);
      this.#fatal(`mapping shared-frames ${txRef}/${rxRef} port ${remotePort}: ${error.message}`);
      return;
    }
    services.events.handle(this.#rings.port, () => this.#fromGuest());
    this.#device!.carrier = true;
    this.#setState(XenbusState.Connected);
    this.#fromGuest();
  }

  #disconnect(): void {
    const rings = this.#rings;
    if (!rings) return;
    this.#rings = undefined;
    if (this.#device) this.#device.carrier = false;
    this.services.events.close(rings.port);
    for (const mapping of rings.mappings) this.services.grants.unmap(mapping);
  }

  // ------------------------------------------------------------------------------------------- what the guest sends

  #fromGuest(): void {
    const rings = this.#rings;
    if (!rings) return;
    const frames: Uint8Array[] = [];
    do {
      if (rings.tx.isCorrupt) {
        this.#corrupt();
        return;
      }
      while (rings.tx.unconsumed > 0) {
        const first = readTxRequest(rings.tx.view, rings.tx.peekRequest(0)!);
        if (!this.#mayPass(first.size)) break;
        const frame = this.#takePacket(rings.tx);
        if (frame) frames.push(frame);
      }
    } while (!this.#isThrottled && rings.tx.finalCheck());
    if (rings.tx.push()) this.services.events.notify(rings.port);
    for (const frame of frames) this.#deliver?.(frame);
  }

  /** Takes one packet with its extras and fragments off the ring and answers its slots. */
  #takePacket(ring: BackRing): Uint8Array | undefined {
    const first = readTxRequest(ring.view, ring.nextRequest()!);
    let status = this.#skipExtras(ring, first) ? NETIF_RSP_OKAY : NETIF_RSP_ERROR;
    const slots = [first];
    while ((slots.at(-1)!.flags & NETTXF_more_data) !== 0) {
      const at = ring.nextRequest();
      if (at === undefined) {
        status = NETIF_RSP_ERROR;
        break;
      }
      slots.push(readTxRequest(ring.view, at));
    }
    const frame = status === NETIF_RSP_OKAY ? this.#gather(slots) : undefined;
    const answered = frame ? NETIF_RSP_OKAY : NETIF_RSP_ERROR;
    writeTxResponse(ring.view, ring.nextResponse(), { id: first.id, status: answered });
    // Each extra-info slot takes a response of its own.
    for (let i = 0; i < this.#extras; i++)
      writeTxResponse(ring.view, ring.nextResponse(), { id: first.id, status: NETIF_RSP_NULL });
    for (const slot of slots.slice(1))
      writeTxResponse(ring.view, ring.nextResponse(), { id: slot.id, status: answered });
    this.services.charge(NETBACK_PACKET_NS + Math.round((frame?.length ?? 0) * NETBACK_BYTE_NS));
    if (frame && (first.flags & NETTXF_csum_blank) !== 0) completeChecksum(frame);
    return frame;
  }

  #extras = 0;

  /** False when the chain of extras does not end, or asks for segmentation, which was not offered. */
  #skipExtras(ring: BackRing, first: NetifTxRequest): boolean {
    this.#extras = 0;
    if ((first.flags & NETTXF_extra_info) === 0) return true;
    let isGood = true;
    for (;;) {
      const at = ring.nextRequest();
      if (at === undefined) return false;
      this.#extras++;
      if (ring.view.getUint8(at) === 1) isGood = false;
      if ((ring.view.getUint8(at + 1) & XEN_NETIF_EXTRA_FLAG_MORE) === 0) return isGood;
    }
  }

  #gather(slots: readonly NetifTxRequest[]): Uint8Array | undefined {
    const total = slots[0]!.size;
    const rest = slots.slice(1).reduce((sum, slot) => sum + slot.size, 0);
    if (total < ETHERNET_HEADER || total > MAX_PACKET || rest > total) return undefined;
    const frame = new Uint8Array(total);
    let at = 0;
    try {
      for (const [i, slot] of slots.entries()) {
        const length = i === 0 ? total - rest : slot.size;
        if (slot.offset + length > 4096) return undefined;
        frame.set(this.services.grants.copyFrom(this.#domid, slot.gref as Gref, slot.offset, length), at);
        at += length;
      }
    } catch (error) {
      if (error instanceof Error && error.name === 'XenError') return undefined;
      throw error;
    }
    return frame;
  }

  /** The rate limit: credit for one interval at a time; false = wait until the next one. */
  #mayPass(bytes: number): boolean {
    const limit = this.#limit;
    if (!limit) return true;
    const now = this.services.time.nowNs;
    if (now >= this.#credit.refilledNs + limit.intervalNs) {
      // A packet larger than an interval's allowance must pass at some time.
      this.#credit = { left: Math.max(limit.bytes, Math.min(bytes, 131_072)), refilledNs: now };
    }
    if (bytes <= this.#credit.left) {
      this.#credit.left -= bytes;
      return true;
    }
    if (!this.#isThrottled) {
      this.#isThrottled = true;
      this.services.time.at(this.#credit.refilledNs + limit.intervalNs, () => {
        this.#isThrottled = false;
        this.#fromGuest();
      });
    }
    return false;
  }

  // ------------------------------------------------------------------------------------------ what goes to the guest

  /** False: dropped, as the guest has too few buffers or is not there. */
  #toGuest(frame: Uint8Array): boolean {
    const rings = this.#rings;
    if (!rings) return false;
    const { rx } = rings;
    if (rx.isCorrupt) {
      this.#corrupt();
      return false;
    }
    const slots = Math.max(1, Math.ceil(frame.length / 4096));
    if (rx.unconsumed < slots) {
      // The next buffers bring an event; the frame itself is lost, as on a full queue.
      rx.finalCheck();
      return false;
    }
    let isWhole = true;
    for (let i = 0; i < slots; i++) {
      const { id, gref } = readRxRequest(rx.view, rx.nextRequest()!);
      const part = frame.subarray(i * 4096, (i + 1) * 4096);
      const isCopied: boolean = isWhole && this.#copyTo(gref as Gref, part);
      isWhole &&= isCopied;
      writeRxResponse(rx.view, rx.nextResponse(), {
        id,
        offset: 0,
        flags: i < slots - 1 ? NETRXF_more_data : 0,
        status: isCopied ? part.length : isWhole ? NETIF_RSP_DROPPED : NETIF_RSP_ERROR,
      });
    }
    this.services.charge(NETBACK_PACKET_NS + Math.round(frame.length * NETBACK_BYTE_NS));
    if (rx.push()) this.services.events.notify(rings.port);
    return isWhole;
  }

  #copyTo(gref: Gref, bytes: Uint8Array): boolean {
    try {
      this.services.grants.copyTo(this.#domid, gref, 0, bytes);
      return true;
    } catch (error) {
      if (error instanceof Error && error.name === 'XenError') return false;
      throw error;
    }
  }

  #corrupt(): void {
    this.#disconnect();
    this.#fatal('frontend provided bogus ring requests');
  }

  #setState(state: number): void {
    this.services.xenbus.write({ [`${this.path}/state`]: String(state) });
  }

  #fatal(reason: string): void {
    this.services.log.printk(`vif: ${this.path}: ${reason}`);
    this.services.xenbus.write({ [`error/${this.path}/error`]: reason });
    this.#setState(XenbusState.Closing);
  }
}

/** `bytes,microseconds`; no interval or no limit: undefined. */
function parseLimit(text: string | undefined): { bytes: number; intervalNs: number } | undefined {
  const match = /^(\d+),(\d+)$/.exec(text ?? '');
  const bytes = Number(match?.[1] ?? 0);
  const interval = Number(match?.[2] ?? 0);
  return bytes > 0 && bytes < 0xffff_ffff && interval > 0 ? { bytes, intervalNs: interval * 1000 } : undefined;
}

export const vifBackend: BackendDriver = {
  attach: (services, path) => new VifBackend(services, path),
};
