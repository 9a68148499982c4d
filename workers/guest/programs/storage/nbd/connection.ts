/** One client of nbd-server: takes its requests one after the other and answers them. */
import { type ErrnoName, errno } from '../../../../lib/errno';
import { ByteQueue } from '../../../block/byteQueue';
import {
  carriesData,
  decodeRequest,
  encodeReply,
  NBD_CMD_DISC,
  NBD_CMD_FLUSH,
  NBD_CMD_READ,
  NBD_CMD_REPORT,
  NBD_CMD_RESERVE,
  NBD_CMD_WRITE,
  NBD_MAX_LENGTH,
  NBD_REQUEST_BYTES,
  RESERVE_KEY_BYTES,
  RESERVE_MODES,
} from '../../../block/nbdWire';
import { type Sys, SysError, type Wait } from '../../../sys';
import { isRefused, mayWrite, type Reservation, released } from './reservations';

/** A request that is being worked on; its header stays in bytes, since a handle may be any 64 bits. */
interface Current {
  readonly header: Uint8Array;
  readonly type: number;
  readonly from: number;
  /** What is read or written, and how much of it is done. */
  readonly data: Uint8Array;
  done: number;
}

/** Plain data. */
export interface Client {
  readonly id: number;
  readonly socket: number;
  readonly address: string;
  /** Index of the export. */
  readonly export: number;
  /** Its own descriptor of the file or device. */
  readonly file: number;
  readonly size: number;
  readonly isReadonly: boolean;
  readonly received: Uint8Array[];
  readonly unsent: Uint8Array[];
  request: Current | null;
}

/** The volume that several clients share. */
export interface Volume {
  reservations: readonly Reservation[];
  /** Who has reserved it, for people. */
  report(): string;
}

/** Requests worked on in one step. */
const TURNS = 64;
const READ_BYTES = 65536;
/** How often a flush looks whether the disk has everything, ns. */
const FLUSH_POLL_NS = 200_000;

/** Goes on until it must wait; `more`: there is more to do at once; a text: the connection is over, and why. */
export function serve(sys: Sys, client: Client, volume: Volume): Wait | 'more' | { readonly over: string } {
  const unsent = new ByteQueue(client.unsent);
  const received = new ByteQueue(client.received);
  for (let turn = 0; turn < TURNS; turn++) {
    while (unsent.length > 0) {
      const taken = sys.write(client.socket, unsent.pieces[0]!);
      if (taken === 0) return { writable: client.socket };
      unsent.drop(taken);
    }
    if (client.request) {
      const blocked = work(sys, client, client.request, volume, unsent);
      if (blocked) return blocked;
      continue;
    }
    const next = nextRequest(client, received);
    if (next === 'over') return { over: 'Disconnect request received.' };
    if (next === 'bad') return { over: 'Not enough magic.' };
    if (next === 'big') return { over: 'Request too big!' };
    if (next === 'request') continue;
    const bytes = sys.read(client.socket, READ_BYTES);
    if (!bytes) return { readable: client.socket };
    if (bytes.length === 0) return { over: 'Connection closed by the client.' };
    received.push(bytes);
  }
  return 'more';
}

function nextRequest(client: Client, received: ByteQueue): 'request' | 'none' | 'over' | 'bad' | 'big' {
  if (received.length < NBD_REQUEST_BYTES) return 'none';
  const header = received.peek(NBD_REQUEST_BYTES);
  const request = decodeRequest(header);
  if (!request) return 'bad';
  const { type, from, length } = request;
  if (type === NBD_CMD_DISC) return 'over';
  if (length > NBD_MAX_LENGTH) return 'big';
  const dataBytes = carriesData(type) ? length : 0;
  if (received.length < NBD_REQUEST_BYTES + dataBytes) return 'none';
  client.request = { header: header.slice(), type, from, data: new Uint8Array(length), done: 0 };
  received.drop(NBD_REQUEST_BYTES);
  if (dataBytes > 0) client.request.data.set(received.take(dataBytes));
  return 'request';
}

/** Answers what to wait for, or nothing when the request has got its reply. */
function work(sys: Sys, client: Client, request: Current, volume: Volume, unsent: ByteQueue): Wait | undefined {
  const reply = (error: ErrnoName | undefined, data?: Uint8Array) => {
    unsent.push(encodeReply({ error: error ? errno[error] : 0, handle: decodeRequest(request.header)!.handle }));
    if (data && !error) unsent.push(data);
    client.request = null;
  };
  try {
    switch (request.type) {
      case NBD_CMD_READ:
        if (!isInside(client, request)) reply('EINVAL');
        else if (!readOn(sys, client.file, request)) return { readable: client.file };
        else reply(undefined, request.data);
        return undefined;
      case NBD_CMD_WRITE:
        if (client.isReadonly || !mayWrite(volume.reservations, client.id)) reply('EPERM');
        else if (!isInside(client, request)) reply('ENOSPC');
        else if (!writeOn(sys, client.file, request)) return { writable: client.file };
        else reply(undefined);
        return undefined;
      case NBD_CMD_FLUSH:
        if (!sys.fsync(client.file)) return { untilNs: sys.nowNs + FLUSH_POLL_NS };
        reply(undefined);
        return undefined;
      case NBD_CMD_RESERVE:
        reply(reserve(client, request, volume));
        return undefined;
      case NBD_CMD_REPORT:
        reply(undefined, report(request.data.length, volume.report()));
        return undefined;
      default:
        reply('EINVAL');
        return undefined;
    }
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    reply(error.code === 'ENOSPC' ? 'ENOSPC' : 'EIO');
    return undefined;
  }
}

const isInside = ({ size }: Client, { from, data }: Current) => from + data.length <= size;

/** False: the device has yet to fetch it. */
function readOn(sys: Sys, file: number, request: Current): boolean {
  const { data, from } = request;
  while (request.done < data.length) {
    const at = from + request.done;
    const piece = sys.pread(file, data.length - request.done, at);
    if (!piece) {
      // Whoever waits for the file waits for what stands at its offset.
      sys.seek(file, at, 'set');
      return false;
    }
    // A file that is shorter than it was reads as zeroes.
    if (piece.length === 0) break;
    data.set(piece, request.done);
    request.done += piece.length;
  }
  return true;
}

/** False: the device has enough to do for now. */
function writeOn(sys: Sys, file: number, request: Current): boolean {
  const { data, from } = request;
  while (request.done < data.length) {
    const taken = sys.pwrite(file, data.subarray(request.done), from + request.done);
    if (taken === 0) return false;
    request.done += taken;
  }
  return true;
}

function reserve(client: Client, { from, data }: Current, volume: Volume): ErrnoName | undefined {
  const mode = RESERVE_MODES[from];
  if (mode === undefined || data.length !== RESERVE_KEY_BYTES) return 'EINVAL';
  const key = [...data].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  if (mode === 'release') {
    volume.reservations = released(volume.reservations, client.id, key);
    return undefined;
  }
  if (client.isReadonly && mode !== 'r') return 'EPERM';
  if (isRefused(volume.reservations, key, mode)) return 'EBUSY';
  volume.reservations = [...volume.reservations, { client: client.id, key, mode }];
  return undefined;
}

function report(length: number, text: string): Uint8Array {
  const out = new Uint8Array(length);
  out.set(new TextEncoder().encode(text).subarray(0, length));
  return out;
}
