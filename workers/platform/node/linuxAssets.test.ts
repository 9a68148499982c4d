import { describe, expect, it } from 'vitest';
import type { V86Options } from '../../x86/emulator';
import type { X86Parts } from '../../x86/x86Vcpu';
import { guestImages, loadEmulator } from './guestAssets';
import { GuestConsole } from './guestConsole';
import { bootedHost, traces } from './testing';

/** A v86 that keeps a register elsewhere. */
async function movedRegisters(): Promise<X86Parts> {
  const parts = await loadEmulator();
  class Moved extends parts.V86 {
    constructor(options: V86Options) {
      super(options);
      const cpu = () => this.v86.cpu as unknown as { flags: Int32Array };
      this.add_listener('emulator-loaded', () => {
        cpu().flags = new Int32Array(cpu().flags.buffer, 124, 1);
      });
    }
  }
  return { ...parts, V86: Moved };
}

/** A later v86, whose compiler has put one of the hooked functions into its callers. */
async function anotherEmulator() {
  const parts = await loadEmulator();
  const wasmBytes = parts.wasmBytes.slice();
  wasmBytes[Buffer.from(wasmBytes).lastIndexOf('3cpu10trigger_ud')] = 0x34;
  return { ...parts, wasmBytes };
}

const NO_PROCESSOR = `Error: (1, 'Internal error', 'no x86 processor for this kernel, xm dmesg says why\\n')\n`;

describe('a host on which Linux guests cannot run', { timeout: 120_000 }, () => {
  it.each([
    {
      why: 'v86 is another one than the hooks were made for',
      assets: { x86: anotherEmulator, guestImages: guestImages() },
      message: NO_PROCESSOR,
      reason: 'this build of v86 cannot run Xen guests: not found in its WebAssembly: cpu::trigger_ud',
    },
    {
      why: 'v86 has its registers elsewhere',
      assets: { x86: movedRegisters, guestImages: guestImages() },
      message: NO_PROCESSOR,
      reason: 'not found in its WebAssembly: flags at 120',
    },
    {
      why: 'v86 cannot be had',
      assets: { x86: () => Promise.reject(new Error('offline')), guestImages: guestImages() },
      message: NO_PROCESSOR,
      reason: 'offline',
    },
    {
      why: 'an image is not what it should be',
      assets: {
        x86: loadEmulator,
        guestImages: { ...guestImages(), fetch: async () => new Uint8Array(1000) },
      },
      message: 'Error: cannot get /boot/vmlinuz-6.1-xenU: vmlinuz-6.1-xenU is not what it should be (wrong hash)\n',
    },
    {
      why: 'an image cannot be had',
      assets: {
        x86: loadEmulator,
        guestImages: { ...guestImages(), fetch: () => Promise.reject(new Error('offline')) },
      },
      message: 'Error: cannot get /boot/vmlinuz-6.1-xenU: offline\n',
    },
  ])('says so, in one error, and runs mini guests: $why', async ({ assets, message, reason }) => {
    const booted = await bootedHost({}, assets);
    const before = await traces(booted);
    for (let time = 0; time < 2; time++) {
      expect(await booted.exec('xm create -q /etc/xen/linux')).toEqual({ status: 1, output: message });
      if (reason !== undefined)
        expect((await booted.exec('xm dmesg | tail -1')).output).toMatch(/^\(XEN\) d\d+: no processor: /);
      if (reason !== undefined) expect((await booted.exec('xm dmesg | tail -1')).output).toContain(reason);
      await booted.advance(1_000);
      expect(await traces(booted)).toEqual(before);
    }
    expect(await booted.exec('xm create -q /dev/null kernel=/boot/vmlinuz-2.6.18-xenU memory=32 name=mini')).toEqual({
      status: 0,
      output: '',
    });
    const mini = await GuestConsole.mini(booted, 'mini');
    expect((await mini.run('uname -r')).status).toBe(0);
    expect(booted.bugs).toEqual([]);
    booted.close();
  });
});
