import { TestHypervisor } from '/work/main/workers/hypervisor/testing';
import { guestImage, Holds, runUntil, TestLinux, testMachine } from '/work/main/workers/x86/testGuest.testkind';

const which = process.argv[2] ?? 'xenU';
const holds = new Holds();
const machine = testMachine(holds);
const xen = new TestHypervisor({ memoryMiB: 512, findRunner: machine.findRunner });
const calls = new Map<string, number>();
const g = new TestLinux(xen, {
  kernel: guestImage('vmlinuz-6.1-' + which),
  ramdisk: guestImage('initrd-6.1-' + which + '.img'),
  cmdline:
    process.argv[3] ??
    (which === 'xenU'
      ? 'console=hvc0'
      : 'console=hvc0 mitigations=off random.trust_cpu=on cryptomgr.notests isapnp.disable apparmor=0 tsc=reliable'),
  memoryMiB: which === 'xenU' ? 32 : 96,
});
const t0 = performance.now();
g.start();
let shown = 0;
const show = () => {
  process.stdout.write(g.output.slice(shown));
  shown = g.output.length;
};
const okk = await runUntil(
  xen,
  holds,
  [g],
  () => {
    show();
    return /linux:~# $/.test(g.output) || g.domain.isShutDown || performance.now() - t0 > 60000;
  },
  60,
);
console.log(
  '\n==',
  okk,
  'wall',
  performance.now() - t0,
  'virtual',
  xen.clock.nowNs / 1e9,
  'faults',
  xen.faults,
  g.domain.isShutDown,
  g.domain.shutdownCode,
);
console.log(xen.serial.split('\n').slice(-12).join('\n'));
if (!okk || g.domain.isShutDown) process.exit(0);
for (const c of process.argv.slice(4)) {
  g.output = '';
  shown = 0;
  g.type(c + '\r');
  const t = performance.now();
  await runUntil(
    xen,
    holds,
    [g],
    () => {
      show();
      return /linux:~# $/.test(g.output) || g.domain.isShutDown || performance.now() - t > 30000;
    },
    60,
  );
}
console.log('\nend', g.domain.isShutDown, g.domain.shutdownCode, performance.now() - t0);
process.exit(0);
