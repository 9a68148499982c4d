import { describe, expect, it } from 'vitest';
import { VIRT_BASE } from '../abi/cpu';
import { XEN_DOMCTL_destroydomain, XEN_DOMCTL_getdomaininfo, XEN_DOMCTL_pausedomain } from '../abi/domctl';
import { makePte, PAGE_PRESENT, PAGE_RW } from '../abi/mmu';
import { SCHEDOP_block, SCHEDOP_shutdown } from '../abi/sched';
import { vcpuInfo, vcpuTimeInfo } from '../abi/sharedInfo';
import { SIF_INITDOMAIN, SIF_PRIVILEGED, startInfo } from '../abi/startInfo';
import { userRegs, vcpuGuestContext } from '../abi/vcpu';
import { type Domid, hypercall, VIRQ_DOM_EXC, VIRQ_TIMER } from '../abi/xen';
import { failure, idle, ok, TestHypervisor } from './testing';

const lines = (text: string) => text.split('\n');

describe('boot', () => {
  it('prints its messages in the order of Xen 3.4', () => {
    const { serial } = new TestHypervisor();
    const inOrder = [
      'Xen version 3.4.0',
      'Command line: ',
      'Xen-e820 RAM map:',
      'System RAM: 255MB (261756kB)',
      'Using scheduler: SMP Credit Scheduler (credit)',
      'Detected 1000.000 MHz processor.',
      'Brought up 2 CPUs',
      '*** LOADING DOMAIN 0 ***',
      'PHYSICAL MEMORY ARRANGEMENT:',
      'Dom0 has maximum 2 VCPUs',
      'Scrubbing Free RAM: ',
      'Xen trace buffers: disabled',
      'Std. Loglevel: Errors and warnings',
      'Guest Loglevel: Nothing (Rate-limited: Errors and warnings)',
      "*** Serial input -> DOM0 (type 'CTRL-a' three times to switch input to Xen)",
      'Freed 104kB init memory.',
    ].map((text) => serial.indexOf(text));
    expect(inOrder).toEqual([...inOrder].sort((a, b) => a - b));
    expect(inOrder[0]).toBeGreaterThan(0);
  });

  it('builds Domain-0 as the first, privileged domain and tells it so in start_info', () => {
    const { dom0, hv } = new TestHypervisor({ commandLine: 'xen.gz dom0_mem=32M -- quiet' });
    const esi = new DataView(dom0.domain.vcpus[0]!.context!.buffer).getUint32(
      vcpuGuestContext.user_regs + userRegs.esi,
      true,
    );
    const info = dom0.view(esi);
    expect(info.getUint32(startInfo.nr_pages, true)).toBe(32 * 256);
    expect(info.getUint32(startInfo.flags, true)).toBe(SIF_PRIVILEGED | SIF_INITDOMAIN);
    expect(info.getUint32(startInfo.shared_info, true)).toBe(dom0.domain.sharedInfoMfn * 4096);
    const text = new TextDecoder().decode(dom0.cpu.page(esi).subarray(startInfo.cmd_line, startInfo.cmd_line + 20));
    expect(text).toBe('root=/dev/sda3 quiet');
    const p2m = info.getUint32(startInfo.mfn_list, true);
    expect(dom0.view(p2m + 40).getUint32(0, true)).toBe(dom0.cpu.mfnOf(10));
    expect(hv.domains().map(({ domid }) => domid)).toEqual([0]);
  });
});

