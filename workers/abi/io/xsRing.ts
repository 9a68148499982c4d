/**
 * The page that a domain shares with xenstored: two rings of bytes, requests towards the daemon and responses back.
 *
 * Layout (struct xenstore_domain_interface, xen/include/public/io/xs_wire.h): req[1024] at 0, rsp[1024] at 1024, then
 * req_cons, req_prod, rsp_cons, rsp_prod as u32 from 2048. The indices run freely modulo 2^32.
 */
export const XENSTORE_RING_SIZE = 1024;
const REQ_CONS = 2048;
const RSP_CONS = 2056;

/** The two indices disagree by more than the ring holds: the other side is broken or hostile. */
export class XsRingError extends Error {
  override readonly name = 'XsRingError';
}

/** One direction of the shared page; which end of it this is only the caller knows. */
export class XsRing {
  readonly #bytes: Uint8Array;
  readonly #indices: DataView;

  /** `page` is the live shared page. */
  constructor(page: Uint8Array, direction: 'req' | 'rsp') {
    this.#bytes = page.subarray(direction === 'req' ? 0 : XENSTORE_RING_SIZE).subarray(0, XENSTORE_RING_SIZE);
    this.#indices = new DataView(page.buffer, page.byteOffset + (direction === 'req' ? REQ_CONS : RSP_CONS), 8);
  }

  /** Bytes waiting to be consumed. Throws XsRingError. */
  get used(): number {
    const used = (this.#producer - this.#consumer) >>> 0;
    if (used > XENSTORE_RING_SIZE) throw new XsRingError(`${used} bytes in a ring of ${XENSTORE_RING_SIZE}`);
    return used;
  }

  /** Takes everything that is there; empty when nothing is. Throws XsRingError. */
  read(): Uint8Array {
    const taken = new Uint8Array(this.used);
    const consumer = this.#consumer;
    const at = consumer % XENSTORE_RING_SIZE;
    const head = this.#bytes.subarray(at, at + taken.length);
    taken.set(head);
    taken.set(this.#bytes.subarray(0, taken.length - head.length), head.length);
    this.#indices.setUint32(0, consumer + taken.length, true);
    return taken;
  }

  /** Puts in as much as fits and returns how many bytes that was. Throws XsRingError. */
  write(bytes: Uint8Array): number {
    const part = bytes.subarray(0, XENSTORE_RING_SIZE - this.used);
    const producer = this.#producer;
    const at = producer % XENSTORE_RING_SIZE;
    const head = part.subarray(0, XENSTORE_RING_SIZE - at);
    this.#bytes.set(head, at);
    this.#bytes.set(part.subarray(head.length), 0);
    this.#indices.setUint32(4, producer + part.length, true);
    return part.length;
  }

  /** Both indices to 0, as INTRODUCE does. */
  reset(): void {
    this.#indices.setUint32(0, 0, true);
    this.#indices.setUint32(4, 0, true);
  }

  get #consumer(): number {
    return this.#indices.getUint32(0, true);
  }

  get #producer(): number {
    return this.#indices.getUint32(4, true);
  }
}
