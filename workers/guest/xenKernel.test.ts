import { expect, it } from 'vitest';
import { ByteRing } from '../abi/io/byteRing';
import { CONSOLE_OUT } from '../abi/io/console';
import { SHUTDOWN_crash, SHUTDOWN_poweroff } from '../abi/xen';
import { FakeCpu, type FakeOptions } from './fakeCpu.testkind';
import { writeCpio } from './fs/cpio';
import { again, exit, type Program } from './sys';
import { startXenLinux } from './xenKernel';

const init: Program<{ hasPrinted: boolean }> = {
  name: 'init',
  start: () => ({ hasPrinted: false }),
  step: (sys, state: { hasPrinted: boolean }) => {
    if (state.hasPrinted) {
      sys.shutdownSystem('poweroff');
      return exit(0);
    }
    state.hasPrinted = true;
    sys.print(`motd: ${sys.exists('/etc/motd') ? sys.readText('/etc/motd') : 'none'}\n`);
    if (sys.exists('/proc/xen/capabilities')) sys.print(`caps: ${sys.readText('/proc/xen/capabilities')}\n`);
    return again();
  },
};

function boot(options: FakeOptions) {
  const cpu = new FakeCpu(options);
  const kernel = startXenLinux(cpu, cpu.entry, { kernel: { programs: [init] }, frontends: [], backends: [], seed: 1 });
  let shown = '';
  const out = new ByteRing(cpu.consolePage, CONSOLE_OUT);
  for (let i = 0; i < 40 && cpu.shutdownReason === undefined; i++) {
    cpu.nowNs += kernel.run(0, 10_000_000);
    shown += new TextDecoder().decode(out.read());
    cpu.raise(cpu.consolePort);
  }
  return { cpu, shown: shown + new TextDecoder().decode(out.read()) };
}

it('boots the real core from the built-in root to init, and powers off', () => {
  const { cpu, shown } = boot({});
  expect(shown).toContain('motd: ');
  expect(shown).toContain('Power down.');
  expect(cpu.shutdownReason).toBe(SHUTDOWN_poweroff);
});

it('sees the files of its ramdisk', () => {
  const member = {
    kind: 'file',
    mode: 0o644,
    uid: 0,
    gid: 0,
    mtime: 7,
    rdevMajor: 0,
    rdevMinor: 0,
    linkGroup: 0,
  } as const;
  const motd = { ...member, path: 'etc/motd', data: new TextEncoder().encode('from the ramdisk') };
  const { shown } = boot({ ramdisk: writeCpio([motd], { gzip: true }) });
  expect(shown).toContain('motd: from the ramdisk');
});

it('gives a broken ramdisk one clear message', () => {
  const { cpu, shown } = boot({ ramdisk: new Uint8Array(5000).fill(7) });
  expect(cpu.shutdownReason).toBe(SHUTDOWN_crash);
  expect(shown).toContain('Kernel panic - not syncing: VFS: Unable to mount root fs on ram0');
});

it('tells Domain-0 that it is Domain-0', () => {
  const { cpu } = boot({ isDom0: true });
  expect(new TextDecoder().decode(Uint8Array.from(cpu.xenConsole))).toContain('caps: control_d');
});