describe('a domain', () => {
  it('is created, runs, and is listed with its states', () => {
    const host = new TestHypervisor();
    const guest = host.createGuest();
    host.advance(1e6);
    const flags = () => ok(host.dom0.domctl(XEN_DOMCTL_getdomaininfo, guest.domid)).union.getUint32(4, true);
    expect(flags() & 0x7f).toBe(16);
    guest.script = (_, __, budget) => budget;
    guest.domain.vcpus[0]!.wake();
    host.advance(1e6);
    expect(flags() & 0x7f).toBe(32);
    ok(host.dom0.domctl(XEN_DOMCTL_pausedomain, guest.domid));
    expect(flags() & 8).toBe(8);
  });

  it('that shuts down keeps its memory and raises VIRQ_DOM_EXC in Domain-0', () => {
    const host = new TestHypervisor();
    const { words } = host.dom0.callWith(hypercall.event_channel_op, 1, [VIRQ_DOM_EXC, 0, 0]);
    const guest = host.createGuest({
      script: (self, vcpu) => {
        const reason = self.alloc(4);
        self.view(reason).setUint32(0, 1, true);
        self.cpu.hypercall(vcpu, hypercall.sched_op, SCHEDOP_shutdown, reason);
        return 1000;
      },
    });
    host.advance(1e6);
    expect(host.dom0.domain.sharedInfo.isPending(words[2]!)).toBe(true);
    expect(guest.domain).toMatchObject({ isShutDown: true, shutdownCode: 1, totPages: 64 });
  });

  it('crashes when its runner throws, with the lines of Xen, and takes nobody with it', () => {
    const host = new TestHypervisor();
    host.createGuest({ script: ({ cpu }) => cpu.page(VIRT_BASE - 4096)[0]! });
    const other = host.createGuest();
    host.advance(1e6);
    expect(host.serial).toContain('(XEN) Domain 1 (vcpu#0) crashed on cpu#');
    expect(host.hv.domain(1 as Domid)).toMatchObject({ isShutDown: true, shutdownCode: 3 });
    expect(other.domain.isShutDown).toBe(false);
    expect(host.faults).toHaveLength(1);
  });

  it('gives its memory back when destroyed, by way of the scrub list', () => {
    const host = new TestHypervisor();
    const { memory } = host.hv;
    const before = memory.freePages;
    const heap = memory.xenheapFreePages;
    const guest = host.createGuest({ pages: 2048 });
    expect(memory.freePages).toBe(before - 2048);
    ok(host.dom0.domctl(XEN_DOMCTL_destroydomain, guest.domid));
    expect(host.hv.findDomain(guest.domid)).toBeUndefined();
    expect([memory.freePages, memory.scrubPages, memory.xenheapFreePages]).toEqual([before - 2048, 2048, heap]);
    host.advance(10e6);
    expect([memory.freePages, memory.scrubPages]).toEqual([before, 0]);
    expect(host.createGuest().domid).toBe(2);
  });

  it('stays a zombie while Domain-0 maps one of its frames', () => {
    const host = new TestHypervisor();
    const { dom0 } = host;
    const guest = host.createGuest();
    const mfn = guest.cpu.mfnOf(3)!;
    guest.cpu.page(VIRT_BASE + 3 * 4096)[5] = 77;
    const va = 0x0050_0000;
    const map = (flags: number) =>
      dom0.call(hypercall.update_va_mapping_otherdomain, va, flags && makePte(mfn, flags), 0, 0, guest.domid);
    expect(map(PAGE_PRESENT | PAGE_RW)).toBe(0);
    expect(dom0.cpu.page(va)[5]).toBe(77);
    ok(dom0.domctl(XEN_DOMCTL_destroydomain, guest.domid));
    expect(guest.domain).toMatchObject({ dying: 'dead', totPages: 1 });
    expect(dom0.cpu.page(va)[5]).toBe(77);
    expect(map(0)).toBe(0);
    expect(host.hv.findDomain(guest.domid)).toBeUndefined();
    expect(() => dom0.cpu.page(va)).toThrow('page fault');
  });

  it('has its own time record, which turns the time stamp counter into system time', () => {
    const host = new TestHypervisor();
    const guest = host.createGuest();
    host.advance(3.5e9);
    guest.domain.vcpus[0]!.wake();
    host.advance(1e6);
    const { info } = guest.domain.vcpus[0]!;
    expect(info.getUint32(vcpuInfo.time + vcpuTimeInfo.version, true) % 2).toBe(0);
    expect(info.getBigUint64(vcpuInfo.time + vcpuTimeInfo.system_time, true)).toBe(3_000_000_000n);
    expect(guest.cpu.tsc(0)).toBe(host.clock.nowNs);
  });

  it('is woken from SCHEDOP_block by its one-shot timer', () => {
    const host = new TestHypervisor();
    const wakes: number[] = [];
    const guest = host.createGuest({
      script: (self, vcpu) => {
        wakes.push(self.cpu.tsc(vcpu));
        self.domain.vcpus[0]!.isUpcallPending = false;
        self.cpu.hypercall(vcpu, hypercall.sched_op, SCHEDOP_block, 0);
        return 1000;
      },
    });
    const { words } = guest.callWith(hypercall.event_channel_op, 1, [VIRQ_TIMER, 0, 0]);
    guest.call(hypercall.vcpu_op, 7, 0, 0);
    host.advance(1e6);
    const before = wakes.length;
    guest.call(hypercall.set_timer_op, 50_000_000, 0);
    host.advance(100e6);
    expect(guest.domain.sharedInfo.isPending(words[2]!)).toBe(true);
    expect(wakes.slice(before)).toEqual([50_000_000]);
  });
});

describe('the machine', () => {
  it('halts and reboots when Domain-0 says so', () => {
    const halt = new TestHypervisor();
    halt.dom0.callWith(hypercall.sched_op, SCHEDOP_shutdown, [0]);
    expect(halt.actions).toEqual(['halt']);
    expect(halt.serial).toContain('(XEN) Domain 0 halted: halting machine.');
    const crash = new TestHypervisor();
    crash.dom0.callWith(hypercall.sched_op, SCHEDOP_shutdown, [3]);
    expect(crash.serial).toContain('(XEN) Domain 0 crashed: rebooting machine in 5 seconds.');
    expect(crash.actions).toEqual([]);
    crash.advance(5e9);
    expect(crash.actions).toEqual(['reboot']);
  });

  it('hands typed bytes to Domain-0, and after three times Ctrl-A to the key handlers', () => {
    const host = new TestHypervisor();
    const { dom0 } = host;
    const type = (text: string) => host.hv.serialInput(new TextEncoder().encode(text));
    const read = () => {
      const va = dom0.alloc(64);
      const count = dom0.call(hypercall.console_io, 1, 64, va);
      return new TextDecoder().decode(dom0.cpu.page(va).subarray(va % 4096, (va % 4096) + count));
    };
    type('ls\r');
    expect(read()).toBe('ls\r');
    type('\x01\x01x');
    expect(read()).toBe('\x01\x01x');
    type('\x01\x01\x01h');
    expect(read()).toBe('');
    expect(lines(host.serial)).toContain("(XEN)  key 'm' (ascii '6d') => memory info");
    type('\x01\x01\x01y');
    expect(read()).toBe('y');
  });

  it('lets only Domain-0 use the toolstack hypercalls', () => {
    const host = new TestHypervisor();
    const guest = host.createGuest({ script: idle });
    const { domctl, sysctl, platform_op, console_io } = hypercall;
    for (const op of [domctl, sysctl, platform_op, console_io]) {
      expect(failure(guest.call(op, VIRT_BASE, 0, 0))).toBe('EPERM');
    }
    expect(failure(guest.call(60))).toBe('ENOSYS');
    expect(failure(guest.call(hypercall.sched_op, SCHEDOP_shutdown, 4))).toBe('EFAULT');
  });
});
