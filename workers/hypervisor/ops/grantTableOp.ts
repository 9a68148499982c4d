/** grant_table_op: the ABI of grant tables (do_grant_table_op in xen/common/grant_table.c, Xen 3.4). */
import {
  GNTCOPY_dest_gref,
  GNTCOPY_source_gref,
  GNTMAP_contains_pte,
  GNTMAP_device_map,
  GNTMAP_host_map,
  GNTMAP_readonly,
  GNTST_bad_domain,
  GNTST_general_error,
  GNTST_okay,
  GNTST_permission_denied,
  GNTTABOP_copy,
  GNTTABOP_map_grant_ref,
  GNTTABOP_query_size,
  GNTTABOP_setup_table,
  GNTTABOP_transfer,
  GNTTABOP_unmap_grant_ref,
} from '../../abi/grantTable';
import { TRC_MEM_PAGE_GRANT_MAP, TRC_MEM_PAGE_GRANT_TRANSFER, TRC_MEM_PAGE_GRANT_UNMAP } from '../../abi/trace';
import { DOMID_SELF, type Domid, type Gref, PAGE_SIZE } from '../../abi/xen';
import { errno, XenError } from '../../lib/errno';
import type { Domain } from '../domain';
import { type CopyEnd, copyGrant, mapGrant, transferGrant, unmapGrant } from '../grantOps';
import type { Call } from '../hypercalls';
import { gmfnToMfn } from '../memory/translated';

const MAX_BATCH = 512;

/** Handles the element at `va`; the status goes into the element. */
type ElementHandler = (call: Call, va: number, element: DataView) => void;

const batched: Readonly<Record<number, { readonly size: number; readonly handle: ElementHandler }>> = {
  [GNTTABOP_map_grant_ref]: { size: 32, handle: mapElement },
  [GNTTABOP_unmap_grant_ref]: { size: 24, handle: unmapElement },
  [GNTTABOP_transfer]: { size: 16, handle: transferElement },
  [GNTTABOP_copy]: { size: 24, handle: copyElement },
};

export function grantTableOp(call: Call, [command, array, count]: readonly number[]): number {
  if (count! > MAX_BATCH) throw new XenError('EINVAL', `${count} elements`);
  const { space } = call.domain;
  const kind = batched[command!];
  if (kind) {
    space.checkWritable(array!, kind.size * count!);
    for (let i = 0; i < count!; i++) {
      const va = array! + kind.size * i;
      kind.handle(call, va, space.struct(va, kind.size));
    }
    return 0;
  }
  if (command !== GNTTABOP_setup_table && command !== GNTTABOP_query_size) return -errno.ENOSYS;
  if (count !== 1) throw new XenError('EINVAL', 'one element only');
  space.checkWritable(array!, 16);
  const element = space.struct(array!, 16);
  const target = tableOf(call, element.getUint16(0, true) as Domid);
  if (command === GNTTABOP_query_size) querySize(call, array!, target);
  else setupTable(call, array!, element, target);
  return 0;
}

function mapElement({ hv, domain }: Call, va: number, element: DataView): void {
  const flags = element.getUint32(8, true);
  const domid = element.getUint16(16, true) as Domid;
  const put = (status: number, handle = 0, mfn = 0) => {
    domain.space.putU16(va + 18, status);
    domain.space.putU32(va + 20, handle);
    domain.space.putU64(va + 24, mfn * PAGE_SIZE);
  };
  if ((flags & GNTMAP_contains_pte) !== 0) {
    put(GNTST_general_error);
    return;
  }
  const result = mapGrant(hv, domain, {
    hostAddress: u64(element, 0),
    ref: element.getUint32(12, true) as Gref,
    domid,
    isHostMap: (flags & GNTMAP_host_map) !== 0,
    isDeviceMap: (flags & GNTMAP_device_map) !== 0,
    isReadonly: (flags & GNTMAP_readonly) !== 0,
  });
  put(result.status, result.handle, result.mfn);
  if (result.status === GNTST_okay) hv.trace.record(TRC_MEM_PAGE_GRANT_MAP, domid);
}

