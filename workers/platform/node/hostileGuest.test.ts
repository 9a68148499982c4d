import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type GuestCpu, PageFault, VIRT_BASE } from '../../abi/cpu';
import { EVTCHNOP_alloc_unbound, EVTCHNOP_send } from '../../abi/eventChannel';
import { encode, XS_WRITE } from '../../abi/io/xsWire';
import { DOMID_SELF, hypercall } from '../../abi/xen';
import type { Domain } from '../../hypervisor/domain';
import { type Random, seeded } from '../../lib/random';
import { GuestConsole } from './guestConsole';
import { kernelOf } from './machineCode';
import { type BootedHost, bootedHost, traces } from './testing';

const ACTIONS = 400;
/** Frames that hold rings, buffers, and what hypercalls are given. */
const PAGES = 8;
const FIRST_GREF = 8;
const STORE_PORT = 1;

/**
 * A domain without a kernel: it stays paused, and the test does what its kernel would do, by hypercall and by writing its
 * own memory. Its devices are connected like anybody's.
 */
class Hostile {
  readonly domain: Domain;
  readonly cpu: GuestCpu;
  readonly ports: number[] = [1, 2];
  readonly #base: number;
  readonly #first: number;

  constructor(
    readonly booted: BootedHost,
    readonly random: Random,
    readonly domid: number,
  ) {
    const { hypervisor } = booted.host.host;
    this.domain = hypervisor!.domains().find((each) => each.domid === domid)!;
    this.cpu = hypervisor!.guestCpu(this.domain);
    this.#base = this.domain.isTranslated ? 0 : VIRT_BASE;
    this.#first = this.domain.totPages - 64;
  }

  get isAlive(): boolean {
    return !this.domain.isDying && !this.domain.isShutDown;
  }

  va(page: number): number {
    return this.#base + (this.#first + page) * 4096;
  }

  bytes(page: number): Uint8Array {
    return this.cpu.page(this.va(page));
  }

  view(page: number): DataView {
    const bytes = this.bytes(page);
    return new DataView(bytes.buffer, bytes.byteOffset, 4096);
  }

  /** The page that the toolstack has chosen for the ring of console or xenstore. */
  async ring(kind: 'console' | 'store'): Promise<Uint8Array> {
    const { output } = await this.booted.exec(`xenstore-read /local/domain/${this.domid}/${kind}/ring-ref`);
    const frame = Number(output);
    if (this.domain.isTranslated) return this.cpu.page(frame * 4096);
    let pfn = 0;
    while (this.cpu.mfnOf(pfn) !== frame) pfn++;
    return this.cpu.page(VIRT_BASE + pfn * 4096);
  }

  grant(ref: number, flags: number, frame: number): void {
    const { grants } = this.domain;
    const bytes = this.booted.host.host.hypervisor!.memory.bytes(grants.frames[0]!);
    const view = new DataView(bytes.buffer, bytes.byteOffset + 8 * ref, 8);
    view.setUint16(2, 0, true);
    view.setUint32(4, frame, true);
    view.setUint16(0, flags, true);
  }

  frame(page: number): number {
    return this.domain.isTranslated ? this.#first + page : this.cpu.mfnOf(this.#first + page)!;
  }

  allocPort(): number {
    const argument = this.view(PAGES);
    argument.setUint16(0, DOMID_SELF, true);
    argument.setUint16(2, 0, true);
    expect(this.cpu.hypercall(0, hypercall.event_channel_op, EVTCHNOP_alloc_unbound, this.va(PAGES))).toBe(0);
    this.ports.push(argument.getUint32(4, true));
    return this.ports.at(-1)!;
  }

  kick(port: number): void {
    this.view(PAGES).setUint32(0, port, true);
    if (this.isAlive) this.cpu.hypercall(0, hypercall.event_channel_op, EVTCHNOP_send, this.va(PAGES));
  }

