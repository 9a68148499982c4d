/** What the policy module adds to the paths of grants and event channels: the same hypercalls with and without asking it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MAP_WINDOW_START } from '../../workers/abi/cpu';
import {
  EVTCHNOP_alloc_unbound,
  EVTCHNOP_bind_interdomain,
  EVTCHNOP_close,
  EVTCHNOP_send,
} from '../../workers/abi/eventChannel';
import {
  GNTMAP_host_map,
  GNTST_okay,
  GNTTABOP_copy,
  GNTTABOP_map_grant_ref,
  GNTTABOP_unmap_grant_ref,
} from '../../workers/abi/grantTable';
import { DOMID_SELF, type Domid, type Gref, hypercall } from '../../workers/abi/xen';
import { AcmHooks } from '../../workers/acm/acmHooks';
import { compilePolicy } from '../../workers/acm/policyBinary';
import { readPolicy } from '../../workers/acm/policyXml';
import { type TestGuest, TestHypervisor } from '../../workers/hypervisor/testing';
import type { SecurityHooks, SecurityHost } from '../../workers/hypervisor/xsm/hooks';
import { median, type Row } from '../row';

/** The policy module, which can be left unasked: A and B then differ in nothing else, neither memory nor compiled code. */
class SwitchedHooks implements SecurityHooks {
  isAsked = true;

  constructor(readonly acm: AcmHooks) {}

  start(host: SecurityHost): void {
    this.acm.start(host);
  }

  domainCreate(domid: Domid, ref: number): boolean {
    return this.acm.domainCreate(domid, ref);
  }

  domainDestroy(domid: Domid): void {
    this.acm.domainDestroy(domid);
  }

  evtchnUnbound(domid: Domid, remote: Domid): boolean {
    return this.isAsked ? this.acm.evtchnUnbound(domid, remote) : true;
  }

  evtchnInterdomain(domid: Domid, remote: Domid): boolean {
    return this.isAsked ? this.acm.evtchnInterdomain(domid, remote) : true;
  }

  grantMap(mapper: Domid, granter: Domid): boolean {
    return this.isAsked ? this.acm.grantMap(mapper, granter) : true;
  }

  grantSetup(caller: Domid, domid: Domid): boolean {
    return this.acm.grantSetup(caller, domid);
  }

  ssidrefOf(domid: Domid): number {
    return this.acm.ssidrefOf(domid);
  }
}

interface Pair {
  readonly hooks: SwitchedHooks;
  readonly host: TestHypervisor;
  readonly one: TestGuest;
  readonly two: TestGuest;
}

/** Two guests with one label. */
function pair(): Pair {
  const xml = readFileSync(join(import.meta.dirname, '../../public/policies/mytest.xml'), 'utf8');
  const modules = [new Uint8Array(4), compilePolicy(readPolicy(xml))];
  const hooks = new SwitchedHooks(new AcmHooks({ modules, ssidrefOption: undefined }));
  const host = new TestHypervisor({ hooks });
  const [one, two] = [host.createGuest({ ssidref: 0x0002_0002 }), host.createGuest({ ssidref: 0x0002_0002 })];
  return { hooks, host, one, two };
}

/** What asking the policy adds to a path, per cent: medians of many short turns with and without it. */
function addedCost(hooks: SwitchedHooks, path: () => void, turns: number): number {
  const times: Record<'asked' | 'unasked', number[]> = { asked: [], unasked: [] };
  const turn = (isAsked: boolean) => {
    hooks.isAsked = isAsked;
    const start = performance.now();
    path();
    times[isAsked ? 'asked' : 'unasked'].push(performance.now() - start);
  };
  for (let k = 0; k < turns; k++) {
    if (k === turns >> 2) times.asked.length = times.unasked.length = 0;
    turn(k % 2 === 0);
    turn(k % 2 !== 0);
  }
  return (median(times.asked) / median(times.unasked) - 1) * 100;
}

/** Pages to a hypercall. */
const COUNT = 16;

/** References of pages that the first guest grants to the second. */
function granted({ host, one, two }: Pair): readonly Gref[] {
  const table = host.hv.memory.bytes(one.domain.grants.frames[0]!);
  const entries = new DataView(table.buffer, table.byteOffset);
  return Array.from({ length: COUNT }, (_, i) => {
    const gref = (8 + i) as Gref;
    one.domain.grants.setFrame(gref, one.domain.space.p2m.get(4 + i)!);
    entries.setUint16(8 * gref + 2, two.domid, true);
    one.domain.grants.setFlags(gref, 1);
    return gref;
  });
}

