import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EVTCHNOP_alloc_unbound, EVTCHNOP_bind_interdomain, EVTCHNOP_send, EVTCHNOP_unmask } from '../abi/eventChannel';
import { SCHEDOP_poll } from '../abi/sched';
import { DOMID_SELF, hypercall, type Port } from '../abi/xen';
import { RUNSTATE_blocked } from './schedUnit';
import { failure, ok, type TestGuest, TestHypervisor } from './testing';

const evtchn = hypercall.event_channel_op;

interface Step {
  readonly who: number;
  readonly command: number;
  readonly words: readonly number[];
}

const small = fc.nat({ max: 12 });
const domids = fc.constantFrom(0, 1, 2, 3, DOMID_SELF);
const step: fc.Arbitrary<Step> = fc.record({
  who: fc.nat({ max: 2 }),
  command: fc.nat({ max: 10 }),
  words: fc.tuple(fc.oneof(small, domids), small, fc.constant(0)).map(([a, b, c]) => [a, b, c]),
});
/** alloc_unbound packs two domain ids into its first word. */
const offer = fc
  .tuple(fc.nat({ max: 2 }), domids, domids)
  .map(([who, dom, remote]): Step => ({ who, command: EVTCHNOP_alloc_unbound, words: [dom | (remote << 16), 0, 0] }));

function checkInvariants(guests: readonly TestGuest[]): void {
  for (const { domain, domid } of guests) {
    for (let port = 1; port < domain.evtchns.size; port++) {
      const channel = domain.evtchns.at(port);
      if (channel.state === 'free') expect(domain.sharedInfo.isPending(port)).toBe(false);
      if (channel.state === 'interdomain') {
        const peer = guests.find((guest) => guest.domid === channel.remoteDomid)!.domain.evtchns.at(channel.remotePort);
        expect(peer).toMatchObject({ state: 'interdomain', remoteDomid: domid, remotePort: port });
      }
      if (channel.state === 'virq') expect(domain.vcpus.map((v) => v.virqToPort[channel.virq])).toContain(port);
      const isDeliverable = domain.sharedInfo.isPending(port) && !domain.sharedInfo.isMasked(port);
      if (isDeliverable && 'notifyVcpu' in channel) {
        const told = domain.vcpus.some((vcpu) => vcpu.isUpcallPending);
        expect(told).toBe(true);
      }
    }
    for (const vcpu of domain.vcpus) {
      for (const [virq, port] of vcpu.virqToPort.entries()) {
        if (port !== 0) expect(domain.evtchns.at(port)).toMatchObject({ state: 'virq', virq });
      }
    }
  }
}

describe('event channels', () => {
  it('stay consistent with their peers whatever is done with them', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(step, offer), { maxLength: 60 }), (steps) => {
        const host = new TestHypervisor({ memoryMiB: 32, dom0MiB: 10 });
        const guests = [host.dom0, host.createGuest({ pages: 16, vcpus: 2 }), host.createGuest({ pages: 16 })];
        const places = guests.map((guest) => guest.alloc(24));
        for (const { who, command, words } of steps) {
          const guest = guests[who]!;
          const view = guest.view(places[who]!);
          words.forEach((word, i) => {
            view.setUint32(4 * i, word, true);
          });
          guest.call(evtchn, command, places[who]!);
        }
        checkInvariants(guests);
      }),
      { numRuns: 60 },
    );
  });

  it('are handed out lowest first, from port 1 to port 1023', () => {
    const { dom0 } = new TestHypervisor();
    const alloc = () => dom0.callWith(evtchn, EVTCHNOP_alloc_unbound, [DOMID_SELF, 0]);
    for (let port = 1; port < 1024; port++) expect(ok(alloc()).words[1]).toBe(port);
    expect(failure(alloc().result)).toBe('ENOSPC');
  });

  it('notify once: a second event before the first is taken is lost, a masked one is kept', () => {
    const host = new TestHypervisor();
    const guest = host.createGuest();
    const port = ok(guest.callWith(evtchn, EVTCHNOP_alloc_unbound, [DOMID_SELF, 0])).words[1]! as Port;
    const bound = ok(host.dom0.callWith(evtchn, EVTCHNOP_bind_interdomain, [guest.domid, port, 0]));
    const local = bound.words[2]!;
    // Lest a notification sent before the binding be lost.
    expect(host.dom0.domain.sharedInfo.isPending(local)).toBe(true);
    host.advance(1e6);
    const { sharedInfo, vcpus } = guest.domain;
    const send = () => ok(host.dom0.callWith(evtchn, EVTCHNOP_send, [local]));
    sharedInfo.setMask(port);
    send();
    expect([sharedInfo.isPending(port), vcpus[0]!.isUpcallPending]).toEqual([true, false]);
    ok(guest.callWith(evtchn, EVTCHNOP_unmask, [port]));
    expect(vcpus[0]!.isUpcallPending).toBe(true);
    vcpus[0]!.isUpcallPending = false;
    send();
    expect(vcpus[0]!.isUpcallPending).toBe(false);
  });

  it('end a poll even when they are masked', () => {
    const host = new TestHypervisor();
    const guest = host.createGuest({ script: (_, __, budget) => budget });
    const port = ok(guest.callWith(evtchn, EVTCHNOP_alloc_unbound, [DOMID_SELF, 0])).words[1]! as Port;
    guest.domain.sharedInfo.setMask(port);
    const list = guest.alloc(4);
    guest.view(list).setUint32(0, port, true);
    let polls = 0;
    guest.script = (self, _vcpu, budget) => {
      if (polls++ > 0) return budget;
      ok(self.callWith(hypercall.sched_op, SCHEDOP_poll, [list, 1, 0, 0]));
      return 1000;
    };
    host.advance(5e6);
    expect(guest.domain.vcpus[0]!.unit.state).toBe(RUNSTATE_blocked);
    const local = ok(host.dom0.callWith(evtchn, EVTCHNOP_bind_interdomain, [guest.domid, port, 0])).words[2]!;
    ok(host.dom0.callWith(evtchn, EVTCHNOP_send, [local]));
    host.advance(1e6);
    expect(polls).toBeGreaterThan(1);
  });
});