  /** Writes its part of the devices' directories, as a frontend that begins honestly. */
  async connect(): Promise<void> {
    for (let page = 0; page < PAGES; page++) this.grant(FIRST_GREF + page, 1, this.frame(page));
    const device = (kind: string) => `/local/domain/${this.domid}/device/${kind}`;
    const write = (entries: Readonly<Record<string, string | number>>) =>
      this.booted.exec(
        Object.entries(entries)
          .map(([path, value]) => `xenstore-write ${path} ${value}`)
          .join('; '),
      );
    const [disk, network] = [this.allocPort(), this.allocPort()];
    const [vbd, vif] = [`${device('vbd')}/2049`, `${device('vif')}/0`];
    await write({ [`${vbd}/ring-ref`]: FIRST_GREF, [`${vbd}/event-channel`]: disk, [`${vbd}/state`]: 3 });
    await write({ [`${vif}/tx-ring-ref`]: FIRST_GREF + 1, [`${vif}/rx-ring-ref`]: FIRST_GREF + 2 });
    await write({ [`${vif}/event-channel`]: network, [`${vif}/request-rx-copy`]: 1, [`${vif}/state`]: 4 });
    await this.booted.advance(20);
    const states = await this.booted.exec(
      `for d in vbd/${this.domid}/2049 vif/${this.domid}/0; do xenstore-read /local/domain/0/backend/$d/state; done`,
    );
    expect(states.output).toBe('4\n4\n');
  }

  /** One thing that no kernel would do, or not like this. */
  act(rings: readonly Uint8Array[]): void {
    const { random } = this;
    const ring = () => rings[random.below(rings.length)]!;
    const target = random.below(3) === 0 ? ring() : this.bytes(random.below(PAGES));
    switch (random.below(10)) {
      case 0:
        // Noise all over a page.
        for (let at = random.below(4096); at < 4096; at += 1 + random.below(200)) target[at] = random.u32();
        break;
      case 1:
      case 2:
      case 3:
        this.#poke(target);
        break;
      case 4:
        // A plausible number of new requests, in both of a ring's producers.
        this.view(random.below(3)).setUint32(0, random.below(300), true);
        break;
      case 5:
        this.grant(FIRST_GREF + random.below(PAGES), random.below(32), this.#anyFrame());
        break;
      case 6:
        this.#say(rings[1]!);
        break;
      case 7:
        this.#hypercall();
        break;
      default:
        this.kick(this.ports[random.below(this.ports.length)]!);
    }
  }

  /** One word: an index, a reference, a length, or anything. */
  #poke(target: Uint8Array): void {
    const { random } = this;
    const value = [random.u32(), random.below(40), FIRST_GREF + random.below(PAGES), random.below(8192)];
    const at = [4 * random.below(1024), 4 * random.below(16), 64 + 4 * random.below(120), 2048 + 4 * random.below(260)];
    new DataView(target.buffer, target.byteOffset, 4096).setUint32(
      at[random.below(4)]! & 4092,
      value[random.below(4)]!,
      true,
    );
  }

