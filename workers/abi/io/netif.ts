/**
 * Slots of the two rings of a virtual network interface (xen/include/public/io/netif.h): the guest's transmit requests,
 * and the buffers it posts for reception. All offsets are the same for 32- and 64-bit guests.
 */
export const NETIF_TX_ENTRY_BYTES = 12;
export const NETIF_RX_ENTRY_BYTES = 8;

export const NETTXF_csum_blank = 1;
export const NETTXF_data_validated = 2;
export const NETTXF_more_data = 4;
export const NETTXF_extra_info = 8;

/** Note the first two: swapped against transmit. */
export const NETRXF_data_validated = 1;
export const NETRXF_csum_blank = 2;
export const NETRXF_more_data = 4;
export const NETRXF_extra_info = 8;

export const NETIF_RSP_OKAY = 0;
export const NETIF_RSP_ERROR = -1;
export const NETIF_RSP_DROPPED = -2;
export const NETIF_RSP_NULL = 1;

export const XEN_NETIF_EXTRA_FLAG_MORE = 1;

export interface NetifTxRequest {
  readonly gref: number;
  readonly offset: number;
  readonly flags: number;
  readonly id: number;
  /** First slot of a packet: the whole packet; later slots: this fragment. */
  readonly size: number;
}

export function writeTxRequest(view: DataView, at: number, request: NetifTxRequest): void {
  view.setUint32(at, request.gref, true);
  view.setUint16(at + 4, request.offset, true);
  view.setUint16(at + 6, request.flags, true);
  view.setUint16(at + 8, request.id, true);
  view.setUint16(at + 10, request.size, true);
}

export function readTxRequest(view: DataView, at: number): NetifTxRequest {
  return {
    gref: view.getUint32(at, true),
    offset: view.getUint16(at + 4, true),
    flags: view.getUint16(at + 6, true),
    id: view.getUint16(at + 8, true),
    size: view.getUint16(at + 10, true),
  };
}

export interface NetifTxResponse {
  readonly id: number;
  readonly status: number;
}

export function writeTxResponse(view: DataView, at: number, response: NetifTxResponse): void {
  view.setUint16(at, response.id, true);
  view.setInt16(at + 2, response.status, true);
}

export function readTxResponse(view: DataView, at: number): NetifTxResponse {
  return { id: view.getUint16(at, true), status: view.getInt16(at + 2, true) };
}

export interface NetifRxRequest {
  readonly id: number;
  readonly gref: number;
}

export function writeRxRequest(view: DataView, at: number, request: NetifRxRequest): void {
  view.setUint16(at, request.id, true);
  view.setUint32(at + 4, request.gref, true);
}

export function readRxRequest(view: DataView, at: number): NetifRxRequest {
  return { id: view.getUint16(at, true), gref: view.getUint32(at + 4, true) };
}

export interface NetifRxResponse {
  readonly id: number;
  readonly offset: number;
  readonly flags: number;
  /** ≥ 0: bytes in this slot; < 0: error. */
  readonly status: number;
}

export function writeRxResponse(view: DataView, at: number, response: NetifRxResponse): void {
  view.setUint16(at, response.id, true);
  view.setUint16(at + 2, response.offset, true);
  view.setUint16(at + 4, response.flags, true);
  view.setInt16(at + 6, response.status, true);
}

export function readRxResponse(view: DataView, at: number): NetifRxResponse {
  return {
    id: view.getUint16(at, true),
    offset: view.getUint16(at + 2, true),
    flags: view.getUint16(at + 4, true),
    status: view.getInt16(at + 6, true),
  };
}
