/** memory_op: how domains get, give back and look at memory (xen/common/memory.c, xen/arch/x86/mm.c, Xen 3.4). */
import {
  ADD_TO_PHYSMAP_SIZE,
  memoryReservation as field,
  MEMORY_RESERVATION_SIZE,
  addToPhysmap as physmapField,
  XENMAPSPACE_grant_table,
  XENMAPSPACE_shared_info,
  XENMEM_add_to_physmap,
  XENMEM_current_reservation,
  XENMEM_decrease_reservation,
  XENMEM_exchange,
  XENMEM_increase_reservation,
  XENMEM_machine_memory_map,
  XENMEM_maximum_gpfn,
  XENMEM_maximum_ram_page,
  XENMEM_maximum_reservation,
  XENMEM_memory_map,
  XENMEM_populate_physmap,
  XENMEM_set_memory_map,
} from '../../abi/memory';
import { DOMID_SELF, type Domid, type Mfn } from '../../abi/xen';
import { errno, XenError } from '../../lib/errno';
import type { Domain, E820Entry } from '../domain';
import type { Call } from '../hypercalls';
import { removePage, setPhysmap } from '../memory/physmap';
import { gmfnToMfn, showAt } from '../memory/translated';
import { growTable } from './grantTableOp';
import { exchange } from './memoryExchange';

const MEMOP_CMD_MASK = 63;
const MEMOP_EXTENT_SHIFT = 6;
export const MAX_ORDER = 20;
const E820_MAX = 128;
const E820_ENTRY_SIZE = 20;

export function memoryOp(call: Call, [command, argument]: readonly number[]): number {
  const { hv, domain } = call;
  switch (command! & MEMOP_CMD_MASK) {
    case XENMEM_increase_reservation:
    case XENMEM_decrease_reservation:
    case XENMEM_populate_physmap:
      return changeReservation(call, command! & MEMOP_CMD_MASK, command! >>> MEMOP_EXTENT_SHIFT, argument!);
    case XENMEM_exchange:
      return exchange(call, argument!);
    case XENMEM_maximum_ram_page:
      return hv.memory.frames - 1;
    case XENMEM_current_reservation:
      return named(call, domain.space.u16(argument!)).totPages;
    case XENMEM_maximum_reservation:
      return Math.min(named(call, domain.space.u16(argument!)).maxPages, 0x7fff_ffff);
    case XENMEM_maximum_gpfn:
      return named(call, domain.space.u16(argument!)).space.p2m.length - 1;
    case XENMEM_add_to_physmap:
      return addToPhysmap(call, argument!);
    case XENMEM_memory_map:
      if (domain.memoryMap.length === 0) return -errno.ENOSYS;
      return copyMap(call, argument!, domain.memoryMap);
    case XENMEM_machine_memory_map:
      if (!domain.isPrivileged) throw new XenError('EPERM', 'machine_memory_map');
      return copyMap(call, argument!, hv.machineMap);
    case XENMEM_set_memory_map:
      return setMemoryMap(call, argument!);
    default:
      return -errno.ENOSYS;
  }
}

export interface Reservation {
  readonly start: number;
  readonly extents: number;
  readonly order: number;
  readonly domid: Domid;
}

export function readReservation(call: Call, va: number): Reservation {
  const view = call.domain.space.struct(va, MEMORY_RESERVATION_SIZE);
  return {
    start: view.getUint32(field.extent_start, true),
    extents: view.getUint32(field.nr_extents, true),
    order: view.getUint32(field.extent_order, true),
    domid: view.getUint16(field.domid, true) as Domid,
  };
}

/** Answers the number of extents done, never an error for a part of the work. */
function changeReservation(call: Call, command: number, first: number, argument: number): number {
  const { hv, domain: caller } = call;
  const reservation = readReservation(call, argument);
  const { domid, order, extents } = reservation;
  const domain = domid === DOMID_SELF ? caller : hv.findDomain(domid);
  if (!domain || (domain !== caller && !caller.isPrivilegedFor(domain))) return first;
  if (order > MAX_ORDER || (order > 0 && !caller.isPrivileged)) return first;
  const change = changes[command]!;
  let done = first;
  while (done < extents && change(call, domain, reservation, done)) done++;
  return Math.min(done, 0x7fff_ffff);
}

type Change = (call: Call, domain: Domain, reservation: Reservation, extent: number) => boolean;

