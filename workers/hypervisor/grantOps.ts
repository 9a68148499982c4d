/**
 * What domains do with each other's grants: map a page, unmap it, copy from or to it, give one away.
 *
 * Every operation answers a grant status, never an exception, so that one bad element of a batch does not stop the rest.
 * Source: xen/common/grant_table.c and create/destroy_grant_host_mapping in xen/arch/x86/mm.c, Xen 3.4.
 */
import {
  GNTST_bad_copy_arg,
  GNTST_bad_domain,
  GNTST_bad_gntref,
  GNTST_bad_handle,
  GNTST_bad_page,
  GNTST_bad_virt_addr,
  GNTST_general_error,
  GNTST_no_device_space,
  GNTST_okay,
  GNTST_permission_denied,
} from '../abi/grantTable';
import { DOMID_SELF, type Domid, type Gref, type Mfn, PAGE_SIZE } from '../abi/xen';
import type { Domain } from './domain';
import type { PinKind } from './grantTable';
import type { MachineMemory } from './memory/frames';
import { clearPhysmap } from './memory/physmap';
import { gmfnToMfn, noteWritten } from './memory/translated';
import type { SecurityHooks } from './xsm/hooks';

export interface GrantHost {
  findDomain(domid: Domid): Domain | undefined;
  readonly memory: MachineMemory;
  readonly hooks: SecurityHooks;
}

export interface MapRequest {
  readonly hostAddress: number;
  readonly ref: Gref;
  readonly domid: Domid;
  readonly isHostMap: boolean;
  readonly isDeviceMap: boolean;
  readonly isReadonly: boolean;
}

export interface MapResult {
  readonly status: number;
  readonly handle: number;
  readonly mfn: Mfn;
}

function failed(status: number): MapResult {
  return { status, handle: 0, mfn: 0 as Mfn };
}

export function mapGrant(host: GrantHost, caller: Domain, request: MapRequest): MapResult {
  const { ref, isHostMap, isDeviceMap, isReadonly, hostAddress } = request;
  if (!isHostMap && !isDeviceMap) return failed(GNTST_bad_gntref);
  const granter = domainNamed(host, caller, request.domid);
  if (!granter) return failed(GNTST_bad_domain);
  if (!host.hooks.grantMap(caller.domid, granter.domid)) return failed(GNTST_permission_denied);
  const kinds = kindsOf(isHostMap, isDeviceMap);
  const track = { domid: granter.domid, ref, isReadonly, isHostMapped: isHostMap, isDeviceMapped: isDeviceMap };
  const handle = caller.grants.addTrack(track);
  if (handle === undefined) return failed(GNTST_no_device_space);

  const status = granter.grants.acquire(ref, caller.domid, kinds, isReadonly);
  if (status !== GNTST_okay) {
    caller.grants.removeTrack(handle);
    return failed(status);
  }
  const { mfn } = granter.grants.active.get(ref)!;
  const undo = (reason: number): MapResult => {
    granter.grants.release(ref, kinds, isReadonly);
    caller.grants.removeTrack(handle);
    return failed(reason);
  };
  const { space } = caller;
  if (isHostMap && (!space.isMappable(hostAddress) || space.mappingAt(hostAddress)?.kind === 'grant')) {
    return undo(GNTST_bad_virt_addr);
  }
  if (!host.memory.getPage(mfn, granter.domid)) return undo(GNTST_general_error);
  if (isHostMap && isDeviceMap) host.memory.getPage(mfn, granter.domid);
  if (isHostMap) {
    const old = space.mappingAt(hostAddress);
    space.map(hostAddress, { mfn, isWritable: !isReadonly, kind: 'grant' });
    if (old) host.memory.putPage(old.mfn);
  }
  return { status: GNTST_okay, handle, mfn };
}

export interface UnmapRequest {
  /** 0: leave the host mapping alone. */
  readonly hostAddress: number;
  /** Machine address as answered by map; 0: leave the device mapping alone. */
  readonly deviceAddress: number;
  readonly handle: number;
}

export function unmapGrant(host: GrantHost, caller: Domain, request: UnmapRequest): number {
  const { hostAddress, deviceAddress, handle } = request;
  const track = caller.grants.track(handle);
  if (!track) return GNTST_bad_handle;
  const granter = host.findDomain(track.domid);
  const active = granter?.grants.active.get(track.ref);
  if (!granter || !active) throw new Error(`handle ${handle} of d${caller.domid} outlived its grant`);
  const { mfn } = active;
  if (deviceAddress !== 0 && (!track.isDeviceMapped || Math.floor(deviceAddress / PAGE_SIZE) !== mfn)) {
    return GNTST_general_error;
  }
  if (hostAddress !== 0) {
    const mapping = caller.space.mappingAt(hostAddress);
    if (!track.isHostMapped || mapping?.kind !== 'grant' || mapping.mfn !== mfn) return GNTST_general_error;
    if (mapping.isWritable === track.isReadonly) return GNTST_general_error;
    caller.space.unmap(hostAddress);
    track.isHostMapped = false;
    release(host, granter, track.ref, mfn, 'host', track.isReadonly);
  }
  if (deviceAddress !== 0) {
    track.isDeviceMapped = false;
    release(host, granter, track.ref, mfn, 'device', track.isReadonly);
  }
  if (!track.isHostMapped && !track.isDeviceMapped) caller.grants.removeTrack(handle);
  return GNTST_okay;
}

