/**
 * Requests and responses of virtual block devices (xen/include/public/io/blkif.h).
 *
 * A request names up to 11 segments: a granted page and the first and last of its eight 512-byte sectors. 64-bit guests
 * align 64-bit fields to 8 bytes, so there are two layouts; the frontend says by its `protocol` key which one it uses.
 */
export const BLKIF_OP_READ = 0;
export const BLKIF_OP_WRITE = 1;
export const BLKIF_OP_WRITE_BARRIER = 2;
export const BLKIF_OP_FLUSH_DISKCACHE = 3;

export const BLKIF_RSP_OKAY = 0;
export const BLKIF_RSP_ERROR = -1;
export const BLKIF_RSP_EOPNOTSUPP = -2;

export const BLKIF_MAX_SEGMENTS_PER_REQUEST = 11;

export const VDISK_CDROM = 1;
export const VDISK_REMOVABLE = 2;
export const VDISK_READONLY = 4;

export interface BlkifLayout {
  /** The ring's stride: a slot holds a request or a response. */
  readonly entryBytes: number;
  readonly id: number;
  readonly sector: number;
  readonly segments: number;
}

export const BLKIF_X86_32: BlkifLayout = { entryBytes: 108, id: 4, sector: 12, segments: 20 };
export const BLKIF_X86_64: BlkifLayout = { entryBytes: 112, id: 8, sector: 16, segments: 24 };

/** Undefined: a protocol that the backend does not speak. An absent key means the backend's own, 32-bit. */
export function blkifLayout(protocol: string | undefined): BlkifLayout | undefined {
  if (protocol === undefined || protocol === '' || protocol === 'x86_32-abi') return BLKIF_X86_32;
  return protocol === 'x86_64-abi' ? BLKIF_X86_64 : undefined;
}

export interface BlkifSegment {
  readonly gref: number;
  /** 0 … 7, inclusive. */
  readonly firstSector: number;
  readonly lastSector: number;
}

export interface BlkifRequest {
  readonly operation: number;
  readonly handle: number;
  /** The frontend's own number for the request; comes back in the response. */
  readonly id: bigint;
  readonly sector: bigint;
  /** As the frontend wrote it; more than 11 is an error that the reader must check. */
  readonly segmentCount: number;
  readonly segments: readonly BlkifSegment[];
}

export interface BlkifResponse {
  readonly id: bigint;
  readonly operation: number;
  readonly status: number;
}

export function writeBlkifRequest(view: DataView, at: number, layout: BlkifLayout, request: BlkifRequest): void {
  view.setUint8(at, request.operation);
  view.setUint8(at + 1, request.segmentCount);
  view.setUint16(at + 2, request.handle, true);
  view.setBigUint64(at + layout.id, request.id, true);
  view.setBigUint64(at + layout.sector, request.sector, true);
  request.segments.forEach((segment, i) => {
    const s = at + layout.segments + 8 * i;
    view.setUint32(s, segment.gref, true);
    view.setUint8(s + 4, segment.firstSector);
    view.setUint8(s + 5, segment.lastSector);
  });
}

/** Reads every field once, so that a frontend that changes the slot meanwhile cannot slip past the checks. */
export function readBlkifRequest(view: DataView, at: number, layout: BlkifLayout): BlkifRequest {
  const segmentCount = view.getUint8(at + 1);
  const segments: BlkifSegment[] = [];
  for (let i = 0; i < Math.min(segmentCount, BLKIF_MAX_SEGMENTS_PER_REQUEST); i++) {
    const s = at + layout.segments + 8 * i;
    segments.push({
      gref: view.getUint32(s, true),
      firstSector: view.getUint8(s + 4),
      lastSector: view.getUint8(s + 5),
    });
  }
  return {
    operation: view.getUint8(at),
    handle: view.getUint16(at + 2, true),
    id: view.getBigUint64(at + layout.id, true),
    sector: view.getBigUint64(at + layout.sector, true),
    segmentCount,
    segments,
  };
}

/** Responses have the same offsets in both layouts. */
export function writeBlkifResponse(view: DataView, at: number, response: BlkifResponse): void {
  view.setBigUint64(at, response.id, true);
  view.setUint8(at + 8, response.operation);
  view.setInt16(at + 10, response.status, true);
}

export function readBlkifResponse(view: DataView, at: number): BlkifResponse {
  return {
    id: view.getBigUint64(at, true),
    operation: view.getUint8(at + 8),
    status: view.getInt16(at + 10, true),
  };
}
