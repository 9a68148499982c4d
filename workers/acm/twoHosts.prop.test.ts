/**
 * Two hypervisors and everything that a toolstack and guests can do to them, in any order, by hypercall: what is in force
 * is never broken, and every answer is that of the policy's own words.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ACMOP_chgpolicy, ACMOP_relabeldoms } from '../abi/acm';
import { XEN_DOMCTL_createdomain, XEN_DOMCTL_destroydomain } from '../abi/domctl';
import { EVTCHNOP_alloc_unbound, EVTCHNOP_bind_interdomain } from '../abi/eventChannel';
import { GNTST_permission_denied, GNTTABOP_map_grant_ref } from '../abi/grantTable';
import { DOMID_SELF, type Gref, hypercall } from '../abi/xen';
import { ok, type TestGuest, TestHypervisor } from '../hypervisor/testing';
import { errno } from '../lib/errno';
import { AcmHooks } from './acmHooks';
import { channelsOf } from './acmOp';
import { naive, policies } from './arbitrary.testkind';
import { numberPolicy, ssidref } from './numbering';
import { compilePolicy } from './policyBinary';
import type { AcmPolicy } from './policyModel';
import { writePolicy } from './policyWriter';
import { readPolicy } from './policyXml';
import { buffer, fillBuffers, words, xsmOp } from './xsmOp.testkind';

const KERNEL = new Uint8Array(4);
const compiled = (policy: AcmPolicy) => compilePolicy(readPolicy(writePolicy(policy)));

class Machine {
  readonly hooks: AcmHooks;
  readonly host: TestHypervisor;
  readonly guests = new Map<number, TestGuest>();
  #nextGref = 8;

  constructor(public policy: AcmPolicy) {
    this.hooks = new AcmHooks({ modules: [KERNEL, compiled(policy)], ssidrefOption: undefined });
    this.host = new TestHypervisor({ hooks: this.hooks, dom0MiB: 32 });
  }

  labelOf(domid: number): string {
    return numberPolicy(this.policy).vmLabels[this.hooks.ssidrefOf(domid) & 0xffff]!;
  }

  get domids(): readonly number[] {
    return this.hooks.state.domains().map(({ domid }) => domid);
  }

  pick(n: number): TestGuest | undefined {
    const all = [...this.guests.values()];
    return all[n % Math.max(1, all.length)];
  }

  reference(label: string): number {
    const row = numberPolicy(this.policy).vmLabels.indexOf(label);
    return ssidref(row, row);
  }

  start(label: string): TestGuest | undefined {
    const expected = naive(this.policy).mayRun(
      label,
      this.domids.map((domid) => this.labelOf(domid)),
    );
    const ref = this.reference(label);
    if (!expected) {
      const { result } = this.host.dom0.domctl(XEN_DOMCTL_createdomain, 0, (u) => u.setUint32(0, ref, true));
      expect(result).toBe(-errno.ENOMEM);
      return undefined;
    }
    const guest = this.host.createGuest({ pages: 8, ssidref: ref });
    this.guests.set(guest.domid, guest);
    return guest;
  }

  end(guest: TestGuest): void {
    ok(this.host.dom0.domctl(XEN_DOMCTL_destroydomain, guest.domid));
    this.guests.delete(guest.domid);
  }

  mayShare(a: TestGuest, b: TestGuest): boolean {
    return naive(this.policy).share(this.labelOf(a.domid), this.labelOf(b.domid));
  }

  bind(a: TestGuest, b: TestGuest): boolean {
    const offer = a.callWith(hypercall.event_channel_op, EVTCHNOP_alloc_unbound, [DOMID_SELF | (b.domid << 16), 0]);
    expect(offer.result).toBe(this.mayShare(a, b) ? 0 : -errno.EACCES);
    if (offer.result !== 0) return false;
    const port = offer.words[1]!;
    expect(b.callWith(hypercall.event_channel_op, EVTCHNOP_bind_interdomain, [a.domid, port, 0]).result).toBe(0);
    return true;
  }

  /** `a` grants a page to `b`, which maps it. */
  map(a: TestGuest, b: TestGuest): boolean {
    const gref = this.#nextGref++;
    const { grants } = a.domain;
    grants.setFrame(gref as Gref, a.domain.space.p2m.get(3)!);
    const page = this.host.hv.memory.bytes(grants.frames[0]!);
    new DataView(page.buffer, page.byteOffset).setUint16(8 * gref + 2, b.domid, true);
    grants.setFlags(gref as Gref, 1);
    const mapped = b.callWith(hypercall.grant_table_op, GNTTABOP_map_grant_ref, [0, 0, 1, gref, a.domid, 0, 0, 0], 1);
    const status = mapped.view.getInt16(18, true);
    expect(status).toBe(this.mayShare(a, b) ? 0 : GNTST_permission_denied);
    return status === 0;
  }

  relabel(guest: TestGuest, ref: number): void {
    const { dom0 } = this.host;
    const map = buffer(dom0, words(guest.domid, ref));
    const errors = dom0.alloc(160);
    xsmOp(dom0, ACMOP_relabeldoms, (fields) => fillBuffers(fields, [map, 8], [errors, 160]));
  }

  change(next: AcmPolicy, changes: readonly number[]): void {
    const { dom0 } = this.host;
    const bytes = compiled(next);
    const [policy, list, errors] = [buffer(dom0, bytes), buffer(dom0, words(...changes, 0)), dom0.alloc(160)];
    const before = this.#everything();
    const { result } = xsmOp(dom0, ACMOP_chgpolicy, (fields) =>
      fillBuffers(fields, [policy, bytes.length], [list, 0], [list, 4 * changes.length], [errors, 160]),
    );
    if (result === 0) this.policy = next;
    else expect(this.#everything()).toBe(before);
  }

  #everything(): string {
    const { state } = this.hooks;
    const domains = state.domains().map(({ domid, ssidref: ref }) => `${domid}:${ref}`);
    return [
      state.policy.name,
      state.policy.minor,
      ...domains,
      ...state.wall.running,
      '-',
      ...state.wall.aggregate,
    ].join();
  }

  /** Nothing that runs, is bound or is mapped is against the policy in force. */
  check(): void {
    const { share, mayRun } = naive(this.policy);
    const channels = channelsOf(this.host);
    const labels = this.domids.map((domid) => this.labelOf(domid));
    labels.forEach((label, at) => {
      expect(
        mayRun(
          label,
          labels.filter((_, other) => other !== at),
        ),
      ).toBe(true);
      const domid = this.domids[at]!;
      for (const peer of [...channels.evtchnPeers(domid), ...channels.grantPeers(domid)])
        if (this.domids.includes(peer)) expect(share(label, this.labelOf(peer))).toBe(true);
    });
  }
}

