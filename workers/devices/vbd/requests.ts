/**
 * The work of blkback on one ring: requests in, data moved, responses out. A guest may write anything into the ring; what
 * is wrong is answered with an error, and a ring that cannot be right is given up.
 */
import {
  BLKIF_MAX_SEGMENTS_PER_REQUEST,
  BLKIF_OP_FLUSH_DISKCACHE,
  BLKIF_OP_READ,
  BLKIF_OP_WRITE,
  BLKIF_OP_WRITE_BARRIER,
  BLKIF_RSP_EOPNOTSUPP,
  BLKIF_RSP_ERROR,
  BLKIF_RSP_OKAY,
  type BlkifLayout,
  type BlkifRequest,
  readBlkifRequest,
  writeBlkifResponse,
} from '../../abi/io/blkif';
import type { BackRing } from '../../abi/io/ring';
import type { Domid, Gref } from '../../abi/xen';
import type { BlockDevice, KernelServices } from '../../guest/services';
import {
  BLKBACK_REQUEST_NS,
  BLKBACK_SEGMENT_NS,
  LOOP_REQUEST_NS,
  LOOP_SEGMENT_NS,
  TAPDISK_REQUEST_NS,
  TAPDISK_SEGMENT_NS,
} from '../costs';

export interface BlkCosts {
  readonly requestNs: number;
  readonly segmentNs: number;
}

export const PHY_COSTS: BlkCosts = { requestNs: BLKBACK_REQUEST_NS, segmentNs: BLKBACK_SEGMENT_NS };
export const FILE_COSTS: BlkCosts = {
  requestNs: BLKBACK_REQUEST_NS + LOOP_REQUEST_NS,
  segmentNs: BLKBACK_SEGMENT_NS + LOOP_SEGMENT_NS,
};
export const TAP_COSTS: BlkCosts = {
  requestNs: BLKBACK_REQUEST_NS + TAPDISK_REQUEST_NS,
  segmentNs: BLKBACK_SEGMENT_NS + TAPDISK_SEGMENT_NS,
};

export interface BlkRing {
  readonly domid: Domid;
  readonly ring: BackRing;
  readonly layout: BlkifLayout;
  readonly device: BlockDevice;
  readonly isReadonly: boolean;
  readonly costs: BlkCosts;
  notify(): void;
  /** The frontend's indices make no sense: let go of the ring. */
  corrupt(): void;
}

export class BlkRequests {
  #isStopped = false;
  #isWorking = false;
  #hasAnswered = false;
  /** Requests that the device has yet to answer. */
  #underWay = 0;
  /** Called when there are none of them any more; no new ones are taken meanwhile. */
  #onQuiet: (() => void) | undefined;

  constructor(
    private readonly services: Pick<KernelServices, 'grants' | 'charge'>,
    private readonly to: BlkRing,
  ) {}

  /** The ring goes away: later answers of the device are dropped. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Takes no more requests; `done` when those that were taken are through. */
  pause(done: () => void): void {
    this.#onQuiet = done;
    if (this.#underWay === 0) done();
  }

  resume(): void {
    this.#onQuiet = undefined;
    this.work();
  }

  /** Takes every request that is in the ring. */
  work(): void {
    if (this.#isStopped || this.#isWorking || this.#onQuiet) return;
    const { ring, layout } = this.to;
    this.#isWorking = true;
    do {
      if (ring.isCorrupt) {
        this.#isWorking = false;
        this.to.corrupt();
        return;
      }
      for (let at = ring.nextRequest(); at !== undefined; at = ring.nextRequest())
        this.#execute(readBlkifRequest(ring.view, at, layout));
    } while (ring.finalCheck());
    this.#isWorking = false;
    this.#push();
  }

  #execute(request: BlkifRequest): void {
    this.#underWay++;
    this.services.charge(this.to.costs.requestNs + request.segments.length * this.to.costs.segmentNs);
    switch (request.operation) {
      case BLKIF_OP_READ:
        this.#read(request);
        break;
      case BLKIF_OP_WRITE:
      case BLKIF_OP_WRITE_BARRIER:
        this.#write(request);
        break;
      case BLKIF_OP_FLUSH_DISKCACHE:
        this.to.device.flush((ok) => this.#answer(request, ok ? BLKIF_RSP_OKAY : BLKIF_RSP_ERROR));
        break;
      default:
        this.#answer(request, BLKIF_RSP_EOPNOTSUPP);
    }
  }

  #read(request: BlkifRequest): void {
    const count = this.#checkedSectors(request);
    if (count === undefined || count === 0) {
      this.#answer(request, BLKIF_RSP_ERROR);
      return;
    }
    this.to.device.read(Number(request.sector), count, (bytes) => {
      this.#answer(
        request,
        bytes && !this.#isStopped && this.#scatter(request, bytes) ? BLKIF_RSP_OKAY : BLKIF_RSP_ERROR,
      );
    });
  }

