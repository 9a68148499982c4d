import { expect, it } from 'vitest';
import { Hypervisor } from '../hypervisor/hypervisor';
import { chooseScheduler } from '../hypervisor/sched';
import { VirtualClock } from '../lib/clock';
import { seeded } from '../lib/random';
import type { MiniKernel } from './kernelCore';
import { isMiniKernel, kernelImage } from './kernelImage';
import { again, exit, type Program, wait } from './sys';
import { startXenLinux, type XenKernel } from './xenKernel';

/** Init that starts one busy process for each vcpu, sleeps a second and says how much they got. */
const init: Program<{ at: number; pids: number[] }> = {
  name: 'init',
  start: () => ({ at: 0, pids: [] }),
  step: (sys, state) => {
    state.at++;
    if (state.at === 1) {
      state.pids = [1, 2].map(() => sys.spawn({ argv: ['burn'], fork: { program: 'burn', state: {} } }));
      return wait({ untilNs: sys.nowNs + 1_000_000_000 });
    }
    if (state.at === 2) {
      const cpu = sys.processes().filter((process) => state.pids.includes(process.pid));
      sys.print(`caps ${sys.readText('/proc/xen/capabilities').trim()}\n`);
      sys.print(`busy ${cpu.map((process) => Math.round(process.cpuNs / 1e8)).join(' ')}\n`);
      return again();
    }
    sys.shutdownSystem('poweroff');
    return exit(0);
  },
};
const burn: Program<object> = { name: 'burn', start: () => ({}), step: () => again(1_000_000) };

it('boots Domain-0 on the hypervisor, runs processes on two vcpus for a second, and halts the machine', () => {
  const clock = new VirtualClock();
  let serial = '';
  const faults: unknown[] = [];
  const actions: string[] = [];
  let kernel: MiniKernel<XenKernel> | undefined;
  const hypervisor = new Hypervisor({
    clock,
    random: seeded(1),
    topology: { sockets: 1, cores: 2, threads: 1 },
    memoryMiB: 256,
    scheduler: chooseScheduler(),
    commandLine: '/xen.gz',
    findRunner: (cpu, entry) => {
      if (!isMiniKernel(cpu, entry)) return undefined;
      kernel = startXenLinux(cpu, entry, { kernel: { programs: [init, burn] }, frontends: [], backends: [], seed: 1 });
      return kernel;
    },
    serialOut: (bytes) => {
      serial += new TextDecoder().decode(bytes);
    },
    bootUnixSeconds: 1_200_000_000,
    onMachineAction: (action) => actions.push(action),
    onGuestFault: (_domid, error) => faults.push(error),
  });
  hypervisor.boot();
  hypervisor.createDom0({ kernel: kernelImage(), cmdline: 'console=tty0' });
  clock.advanceTo(3_000_000_000);
  expect(faults).toEqual([]);
  expect(serial).toContain('Brought up 2 CPUs');
  expect(serial).toContain('caps control_d');
  expect(serial).toMatch(/busy (9|10) (9|10)\s/);
  expect(actions).toEqual(['halt']);
});