it('no order of what toolstacks and guests do on two hosts breaks the policy of either', () => {
  const step = fc.record({
    kind: fc.constantFrom('start', 'start', 'start', 'end', 'bind', 'map', 'relabel', 'change', 'migrate', 'migrate'),
    host: fc.nat({ max: 1 }),
    a: fc.nat(),
    b: fc.nat(),
  });
  const seen = new Set<string>();
  const scenario = fc.record({
    all: fc.array(policies(5), { minLength: 2, maxLength: 4 }),
    isSame: fc.boolean(),
    steps: fc.array(step, { maxLength: 40, size: 'max' }),
  });
  fc.assert(
    fc.property(scenario, ({ all, isSame, steps }) => {
      const machines = [new Machine(all[0]!), new Machine(all[isSame ? 0 : 1]!)] as const;
      for (const { kind, host, a, b } of steps) {
        const here = machines[host]!;
        const there = machines[1 - host]!;
        const labels = numberPolicy(here.policy).vmLabels.slice(1);
        const [one, two] = [here.pick(a), here.pick(b)];
        if (kind === 'start') seen.add(here.start(labels[a % labels.length]!) ? 'started' : 'not started');
        else if (kind === 'change') {
          const before = here.policy;
          here.change(all[a % all.length]!, b % 2 === 0 ? [] : [1 + (b % 5), 1 + (a % 5)]);
          seen.add(here.policy === before ? 'not changed' : 'changed');
        } else if (!one || !two) continue;
        else if (kind === 'end') here.end(one);
        else if (kind === 'bind') seen.add(here.bind(one, two) ? 'bound' : 'not bound');
        else if (kind === 'map') seen.add(one === two || here.map(one, two) ? 'mapped' : 'not mapped');
        else if (kind === 'relabel') here.relabel(one, here.reference(labels[b % labels.length]!));
        else if (numberPolicy(there.policy).vmLabels.includes(here.labelOf(one.domid))) {
          // The other host takes it first; whoever is refused stays where it is.
          const moved = there.start(here.labelOf(one.domid));
          if (moved) here.end(one);
          seen.add(moved ? 'moved' : 'not moved');
        }
        for (const machine of machines) machine.check();
      }
      for (const { host } of machines) expect(host.faults).toEqual([]);
    }),
    { numRuns: 200, seed: 11 },
  );
  // The property says nothing unless both answers came up.
  const both = (word: string) => [word, `not ${word}`];
  expect([...seen].sort()).toEqual(['bound', 'changed', 'mapped', 'moved', 'started'].flatMap(both).sort());
});