  #write(request: BlkifRequest): void {
    const isBarrier = request.operation === BLKIF_OP_WRITE_BARRIER;
    const finish = (ok: boolean) => this.#answer(request, ok ? BLKIF_RSP_OKAY : BLKIF_RSP_ERROR);
    const written = (ok: boolean) => {
      if (ok && isBarrier) this.to.device.flush(finish);
      else finish(ok);
    };
    const count = this.to.isReadonly ? undefined : this.#checkedSectors(request);
    const bytes = count === undefined ? undefined : this.#gather(request, count);
    // A barrier without data only orders what came before.
    if (!bytes || (bytes.length === 0 && !isBarrier)) finish(false);
    else if (bytes.length === 0) written(true);
    else this.to.device.write(Number(request.sector), bytes, written);
  }

  /** Sectors that the segments add up to; undefined when anything about the request is wrong. */
  #checkedSectors(request: BlkifRequest): number | undefined {
    if (request.segmentCount > BLKIF_MAX_SEGMENTS_PER_REQUEST) return undefined;
    // Linux gives an empty barrier the sector number −1.
    if (request.segmentCount === 0) return 0;
    let count = 0;
    for (const { firstSector, lastSector } of request.segments) {
      if (lastSector > 7 || firstSector > lastSector) return undefined;
      count += lastSector - firstSector + 1;
    }
    return request.sector + BigInt(count) <= BigInt(this.to.device.sectors) ? count : undefined;
  }

  /** Into the guest's pages; false when a grant does not allow it. */
  #scatter(request: BlkifRequest, bytes: Uint8Array): boolean {
    return this.#grantAccess(() => {
      let at = 0;
      for (const { gref, firstSector, lastSector } of request.segments) {
        const length = (lastSector - firstSector + 1) * 512;
        const part = bytes.subarray(at, at + length);
        this.services.grants.copyTo(this.to.domid, gref as Gref, firstSector * 512, part);
        at += length;
      }
    });
  }

  #gather(request: BlkifRequest, count: number): Uint8Array | undefined {
    const bytes = new Uint8Array(count * 512);
    const isDone = this.#grantAccess(() => {
      let at = 0;
      for (const { gref, firstSector, lastSector } of request.segments) {
        const length = (lastSector - firstSector + 1) * 512;
        bytes.set(this.services.grants.copyFrom(this.to.domid, gref as Gref, firstSector * 512, length), at);
        at += length;
      }
    });
    return isDone ? bytes : undefined;
  }

  #grantAccess(action: () => void): boolean {
    try {
      action();
      return true;
    } catch (error) {
      if (error instanceof Error && error.name === 'XenError') return false;
      throw error;
    }
  }

  #answer(request: BlkifRequest, status: number): void {
    this.#underWay--;
    if (this.#isStopped) return;
    const { ring } = this.to;
    writeBlkifResponse(ring.view, ring.nextResponse(), { id: request.id, operation: request.operation, status });
    this.#hasAnswered = true;
    // Answers that come from the device later are published one by one.
    if (!this.#isWorking) this.#push();
    if (this.#underWay === 0) this.#onQuiet?.();
  }

  #push(): void {
    if (!this.#hasAnswered || this.#isStopped) return;
    this.#hasAnswered = false;
    if (this.to.ring.push()) this.to.notify();
    // Requests that were held back because the ring was full of unanswered ones.
    if (!this.#isWorking && this.to.ring.unconsumed > 0) this.work();
  }
}