/** A hypercall's elements in the guest's memory. */
function elements(guest: TestGuest, list: readonly (readonly number[])[]) {
  const words = list.flat();
  const va = guest.alloc(4 * words.length);
  const view = guest.view(va);
  words.forEach((word, i) => {
    view.setUint32(4 * i, word, true);
  });
  return { va, view };
}

function grantCall(guest: TestGuest, operation: number, va: number): void {
  const result = guest.call(hypercall.grant_table_op, operation, va, COUNT);
  if (result !== 0) throw new Error(`grant operation ${operation}: ${result}`);
}

function checkStatus(view: DataView, at: number): void {
  const status = view.getInt16(at, true);
  if (status !== GNTST_okay) throw new Error(`grant operation: status ${status}`);
}

/** Copies pages that the other guest granted. */
function grantCopies(guests: Pair): () => void {
  const { one, two } = guests;
  // source: grant, domain, offset; destination: own frame; length and flags.
  const copies = granted(guests).map((gref, i) => {
    const own = two.domain.space.p2m.get(24 + i)!;
    return [gref, one.domid, own, DOMID_SELF, 4096 | (1 << 16), 0];
  });
  const { va, view } = elements(two, copies);
  return () => {
    grantCall(two, GNTTABOP_copy, va);
    checkStatus(view, 20);
  };
}

/** Maps pages that the other guest granted, and gives them back: nothing is done with a page, unlike in a copy. */
function grantMaps(guests: Pair): () => void {
  const { one, two } = guests;
  const grefs = granted(guests);
  const at = grefs.map((_, i) => MAP_WINDOW_START + 4096 * i);
  const maps = elements(
    two,
    grefs.map((gref, i) => [at[i]!, 0, GNTMAP_host_map, gref, one.domid, 0, 0, 0]),
  );
  const unmaps = elements(
    two,
    grefs.map((_, i) => [at[i]!, 0, 0, 0, 0, 0]),
  );
  return () => {
    grantCall(two, GNTTABOP_map_grant_ref, maps.va);
    checkStatus(maps.view, 18);
    grefs.forEach((_, i) => {
      unmaps.view.setUint32(24 * i + 16, maps.view.getUint32(32 * i + 20, true), true);
    });
    grantCall(two, GNTTABOP_unmap_grant_ref, unmaps.va);
    checkStatus(unmaps.view, 20);
  };
}

/** Offers a channel, binds it, sends a hundred events and closes it. */
function channels({ one, two }: Pair): () => void {
  const va = one.alloc(32);
  const other = two.alloc(32);
  const [view, peer] = [one.view(va), two.view(other)];
  const call = (guest: TestGuest, operation: number, at: number) => {
    const result = guest.call(hypercall.event_channel_op, operation, at);
    if (result !== 0) throw new Error(`event channel operation ${operation}: ${result}`);
  };
  return () => {
    view.setUint16(0, DOMID_SELF, true);
    view.setUint16(2, two.domid, true);
    call(one, EVTCHNOP_alloc_unbound, va);
    const port = view.getUint32(4, true);
    peer.setUint16(0, one.domid, true);
    peer.setUint32(4, port, true);
    call(two, EVTCHNOP_bind_interdomain, other);
    const bound = peer.getUint32(8, true);
    view.setUint32(0, port, true);
    for (let n = 0; n < 100; n++) call(one, EVTCHNOP_send, va);
    call(one, EVTCHNOP_close, va);
    peer.setUint32(0, bound, true);
    call(two, EVTCHNOP_close, other);
  };
}

export function hooksCost(): readonly Row[] {
  const guests = pair();
  const { hooks } = guests;
  const copies = addedCost(hooks, grantCopies(guests), 20_000);
  const maps = addedCost(hooks, grantMaps(guests), 20_000);
  const events = addedCost(hooks, channels(guests), 8_000);
  return [
    { name: 'policy: added to a copy of 16 granted pages', value: copies, unit: '%', budget: { most: 1 } },
    { name: 'policy: added to a map and unmap of 16 granted pages', value: maps, unit: '%', budget: { most: 1 } },
    { name: 'policy: added to a channel with 100 events', value: events, unit: '%', budget: { most: 1 } },
  ];
}
