/** XENMEM_exchange: a domain swaps frames for others, usually to get a stretch that adjoins (xen/common/memory.c, 3.4). */
import { DOMID_SELF, type Domid, type Mfn } from '../../abi/xen';
import { XenError } from '../../lib/errno';
import type { Domain } from '../domain';
import type { Call } from '../hypercalls';
import { removePage, setPhysmap } from '../memory/physmap';
import { allocate, MAX_ORDER, type Reservation, readReservation } from './memoryOp';

const OUT = 20;
const NR_EXCHANGED = 40;
const SIZE = 44;

/** Frames are exchanged in chunks of the larger of the two orders; `nr_exchanged` counts extents given. */
export function exchange(call: Call, argument: number): number {
  const { domain } = call;
  const { space } = domain;
  space.checkWritable(argument, SIZE);
  const given = readReservation(call, argument);
  const wanted = readReservation(call, argument + OUT);
  check(call, given, wanted, space.u32(argument + NR_EXCHANGED));
  const order = Math.max(given.order, wanted.order);
  const chunks = Math.floor(given.extents / 2 ** (order - given.order));
  const inPerChunk = 1 << (order - given.order);
  const outPerChunk = 1 << (order - wanted.order);
  for (let chunk = 0; chunk < chunks; chunk++) {
    exchangeChunk(call, given, chunk * inPerChunk, inPerChunk, wanted, chunk * outPerChunk, outPerChunk);
    space.putU32(argument + NR_EXCHANGED, (chunk + 1) * inPerChunk);
  }
  return 0;
}

function check({ domain }: Call, given: Reservation, wanted: Reservation, exchanged: number): void {
  if (given.order > MAX_ORDER || wanted.order > MAX_ORDER) throw new XenError('EINVAL', 'order');
  if (exchanged !== 0 || given.domid !== wanted.domid) throw new XenError('EINVAL', 'exchange');
  if (given.domid !== (DOMID_SELF as Domid)) throw new XenError('EINVAL', 'only for the caller itself');
  if (given.extents * 2 ** given.order !== wanted.extents * 2 ** wanted.order)
    throw new XenError('EINVAL', 'sizes differ');
  if (Math.max(given.order, wanted.order) > 0 && !domain.isPrivileged) throw new XenError('EPERM', 'order');
}

function exchangeChunk(
  call: Call,
  given: Reservation,
  firstIn: number,
  ins: number,
  wanted: Reservation,
  firstOut: number,
  outs: number,
): void {
  const { domain } = call;
  const { space } = domain;
  const old = Array.from({ length: ins }, (_, i) => space.u32(given.start + 4 * (firstIn + i)) as Mfn);
  const places = Array.from({ length: outs }, (_, i) => wanted.start + 4 * (firstOut + i));
  for (const va of places) space.checkWritable(va, 4);
  const pfns = places.map((va) => space.u32(va));
  const frames = old.flatMap((mfn) => Array.from({ length: 1 << given.order }, (_, i) => (mfn + i) as Mfn));
  if (new Set(frames).size < frames.length || !frames.every((mfn) => isGivable(domain, mfn))) {
    throw new XenError('EINVAL', 'a frame that cannot be given');
  }
  const fresh = takeAll(call, outs, wanted.order, frames.length);
  for (const mfn of frames) removePage(domain, mfn);
  fresh.forEach((mfn, i) => {
    for (let n = 0; n < 1 << wanted.order; n++) setPhysmap(domain, pfns[i]! + n, (mfn + n) as Mfn);
    if (space.mfnAt(places[i]!) !== undefined) space.putU32(places[i]!, mfn);
  });
}

/** Ordinary, and nobody else looks at it. */
function isGivable(domain: Domain, mfn: Mfn): boolean {
  const { memory } = domain.space;
  return memory.isAllocatedTo(mfn, domain.domid) && !memory.isXenheap(mfn) && memory.refsOf(mfn) === 1;
}

/** The domain holds old and new frames for a moment, which its limit must not forbid. */
function takeAll(call: Call, extents: number, order: number, spare: number): readonly Mfn[] {
  const { domain } = call;
  const taken: Mfn[] = [];
  domain.maxPages += spare;
  try {
    for (let i = 0; i < extents; i++) {
      const mfn = allocate(call, domain, order);
      if (mfn === undefined) {
        for (const back of taken) for (let n = 0; n < 1 << order; n++) removePage(domain, (back + n) as Mfn);
        throw new XenError('ENOMEM', 'exchange');
      }
      taken.push(mfn);
    }
  } finally {
    domain.maxPages -= spare;
  }
  return taken;
}