const changes: Readonly<Record<number, Change>> = {
  [XENMEM_increase_reservation]: (call, domain, { start, order }, extent) => {
    const { space } = call.domain;
    if (start !== 0 && !isWritable(call, start + 4 * extent)) return false;
    const mfn = allocate(call, domain, order);
    if (mfn === undefined) return false;
    if (start !== 0) space.putU32(start + 4 * extent, mfn);
    return true;
  },
  [XENMEM_decrease_reservation]: (call, domain, { start, order }, extent) => {
    if (!isWritable(call, start + 4 * extent)) return false;
    const frame = call.domain.space.u32(start + 4 * extent);
    for (let i = 0; i < 1 << order; i++) {
      const mfn = gmfnToMfn(domain, frame + i);
      if (mfn === undefined || !removePage(domain, mfn)) return false;
    }
    return true;
  },
  [XENMEM_populate_physmap]: (call, domain, { start, order }, extent) => {
    const va = start + 4 * extent;
    if (!isWritable(call, va)) return false;
    const pfn = call.domain.space.u32(va);
    // Differs from Xen, whose paravirtual guests keep this map themselves: a frame number in use is not given anew.
    for (let i = 0; i < 1 << order; i++) if (domain.space.p2m.get(pfn + i) !== undefined) return false;
    const mfn = allocate(call, domain, order);
    if (mfn === undefined) return false;
    for (let i = 0; i < 1 << order; i++) {
      if (setPhysmap(domain, pfn + i, (mfn + i) as Mfn)) continue;
      for (let j = 0; j < 1 << order; j++) removePage(domain, (mfn + j) as Mfn);
      return false;
    }
    // A translated domain goes on calling its frames by the numbers that it has chosen.
    if (!domain.isTranslated) call.domain.space.putU32(va, mfn);
    return true;
  },
};

/** Shows the domain a page that it shares with Xen at a guest frame of its choice. */
function addToPhysmap(call: Call, argument: number): number {
  const view = call.domain.space.struct(argument, ADD_TO_PHYSMAP_SIZE);
  const domain = named(call, view.getUint16(physmapField.domid, true));
  if (!domain.isTranslated) throw new XenError('EINVAL', 'only translated domains can add to their physmap');
  const space = view.getUint32(physmapField.space, true);
  const mfn = sharedFrame(call, domain, space, view.getUint32(physmapField.idx, true));
  const gpfn = view.getUint32(physmapField.gpfn, true);
  if (mfn === undefined || !showAt(domain, gpfn, mfn)) throw new XenError('EINVAL', `space ${space}, frame ${gpfn}`);
  return 0;
}

function sharedFrame({ hv }: Call, domain: Domain, space: number, index: number): Mfn | undefined {
  if (space === XENMAPSPACE_shared_info) return index === 0 ? domain.sharedInfoMfn : undefined;
  if (space !== XENMAPSPACE_grant_table) return undefined;
  if (!growTable(hv.memory, domain, index + 1)) return undefined;
  return domain.grants.frames[index];
}

function isWritable(call: Call, va: number): boolean {
  return (
    va < 0x1_0000_0000 && call.domain.space.mfnAt(va) !== undefined && call.domain.space.mfnAt(va + 3) !== undefined
  );
}

/** Takes memory for a domain, and says on the console why it cannot. */
export function allocate({ hv }: Call, domain: Domain, order: number): Mfn | undefined {
  const mfn = hv.memory.allocateFor(domain, order);
  if (typeof mfn === 'number') return mfn;
  const { domid, totPages, maxPages } = domain;
  if (mfn === 'limit') {
    hv.console.printGuest(`Over-allocation for domain ${domid}: ${totPages + (1 << order)} > ${maxPages}`, 'info');
  } else if (mfn === 'no memory') {
    hv.console.printGuest(`Could not allocate order=${order} extent: id=${domid} memflags=0 (0 of 1)`, 'info');
  }
  return undefined;
}

function named({ hv, domain: caller }: Call, domid: number): Domain {
  const domain = domid === DOMID_SELF ? caller : hv.domain(domid as Domid);
  if (domain !== caller && !caller.isPrivilegedFor(domain)) throw new XenError('EPERM', `domain ${domid}`);
  return domain;
}

function copyMap({ domain }: Call, argument: number, map: readonly E820Entry[]): number {
  const { space } = domain;
  space.checkWritable(argument, 4);
  const request = space.struct(argument, 8);
  const count = Math.min(request.getUint32(0, true), map.length);
  const buffer = request.getUint32(4, true);
  space.checkWritable(buffer, count * E820_ENTRY_SIZE);
  map.slice(0, count).forEach(({ addr, size, type }, i) => {
    const bytes = new Uint8Array(E820_ENTRY_SIZE);
    const view = new DataView(bytes.buffer);
    view.setBigUint64(0, addr, true);
    view.setBigUint64(8, size, true);
    view.setUint32(16, type, true);
    space.write(buffer + i * E820_ENTRY_SIZE, bytes);
  });
  space.putU32(argument, count);
  return 0;
}

function setMemoryMap(call: Call, argument: number): number {
  const { space } = call.domain;
  const request = space.struct(argument, 12);
  const count = request.getUint32(4, true);
  if (count > E820_MAX) throw new XenError('EINVAL', `${count} entries`);
  if (!call.domain.isPrivileged) throw new XenError('EPERM', 'set_memory_map');
  const target = named(call, request.getUint16(0, true));
  const buffer = request.getUint32(8, true);
  const map = Array.from({ length: count }, (_, i) => {
    const entry = space.struct(buffer + i * E820_ENTRY_SIZE, E820_ENTRY_SIZE);
    return { addr: entry.getBigUint64(0, true), size: entry.getBigUint64(8, true), type: entry.getUint32(16, true) };
  });
  target.memoryMap = map;
  return 0;
}