  #anyFrame(): number {
    const { random } = this;
    return [this.frame(random.below(PAGES)), random.below(1 << 19), random.u32(), 0][random.below(4)]!;
  }

  /** A message to xenstored that it can read: the state of a device, or nonsense. */
  #say(ring: Uint8Array): void {
    const { random } = this;
    const text = (length: number) => Uint8Array.from({ length }, () => random.below(256));
    const key = ['device/vbd/2049/state', 'device/vif/0/state', 'device/vbd/2049/ring-ref', 'data/x'][random.below(4)]!;
    const value = ['1', '3', '4', '5', '6', '99', '-1', ''][random.below(8)]!;
    const payload = random.below(3) === 0 ? text(random.below(60)) : new TextEncoder().encode(`${key}\0${value}`);
    const type = random.below(3) === 0 ? random.below(22) : XS_WRITE;
    const view = new DataView(ring.buffer, ring.byteOffset, 4096);
    let produced = view.getUint32(2052, true);
    for (const byte of encode({ type, reqId: random.u32(), txId: random.below(3), payload })) {
      ring[produced & 1023] = byte;
      produced = (produced + 1) >>> 0;
    }
    view.setUint32(2052, produced, true);
    this.kick(STORE_PORT);
  }

  #hypercall(): void {
    const { random } = this;
    if (!this.isAlive) return;
    const argument = this.view(PAGES + 1);
    for (let at = 0; at < 64; at += 4)
      argument.setUint32(at, [random.u32(), random.below(16), this.#anyFrame(), DOMID_SELF][random.below(4)]!, true);
    const op = [
      hypercall.memory_op,
      hypercall.grant_table_op,
      hypercall.event_channel_op,
      hypercall.hvm_op,
      hypercall.vcpu_op,
      hypercall.xen_version,
      hypercall.mmu_update,
      hypercall.domctl,
      random.below(64),
    ][random.below(9)]!;
    // Its own end would be the end of the test.
    if (op === hypercall.sched_op || op === hypercall.sched_op_compat || op === hypercall.multicall) return;
    const pointer = () => [this.va(PAGES + 1), random.u32(), 0][random.below(3)]!;
    this.cpu.hypercall(0, op, random.below(14), pointer(), 1 + random.below(3), pointer());
  }
}

const kinds = [
  { kind: 'a paravirtual domain', kernel: 'kernel=/boot/vmlinuz-2.6.18-xenU memory=16' },
  { kind: 'a translated domain', kernel: 'kernel=/boot/hostile memory=4' },
];

describe('a hostile guest', { timeout: 120_000 }, () => {
  let booted: BootedHost;
  let neighbour: GuestConsole;
  let before: unknown;
  beforeAll(async () => {
    booted = await bootedHost({});
    await booted.host.writeFile('/boot/hostile', kernelOf([0xeb, 0xfe]));
    const { status, output } = await booted.exec('xm create /etc/xen/linux');
    if (status !== 0) throw new Error(output);
    neighbour = await GuestConsole.linux(booted, 'linux');
    await neighbour.run('until ip addr show eth0 | grep -q "inet "; do sleep 1; done');
    await neighbour.run('md5sum /bin/busybox > /root/sum');
    before = await traces(booted);
  }, 120_000);
  afterAll(() => booted.close());

  it.each(kinds.flatMap((each) => [1, 2, 3, 4].map((seed) => ({ ...each, seed }))))(
    '$kind harms nobody but itself (seed $seed)',
    async ({ kernel, seed }) => {
      const created = await booted.exec(
        `xm create -p -q /dev/null ${kernel} name=hostile disk=phy:hda5,sda1,w vif=mac=00:16:3e:00:00:66`,
      );
      expect(created.output).toBe('');
      const domid = Number((await booted.exec('xm domid hostile')).output);
      const hostile = new Hostile(booted, seeded(seed), domid);
      await hostile.connect();
      const rings = [await hostile.ring('console'), await hostile.ring('store')];
      for (let n = 0; n < ACTIONS && hostile.isAlive; n++) {
        try {
          hostile.act(rings);
        } catch (error) {
          // It has given away the page that it wants to use.
          if (!(error instanceof PageFault)) throw error;
        }
        if (n % 4 === 0) await booted.advance(1);
      }
      // The neighbour's processor, disk, network, console and store.
      const { output } = await neighbour.run(
        'sync; echo 3 > /proc/sys/vm/drop_caches; md5sum -c /root/sum; ping -c 1 192.0.2.1; echo ok > /root/probe; sync; cat /root/probe',
      );
      expect(output).toMatch(/^\/bin\/busybox: OK\n(.*\n)*.* 0% packet loss\n(.*\n)*ok\n$/);
      expect((await booted.exec('xenstore-read /local/domain/1/name; xm list linux')).output).toMatch(/^linux\n/);
      await booted.exec('xm destroy hostile');
      await booted.advance(1_000);
      expect(await traces(booted)).toEqual(before);
      expect(booted.bugs).toEqual([]);
    },
  );
});
