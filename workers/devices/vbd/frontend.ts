/**
 * blkfront: the guest's half of a virtual block device. Shares a ring with the backend, grants it a page for each 4 KiB
 * of a request, and registers the device with the block layer once the backend is connected
 * (linux-2.6.18-xen drivers/xen/blkfront; behaviour, not code).
 */
import {
  BLKIF_MAX_SEGMENTS_PER_REQUEST,
  BLKIF_OP_READ,
  BLKIF_OP_WRITE,
  BLKIF_OP_WRITE_BARRIER,
  BLKIF_RSP_OKAY,
  BLKIF_X86_32,
  readBlkifResponse,
  VDISK_READONLY,
  writeBlkifRequest,
} from '../../abi/io/blkif';
import { FrontRing, type FrontRingState, initialiseRing } from '../../abi/io/ring';
import { XenbusState } from '../../abi/io/xenbus';
import type { Domid, Gref, Pfn, Port } from '../../abi/xen';
import type { BlockDevice, KernelPage, KernelServices } from '../../guest/services';
import { BLKFRONT_PAGE_NS, BLKFRONT_REQUEST_NS } from '../costs';
import type { FrontendDriver, FrontendInstance } from '../device';
import { frontendChannel } from '../fatal';
import { parseUnsigned, readKeys } from '../readKeys';
import { deviceName } from './deviceNumbers';

const SECTORS_PER_PAGE = 8;
const CHUNK_SECTORS = BLKIF_MAX_SEGMENTS_PER_REQUEST * SECTORS_PER_PAGE;

/** Pages and grants of a request that is in the ring. */
interface InFlight {
  readonly id: number;
  readonly pages: readonly Pfn[];
  readonly grefs: readonly Gref[];
}

/** All that the driver knows, plain. */
interface VbdState {
  readonly vdevice: number;
  readonly backend: string;
  readonly backendId: number;
  readonly ringPfn: Pfn;
  readonly ringRef: Gref;
  readonly port: Port;
  readonly ring: FrontRingState;
  nextId: number;
  inFlight: InFlight[];
  /** Set once connected. */
  disk: { readonly sectors: number; readonly info: number; readonly hasBarrier: boolean } | undefined;
}

/** A request of the block layer, at most one ring request long. */
interface Chunk {
  readonly operation: number;
  readonly sector: number;
  readonly count: number;
  /** Bytes to write, or where to put what was read. */
  readonly bytes: Uint8Array;
  readonly done: (ok: boolean) => void;
}

class VbdFrontend implements FrontendInstance {
  #state: VbdState | undefined;
  #ring: FrontRing | undefined;
  readonly #chunks = new Map<number, Chunk>();
  #queue: Chunk[] = [];
  /** Pages that a backend still has mapped after its answer; tried again later. */
  #stuck: InFlight[] = [];
  #device: BlockDevice | undefined;
  #isClosing = false;

  constructor(
    private readonly services: KernelServices,
    private readonly path: string,
    saved: VbdState | undefined,
  ) {
    if (saved) this.#adopt(saved);
    else this.#talkToBackend();
  }

  get isConnected(): boolean {
    return this.#device !== undefined;
  }

  get isQuiet(): boolean {
    return this.#chunks.size === 0 && this.#queue.length === 0;
  }

  get hasFailed(): boolean {
    return this.#isClosing;
  }

  backendChanged(state: number): void {
    if (state === XenbusState.Connected) this.#connect();
    else if (state === XenbusState.Closing) this.#close();
  }

  save(): VbdState | undefined {
    return this.#state && structuredClone(this.#state);
  }

  detach(): void {
    this.#release();
  }