/** Lets go of everything that a dying domain has mapped (gnttab_release_mappings). */
export function releaseMappings(host: GrantHost, domain: Domain): void {
  for (const [va, mapping] of domain.space.mappings) if (mapping.kind === 'grant') domain.space.unmap(va * PAGE_SIZE);
  for (const [handle, { domid, ref, isReadonly, isHostMapped, isDeviceMapped }] of domain.grants.tracks()) {
    const granter = host.findDomain(domid);
    const active = granter?.grants.active.get(ref);
    if (!granter || !active) throw new Error(`handle ${handle} of d${domain.domid} outlived its grant`);
    for (const kind of kindsOf(isHostMapped, isDeviceMapped)) {
      release(host, granter, ref, active.mfn, kind, isReadonly);
    }
    domain.grants.removeTrack(handle);
  }
}

/** One end of a copy: a grant of a domain, or a frame of the caller's own. */
export interface CopyEnd {
  readonly isGrant: boolean;
  /** Grant reference or machine frame. */
  readonly number: number;
  readonly domid: Domid;
  readonly offset: number;
}

export function copyGrant(host: GrantHost, caller: Domain, source: CopyEnd, dest: CopyEnd, length: number): number {
  if (source.offset + length > PAGE_SIZE || dest.offset + length > PAGE_SIZE) return GNTST_bad_copy_arg;
  return withEnd(host, caller, source, true, (from) =>
    withEnd(host, caller, dest, false, (to, owner) => {
      const bytes = host.memory.peek(from)?.slice(source.offset, source.offset + length) ?? new Uint8Array(length);
      host.memory.bytes(to).set(bytes, dest.offset);
      noteWritten(owner, to);
      return GNTST_okay;
    }),
  );
}

function withEnd(
  host: GrantHost,
  caller: Domain,
  end: CopyEnd,
  isReadonly: boolean,
  use: (mfn: Mfn, owner: Domain) => number,
): number {
  if (!end.isGrant && end.domid !== DOMID_SELF) return GNTST_permission_denied;
  const owner = domainNamed(host, caller, end.domid);
  if (!owner) return GNTST_bad_domain;
  if (!end.isGrant) {
    const mfn = gmfnToMfn(owner, end.number);
    return mfn === undefined ? GNTST_bad_page : withPage(host, owner, mfn, use);
  }
  if (!host.hooks.grantMap(caller.domid, owner.domid)) return GNTST_permission_denied;
  const ref = end.number as Gref;
  const status = owner.grants.acquire(ref, caller.domid, ['host'], isReadonly);
  if (status !== GNTST_okay) return status;
  const result = withPage(host, owner, owner.grants.active.get(ref)!.mfn, use);
  owner.grants.release(ref, ['host'], isReadonly);
  return result;
}

function withPage(host: GrantHost, owner: Domain, mfn: Mfn, use: (mfn: Mfn, owner: Domain) => number): number {
  if (!host.memory.getPage(mfn, owner.domid)) return GNTST_general_error;
  const result = use(mfn, owner);
  host.memory.putPage(mfn);
  return result;
}

/** The caller loses the page whatever becomes of it, unless the answer is GNTST_bad_page. */
export function transferGrant(host: GrantHost, caller: Domain, gmfn: number, domid: Domid, ref: Gref): number {
  const { memory } = host;
  const mfn = gmfnToMfn(caller, gmfn);
  if (mfn === undefined) return GNTST_bad_page;
  const isOwn = memory.isAllocatedTo(mfn, caller.domid) && !memory.isXenheap(mfn) && memory.refsOf(mfn) === 1;
  if (!isOwn) return GNTST_bad_page;
  const pfn = memory.m2p[mfn]!;
  if (caller.space.p2m.get(pfn) === mfn) clearPhysmap(caller, pfn);
  const target = domainNamed(host, caller, domid);
  const status = target ? canReceive(host, caller, target, ref) : GNTST_bad_domain;
  if (!target || status !== GNTST_okay) {
    memory.deallocate(mfn);
    return status;
  }
  memory.reassign(mfn, target);
  target.grants.completeTransfer(ref, mfn);
  return GNTST_okay;
}

function canReceive(host: GrantHost, caller: Domain, target: Domain, ref: Gref): number {
  if (!host.hooks.grantMap(caller.domid, target.domid)) return GNTST_permission_denied;
  // Translated domains name the frames that they have; none can be pushed into their memory.
  if (target.isTranslated || target.isDying || target.totPages >= target.maxPages) return GNTST_general_error;
  return target.grants.commitTransfer(ref, caller.domid) ? GNTST_okay : GNTST_general_error;
}

function domainNamed(host: GrantHost, caller: Domain, domid: Domid): Domain | undefined {
  return domid === DOMID_SELF ? caller : host.findDomain(domid);
}

function release(host: GrantHost, granter: Domain, ref: Gref, mfn: Mfn, kind: PinKind, isReadonly: boolean): void {
  granter.grants.release(ref, [kind], isReadonly);
  if (!isReadonly) noteWritten(granter, mfn);
  host.memory.putPage(mfn);
}

function kindsOf(isHost: boolean, isDevice: boolean): readonly PinKind[] {
  if (isHost && isDevice) return ['host', 'device'];
  return isHost ? ['host'] : isDevice ? ['device'] : [];
}
