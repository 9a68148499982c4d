import { expect, it } from 'vitest';
import { VIRT_BASE } from '../abi/cpu';
import { XEN_DOMCTL_destroydomain } from '../abi/domctl';
import { DOMID_SELF, hypercall } from '../abi/xen';
import { seeded } from '../lib/random';
import type { Domain } from './domain';
import { hypercalls } from './hypercalls';
import { ok, type TestGuest, TestHypervisor } from './testing';

const CALLS_PER_ROUND = 1000;
/** Hypercalls of which an unprivileged guest must have made some that worked. */
const HARMLESS = ['memory_op', 'grant_table_op', 'vcpu_op', 'sched_op', 'event_channel_op'];
const KINDS = [
  { kind: 'paravirtual', isTranslated: false, rounds: 100, harmless: [...HARMLESS, 'multicall', 'update_va_mapping'] },
  { kind: 'translated', isTranslated: true, rounds: 50, harmless: [...HARMLESS, 'xen_version'] },
];
const PAGES = 64;

/** Everything of a domain that another one could want to change. */
function stateOf(domain: Domain, host: TestHypervisor): unknown {
  const { memory } = host.hv;
  const ports = Array.from({ length: domain.evtchns.size }, (_, port) => domain.evtchns.at(port));
  return {
    info: [domain.totPages, domain.maxPages, domain.xenheapPages, domain.dying, domain.isShutDown, domain.shutdownCode],
    flags: [domain.isPausedByController, domain.vmAssist, domain.target, domain.suspendPort, [...domain.handle]],
    ports,
    grants: [...domain.grants.active.entries()],
    tracks: [...domain.grants.tracks()],
    mappings: [...domain.space.mappings],
    vcpus: domain.vcpus.map(({ context, virqToPort, runstateArea, infoMfn, polling, unit }) => [
      context && checksum(context),
      [...virqToPort],
      runstateArea,
      infoMfn,
      polling,
      [unit.flags, unit.pauseCount, unit.periodNs, unit.state, [...unit.affinity]],
    ]),
    memory: memory
      .framesOf(domain.domid)
      .map((mfn) => [mfn, memory.m2p[mfn], memory.refsOf(mfn), checksum(memory.peek(mfn))]),
    p2m: Array.from({ length: domain.space.p2m.length }, (_, pfn) => domain.space.p2m.get(pfn)),
  };
}

function checksum(bytes: Uint8Array | undefined): number {
  let sum = 0;
  for (const byte of bytes ?? []) sum = (Math.imul(sum, 31) + byte) | 0;
  return sum;
}

it.each(KINDS)(
  'a $kind guest that makes tens of thousands of random hypercalls harms no other domain',
  (fuzzed) => {
    const { isTranslated, rounds, harmless } = fuzzed;
    const host = new TestHypervisor({ memoryMiB: 64, dom0MiB: 10 });
    const other = host.createGuest({ pages: PAGES });
    other.cpu.page(VIRT_BASE + 4096).fill(0xa5);
    const random = seeded(42);
    const done = new Map<string, number>();
    const { memory } = host.hv;
    const free = memory.freePages;
    const started = performance.now();
    // A guest that has given its memory away or shut down tells little: take a new one now and then.
    for (let round = 0; round < rounds; round++) {
      const guest = host.createGuest({ pages: PAGES, vcpus: 3, isTranslated });
      host.advance(10e6);
      const before = [host.dom0, other].map(({ domain }) => stateOf(domain, host));
      const fuzz = new Fuzz(host, guest, other, random, done);
      for (let n = 0; n < CALLS_PER_ROUND; n++) {
        fuzz.call();
        if (n % 100 === 0) host.advance(1e5);
      }
      expect([host.dom0, other].map(({ domain }) => stateOf(domain, host))).toEqual(before);
      ok(host.dom0.domctl(XEN_DOMCTL_destroydomain, guest.domid));
      expect(host.hv.findDomain(guest.domid)).toBeUndefined();
      host.advance(10e6);
      expect(memory.freePages).toBe(free);
    }
    expect(host.faults).toEqual([]);
    // They were not all refused at the door.
    const succeeded = hypercalls.filter(({ name }) => done.get(name)).map(({ name }) => name);
    expect(succeeded).toEqual(expect.arrayContaining(harmless));
    expect(performance.now() - started).toBeLessThan(20_000);
  },
  30_000,
);

class Fuzz {
  constructor(
    readonly host: TestHypervisor,
    readonly guest: TestGuest,
    readonly other: TestGuest,
    readonly random: { u32(): number; below(limit: number): number },
    /** Name → how many calls were not refused. */
    readonly done: Map<string, number>,
  ) {}

  call(): void {
    const { guest, random } = this;
    const row = hypercalls[random.below(hypercalls.length)]!;
    const op = random.below(50) === 0 ? random.u32() : row.number;
    const args = Array.from({ length: 6 }, () => this.value(true));
    if (random.below(2) === 0) args[0] = random.below(18);
    if (random.below(3) > 0) args[op === hypercall.vcpu_op ? 2 : 1] = this.structure();
    if (op === hypercall.grant_table_op && random.below(3) > 0) args[2] = 1 + random.below(2);
    if (op === hypercall.vcpu_op && random.below(3) > 0) args[1] = random.below(3);
    if (op === hypercall.multicall) args[0] = this.structure();
    if (op === hypercall.multicall) args[1] = random.below(20);
    const result = guest.cpu.hypercall(random.below(guest.domain.vcpus.length), op, ...args);
    expect(Number.isInteger(result)).toBe(true);
    if (result >= 0) this.done.set(row.name, (this.done.get(row.name) ?? 0) + 1);
  }

  /** Small numbers, ids, frames of all owners, addresses of structures filled with the same. */
  value(withStructures: boolean): number {
    const { random, guest, other, host } = this;
    switch (random.below(withStructures ? 14 : 10)) {
      case 0:
        return random.u32();
      case 1:
        return random.below(64);
      case 2:
        return [0, 1, 2, 3, DOMID_SELF, 0x7ff1, 0x7ff2, 0x7fff][random.below(8)]!;
      case 3:
        return guest.cpu.mfnOf(random.below(PAGES)) ?? 0;
      case 4:
        return other.cpu.mfnOf(random.below(PAGES)) ?? 0;
      case 5:
        return [guest, other, host.dom0][random.below(3)]!.domain.sharedInfoMfn;
      case 6:
        return (random.below(host.hv.memory.frames) << 12) | random.below(8);
      case 7:
        return 0x0040_0000 + random.below(32) * 4096;
      case 8:
        return random.below(4);
      case 9:
        return VIRT_BASE + random.below(PAGES * 4096 + 8192);
      default:
        return this.structure();
    }
  }

  /** Twelve words of plausible nonsense, sometimes at the very end of the guest's memory. */
  structure(): number {
    const { random, guest } = this;
    const page = random.below(PAGES);
    const va = VIRT_BASE + page * 4096 + (random.below(4) === 0 ? 4096 - 4 * random.below(12) : 4 * random.below(1000));
    for (let i = 0; i < 12; i++) {
      const at = va + 4 * i;
      if (guest.domain.space.mfnAt(at) === undefined) break;
      const kind = random.below(4);
      const value = kind === 0 ? this.pair() : kind === 1 ? random.below(4) : this.value(false);
      guest.view(at).setUint32(0, value, true);
    }
    return va;
  }

  /** Two 16-bit fields. */
  pair(): number {
    return ((this.value(false) & 0xffff) | (this.value(false) << 16)) >>> 0;
  }
}
