import { describe, expect, it } from 'vitest';
import { SYSCTL_SIZE, sysctl, XEN_SYSCTL_INTERFACE_VERSION, XEN_SYSCTL_readconsole } from '../abi/sysctl';
import { hypercall, VIRQ_CON_RING } from '../abi/xen';
import { ConsoleRing } from './consoleRing';
import { TestHypervisor } from './testing';

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const bytes = (line: string) => new TextEncoder().encode(line);

describe('the console ring', () => {
  it('keeps the newest bytes of a power of two', () => {
    const ring = new ConsoleRing(20000);
    expect(ring.size).toBe(16384);
    ring.write(bytes('old'));
    ring.write(new Uint8Array(16384 - 2).fill(46));
    const { bytes: kept, index } = ring.read(1e6);
    expect([kept.length, text(kept).slice(0, 3), index]).toEqual([16384, 'ld.', 16385]);
  });

  it('goes on from an index, and from the oldest byte when that is gone', () => {
    const ring = new ConsoleRing();
    ring.write(bytes('one '));
    const first = ring.read(100);
    ring.write(bytes('two'));
    expect(text(ring.read(100, first.index).bytes)).toBe('two');
    ring.clear(first.index);
    expect(text(ring.read(100).bytes)).toBe('two');
    expect(text(ring.read(100, 0).bytes)).toBe('two');
    expect(text(ring.read(2).bytes)).toBe('tw');
  });
});

describe('xm dmesg', () => {
  function readConsole(host: TestHypervisor, clear = 0, incremental = 0, index = 0) {
    const { dom0 } = host;
    const buffer = 0x4090_0000;
    const va = dom0.alloc(SYSCTL_SIZE);
    const view = dom0.view(va);
    view.setUint32(sysctl.cmd, XEN_SYSCTL_readconsole, true);
    view.setUint32(sysctl.interface_version, XEN_SYSCTL_INTERFACE_VERSION, true);
    view.setUint8(sysctl.u, clear);
    view.setUint8(sysctl.u + 1, incremental);
    view.setUint32(sysctl.u + 4, index, true);
    view.setBigUint64(sysctl.u + 8, BigInt(buffer), true);
    view.setUint32(sysctl.u + 16, 32768, true);
    expect(dom0.call(hypercall.sysctl, va)).toBe(0);
    const count = view.getUint32(sysctl.u + 16, true);
    return { text: text(dom0.domain.space.read(buffer, count)), index: view.getUint32(sysctl.u + 4, true) };
  }

  it('shows the whole ring, clears it when asked to, and reads on incrementally', () => {
    const host = new TestHypervisor();
    const whole = readConsole(host);
    expect(whole.text).toContain('(XEN) Command line: \n');
    expect(whole.text.startsWith(' __  __ ')).toBe(true);
    host.hv.console.print('more');
    expect(readConsole(host, 0, 1, whole.index).text).toBe('(XEN) more\n');
    expect(readConsole(host, 1).text).toBe(`${whole.text}(XEN) more\n`);
    expect(readConsole(host).text).toBe('');
  });

  it('is announced by VIRQ_CON_RING', () => {
    const host = new TestHypervisor();
    const { words } = host.dom0.callWith(hypercall.event_channel_op, 1, [VIRQ_CON_RING, 0, 0]);
    host.hv.console.print('more');
    expect(host.dom0.domain.sharedInfo.isPending(words[2]!)).toBe(true);
  });

  it("has Domain-0's own output only with console_to_ring", () => {
    const write = (host: TestHypervisor) => {
      const va = host.dom0.alloc(8);
      host.dom0.cpu.page(va).set(bytes('hello\n'), va % 4096);
      expect(host.dom0.call(hypercall.console_io, 0, 6, va)).toBe(0);
      expect(host.serial.endsWith('hello\n')).toBe(true);
      return readConsole(host).text.includes('hello');
    };
    expect(write(new TestHypervisor())).toBe(false);
    expect(write(new TestHypervisor({ commandLine: 'console_to_ring' }))).toBe(true);
  });
});

describe('log levels', () => {
  it('hide information unless loglvl says otherwise', () => {
    expect(new TestHypervisor().serial).not.toContain('Initializing CPU#0');
    const { serial } = new TestHypervisor({ commandLine: 'loglvl=all guest_loglvl=all' });
    expect(serial).toContain('(XEN) Initializing CPU#0\n');
    expect(serial).toContain('(XEN) Std. Loglevel: All\n(XEN) Guest Loglevel: All\n');
  });

  it('let guests cause ten lines at once and then one in five seconds', () => {
    const host = new TestHypervisor();
    const { console } = host.hv;
    const count = () => host.serial.split('guest trouble').length - 1;
    for (let n = 0; n < 20; n++) console.printGuest('guest trouble');
    expect(count()).toBe(10);
    host.advance(5e9);
    console.printGuest('guest trouble');
    console.printGuest('guest trouble');
    expect(count()).toBe(11);
    expect(host.serial).toContain('(XEN) printk: 10 messages suppressed.\n');
  });

  it('put a time stamp on every line when asked to', () => {
    const { serial } = new TestHypervisor({ commandLine: 'console_timestamps' });
    expect(serial).toContain('(XEN) [2008-01-10 21:20:00] Brought up 2 CPUs\n');
  });
});