  /** Publishes ring and channel; the backend answers with state Connected. */
  #talkToBackend(): void {
    const { services, path } = this;
    readKeys(services, path, ['backend', 'backend-id', 'virtual-device', 'virtual-device-ext'], (keys) => {
      const backendId = parseUnsigned(keys['backend-id']);
      const vdevice = parseUnsigned(keys['virtual-device'] ?? keys['virtual-device-ext']);
      if (keys.backend === undefined || backendId === undefined || vdevice === undefined) return;
      const port = frontendChannel(services, path, backendId as Domid);
      if (port === undefined) {
        this.#isClosing = true;
        return;
      }
      const page = services.pages.alloc();
      initialiseRing(page.bytes);
      const ringRef = services.grants.grantAccess(backendId as Domid, page.mfn, false);
      this.#adopt({
        vdevice,
        backend: keys.backend,
        backendId,
        ringPfn: page.pfn,
        ringRef,
        port,
        ring: { reqProdPvt: 0, rspCons: 0 },
        nextId: 0,
        inFlight: [],
        disk: undefined,
      });
      services.xenbus.write({
        [`${path}/ring-ref`]: String(ringRef),
        [`${path}/event-channel`]: String(port),
        [`${path}/protocol`]: 'x86_32-abi',
        [`${path}/state`]: String(XenbusState.Initialised),
      });
    });
  }

  #adopt(state: VbdState): void {
    this.#state = state;
    this.#ring = new FrontRing(this.services.pages.at(state.ringPfn).bytes, BLKIF_X86_32.entryBytes, state.ring);
    this.services.events.handle(state.port, () => this.#reap());
    if (state.disk) this.#register();
  }

  #connect(): void {
    const state = this.#state;
    if (!state || state.disk) return;
    readKeys(this.services, state.backend, ['sectors', 'info', 'sector-size', 'feature-barrier'], (keys) => {
      const sectors = parseUnsigned(keys.sectors);
      if (sectors === undefined || this.#state !== state || state.disk) return;
      state.disk = {
        sectors,
        info: parseUnsigned(keys.info) ?? 0,
        hasBarrier: keys['feature-barrier'] === '1',
      };
      this.#register();
      this.services.xenbus.write({ [`${this.path}/state`]: String(XenbusState.Connected) });
    });
  }

  #register(): void {
    const { vdevice, disk } = this.#state!;
    const named = deviceName(vdevice);
    if (!named || !disk) {
      this.services.log.printk(`blkfront: unknown device number ${vdevice}`);
      return;
    }
    this.services.log.printk(`blkfront: ${named.name}: barriers ${disk.hasBarrier ? 'enabled' : 'disabled'}`);
    this.#device = {
      ...named,
      sectors: disk.sectors,
      readonly: (disk.info & VDISK_READONLY) !== 0,
      read: (sector, count, done) => this.#read(sector, count, done),
      write: (sector, bytes, done) => this.#write(sector, bytes, done),
      flush: (done) => this.#flush(done),
    };
    this.services.block.add(this.#device);
  }

  #read(sector: number, count: number, done: (bytes: Uint8Array | undefined) => void): void {
    const bytes = new Uint8Array(count * 512);
    this.#submit(BLKIF_OP_READ, sector, bytes, (ok) => done(ok ? bytes : undefined));
  }

  #write(sector: number, bytes: Uint8Array, done: (ok: boolean) => void): void {
    this.#submit(BLKIF_OP_WRITE, sector, bytes, done);
  }

  #flush(done: (ok: boolean) => void): void {
    if (!this.#state?.disk?.hasBarrier) this.#submit(BLKIF_OP_READ, 0, new Uint8Array(0), done);
    else {
      this.#queue.push({ operation: BLKIF_OP_WRITE_BARRIER, sector: 0, count: 0, bytes: new Uint8Array(0), done });
      this.#fill();
    }
  }

  /** Cuts the transfer into pieces of one ring request each; `done` after the last answer. */
  #submit(operation: number, sector: number, bytes: Uint8Array, done: (ok: boolean) => void): void {
    const count = bytes.length / 512;
    if (this.#isClosing || !Number.isInteger(count) || sector < 0 || sector + count > (this.#device?.sectors ?? 0)) {
      done(false);
      return;
    }
    let missing = Math.ceil(count / CHUNK_SECTORS);
    if (missing === 0) {
      done(true);
      return;
    }
    let isGood = true;
    for (let at = 0; at < count; at += CHUNK_SECTORS) {
      const length = Math.min(CHUNK_SECTORS, count - at);
      this.#queue.push({
        operation,
        sector: sector + at,
        count: length,
        bytes: bytes.subarray(at * 512, (at + length) * 512),
        done: (ok) => {
          isGood &&= ok;
          if (--missing === 0) done(isGood);
        },
      });
    }
    this.#fill();
  }

  /** Moves what waits into the ring while it has slots and the guest has pages. */
  #fill(): void {
    const ring = this.#ring;
    if (!ring || this.#queue.length === 0) return;
    let put = 0;
    while (put < this.#queue.length && ring.free > 0 && this.#put(ring, this.#queue[put]!)) put++;
    this.#queue = this.#queue.slice(put);
    if (put > 0 && ring.push()) this.services.events.notify(this.#state!.port);
  }

  #put(ring: FrontRing, chunk: Chunk): boolean {
    const state = this.#state!;
    const pages: KernelPage[] = [];
    try {
      for (let at = 0; at < chunk.count; at += SECTORS_PER_PAGE) pages.push(this.services.pages.alloc());
    } catch (error) {
      for (const page of pages) this.services.pages.free(page);
      if (state.inFlight.length > 0) return false;
      throw error;
    }
    const isRead = chunk.operation === BLKIF_OP_READ;
    const grefs = pages.map((page, i) => {
      if (!isRead) page.bytes.set(chunk.bytes.subarray(i * 4096, (i + 1) * 4096));
      return this.services.grants.grantAccess(state.backendId as Domid, page.mfn, !isRead);
    });
    const id = state.nextId;
    state.nextId = (id + 1) % 2 ** 32;
    const segments = grefs.map((gref, i) => ({
      gref,
      firstSector: 0,
      lastSector: Math.min(SECTORS_PER_PAGE, chunk.count - i * SECTORS_PER_PAGE) - 1,
    }));
    writeBlkifRequest(ring.view, ring.nextRequest(), BLKIF_X86_32, {
      operation: chunk.operation,
      handle: state.vdevice & 0xffff,
      id: BigInt(id),
      sector: BigInt(chunk.sector),
      segmentCount: segments.length,
      segments,
    });
    state.inFlight.push({ id, pages: pages.map((page) => page.pfn), grefs });
    this.#chunks.set(id, chunk);
    this.services.charge(BLKFRONT_REQUEST_NS + pages.length * BLKFRONT_PAGE_NS);
    return true;
  }

  /** The backend has answered some requests. */
  #reap(): void {
    const ring = this.#ring;
    const state = this.#state;
    if (!ring || !state) return;
    const finished: [Chunk, boolean][] = [];
    do {
      for (let at = ring.nextResponse(); at !== undefined; at = ring.nextResponse()) {
        const response = readBlkifResponse(ring.view, at);
        const index = state.inFlight.findIndex((request) => BigInt(request.id) === response.id);
        // An answer to nothing: a broken backend.
        if (index < 0) continue;
        const [request] = state.inFlight.splice(index, 1);
        const chunk = this.#chunks.get(request!.id);
        this.#chunks.delete(request!.id);
        const ok = response.status === BLKIF_RSP_OKAY;
        if (ok && chunk?.operation === BLKIF_OP_READ) this.#collect(request!, chunk);
        this.#free(request!);
        if (chunk) finished.push([chunk, ok]);
      }
    } while (ring.finalCheck() && ring.free < ring.size);
    this.#retryStuck();
    this.#fill();
    for (const [chunk, ok] of finished) chunk.done(ok);
  }

  #collect(request: InFlight, chunk: Chunk): void {
    request.pages.forEach((pfn, i) => {
      const length = Math.min(4096, chunk.bytes.length - i * 4096);
      chunk.bytes.set(this.services.pages.at(pfn).bytes.subarray(0, length), i * 4096);
    });
  }

  #free(request: InFlight): void {
    const kept: { pages: Pfn[]; grefs: Gref[] } = { pages: [], grefs: [] };
    request.grefs.forEach((gref, i) => {
      const pfn = request.pages[i]!;
      if (this.services.grants.endAccess(gref)) this.services.pages.free(this.services.pages.at(pfn));
      else {
        kept.pages.push(pfn);
        kept.grefs.push(gref);
      }
    });
    if (kept.pages.length > 0) this.#stuck.push({ id: request.id, ...kept });
  }

  #retryStuck(): void {
    const stuck = this.#stuck;
    this.#stuck = [];
    for (const request of stuck) this.#free(request);
  }

  /** The backend wants the device gone: what is in flight fails, then both ends are Closed. */
  #close(): void {
    if (this.#isClosing) return;
    this.#release();
    this.services.xenbus.write({ [`${this.path}/state`]: String(XenbusState.Closed) });
  }

  #release(): void {
    this.#isClosing = true;
    this.#device = undefined;
    const state = this.#state;
    if (!state) return;
    const named = deviceName(state.vdevice);
    // Whoever has waited for it since a restore need not wait any longer.
    if (named) this.services.block.remove(named.name);
    this.#state = undefined;
    this.#ring = undefined;
    this.services.events.close(state.port);
    const waiting = [...this.#chunks.values(), ...this.#queue];
    this.#chunks.clear();
    this.#queue = [];
    this.#stuck.push(...state.inFlight, { id: -1, pages: [state.ringPfn], grefs: [state.ringRef] });
    this.#releaseStuck();
    for (const chunk of waiting) chunk.done(false);
  }

  /** The backend unmaps when it gets to it: try until nothing is left. */
  #releaseStuck(): void {
    this.#retryStuck();
    if (this.#stuck.length > 0)
      this.services.time.at(this.services.time.nowNs + 100_000_000, () => this.#releaseStuck());
  }
}

export const vbdFrontend: FrontendDriver = {
  attach: (services, path, saved) => new VbdFrontend(services, path, saved as VbdState | undefined),
};