function unmapElement({ hv, domain }: Call, va: number, element: DataView): void {
  const handle = element.getUint32(16, true);
  const track = domain.grants.track(handle);
  const status = unmapGrant(hv, domain, { hostAddress: u64(element, 0), deviceAddress: u64(element, 8), handle });
  domain.space.putU16(va + 20, status);
  if (status === GNTST_okay && track) hv.trace.record(TRC_MEM_PAGE_GRANT_UNMAP, track.domid);
}

function transferElement({ hv, domain }: Call, va: number, element: DataView): void {
  const domid = element.getUint16(4, true) as Domid;
  const frame = element.getUint32(0, true);
  const mfn = gmfnToMfn(domain, frame);
  // The page that holds the element must not be the one that is given away.
  const isOwnElement = domain.space.mfnAt(va) === mfn || domain.space.mfnAt(va + 15) === mfn;
  const status = isOwnElement
    ? GNTST_general_error
    : transferGrant(hv, domain, frame, domid, element.getUint32(8, true) as Gref);
  domain.space.putU16(va + 12, status);
  if (status === GNTST_okay) hv.trace.record(TRC_MEM_PAGE_GRANT_TRANSFER, domid);
}

function copyElement({ hv, domain }: Call, va: number, element: DataView): void {
  const flags = element.getUint16(18, true);
  const end = (at: number, isGrant: boolean): CopyEnd => ({
    isGrant,
    number: element.getUint32(at, true),
    domid: element.getUint16(at + 4, true) as Domid,
    offset: element.getUint16(at + 6, true),
  });
  const source = end(0, (flags & GNTCOPY_source_gref) !== 0);
  const dest = end(8, (flags & GNTCOPY_dest_gref) !== 0);
  domain.space.putU16(va + 20, copyGrant(hv, domain, source, dest, element.getUint16(16, true)));
}

type Target = { readonly domain: Domain } | { readonly status: number };

function tableOf({ hv, domain: caller }: Call, domid: Domid): Target {
  const domain = domid === DOMID_SELF ? caller : hv.findDomain(domid);
  if (!domain) return { status: GNTST_bad_domain };
  if (domain !== caller && !caller.isPrivilegedFor(domain)) return { status: GNTST_permission_denied };
  if (!hv.hooks.grantSetup(caller.domid, domain.domid)) return { status: GNTST_permission_denied };
  return { domain };
}

function setupTable({ hv, domain: caller }: Call, va: number, element: DataView, target: Target): void {
  const wanted = element.getUint32(4, true);
  const list = element.getUint32(12, true);
  const status =
    'status' in target ? target.status : growTable(hv.memory, target.domain, wanted) ? GNTST_okay : GNTST_general_error;
  if (status === GNTST_okay && 'domain' in target) {
    target.domain.grants.frames.slice(0, wanted).forEach((mfn, i) => {
      caller.space.putU32(list + 4 * i, mfn);
    });
  }
  caller.space.putU16(va + 8, status);
}

/** Makes the table so many frames long; false when it may not, or cannot. */
export function growTable(memory: Call['hv']['memory'], domain: Domain, frames: number): boolean {
  if (frames > domain.grants.maxFrames || domain.isDying) return false;
  while (domain.grants.frames.length < frames) {
    const mfn = memory.allocateXenheap();
    if (mfn === undefined) return false;
    memory.share(mfn, domain);
    domain.grants.addFrame(mfn);
  }
  return true;
}

function querySize({ domain: caller }: Call, va: number, target: Target): void {
  if ('status' in target) {
    caller.space.putU16(va + 12, target.status);
    return;
  }
  caller.space.putU32(va + 4, target.domain.grants.frames.length);
  caller.space.putU32(va + 8, target.domain.grants.maxFrames);
  caller.space.putU16(va + 12, GNTST_okay);
}

/** A 64-bit field; what does not fit a number exactly is no address of this machine either. */
function u64(view: DataView, offset: number): number {
  return Number(view.getBigUint64(offset, true));
}
