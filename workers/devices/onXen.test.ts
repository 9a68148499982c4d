import { expect, it } from 'vitest';
import type { Domid, Port } from '../abi/xen';
import type { MiniKernel } from '../guest/kernelCore';
import { isMiniKernel, kernelImage } from '../guest/kernelImage';
import { exit, type Program, wait } from '../guest/sys';
import { startXenLinux, type XenKernel } from '../guest/xenKernel';
import { Hypervisor } from '../hypervisor/hypervisor';
import { chooseScheduler } from '../hypervisor/sched';
import { VirtualClock } from '../lib/clock';
import { seeded } from '../lib/random';
import { buildLinux } from '../xend/image/linux';
import { Xc } from '../xend/xc';
import { connectClient } from '../xenstore/client';
import { Xenstored } from '../xenstore/daemon';
import { ConsoleDaemon } from './console/daemon';
import { backendClasses, frontendClasses } from './registry';
import { memoryDevice } from './testHosts.testkind';

const sleeper: Program<{ said: boolean }> = {
  name: 'init',
  start: () => ({ said: false }),
  step: (sys, state) => {
    if (!state.said) sys.print('init runs\n');
    state.said = true;
    return wait({ untilNs: sys.nowNs + 3_600e9 });
  },
};
const poweroff: Program<object> = {
  name: 'poweroff',
  start: () => ({}),
  step: (sys) => {
    sys.shutdownSystem('poweroff');
    return exit(0);
  },
};

function machine() {
  const clock = new VirtualClock();
  const kernels: MiniKernel<XenKernel>[] = [];
  const faults: unknown[] = [];
  const hypervisor = new Hypervisor({
    clock,
    random: seeded(1),
    topology: { sockets: 1, cores: 2, threads: 1 },
    memoryMiB: 256,
    scheduler: chooseScheduler(),
    commandLine: '/xen.gz dom0_mem=96M',
    findRunner: (cpu, entry) => {
      if (!isMiniKernel(cpu, entry)) return undefined;
      const kernel = startXenLinux(cpu, entry, {
        kernel: { programs: [sleeper, poweroff] },
        frontends: frontendClasses,
        backends: backendClasses,
        seed: 1,
      });
      kernels.push(kernel);
      return kernel;
    },
    serialOut: () => {},
    bootUnixSeconds: 1_200_000_000,
    onMachineAction: () => {},
    onGuestFault: (_domid, error) => faults.push(error),
  });
  const run = (ms: number) => clock.advanceTo(clock.nowNs + ms * 1e6);
  hypervisor.boot();
  hypervisor.createDom0({ kernel: kernelImage(), cmdline: '' });
  run(500);
  const { services } = kernels[0]!;
  const privcmd = services.privcmd!;
  const bind = (domid: number, remotePort: number, handler: () => void) => {
    const port = services.events.bindInterdomain(domid as Domid, remotePort as Port);
    services.events.handle(port, handler);
    return {
      notify: () => services.events.notify(port),
      close: () => services.events.close(port),
      setMasked: (masked: boolean) => services.events.setMasked(port, masked),
    };
  };
  const map = (domid: number, mfn: number) => {
    const mapping = privcmd.mapForeign(domid as Domid, [mfn]);
    return { page: mapping.page(0), unmap: () => mapping.unmap() };
  };
  const xc = new Xc(privcmd);
  const daemon = new Xenstored({
    mapRing: map,
    bindInterdomain: bind,
    domainState: (domid) => (xc.domainInfo(domid) ? 'alive' : 'gone'),
    charge: (ns) => services.charge(ns),
  });
  const store = connectClient(daemon, { directory: '/local/domain/0', defer: (action) => services.defer(action) });
  kernels[0]!.connectStore(store);
  return { clock, hypervisor, kernels, faults, run, services, store, xc, bind, map };
}

it('connects block device, network interface and console between two kernels over the real hypervisor', () => {
  const host = machine();
  const { store, xc, services, kernels, run } = host;
  const disk = memoryDevice('hda5', 3, 5, 4096);
  services.block.add(disk);

  const domid = xc.domainCreate(new Uint8Array(16));
  xc.setMaxMem(domid, 64 * 1024);
  xc.maxVcpus(domid, 2);
  const storePort = xc.evtchnAllocUnbound(domid, 0);
  const consolePort = xc.evtchnAllocUnbound(domid, 0);
  const built = buildLinux(xc, {
    domid,
    kernel: kernelImage(),
    ramdisk: undefined,
    cmdline: 'quiet',
    memoryMiB: 64,
    storePort,
    consolePort,
  });
  const home = `/local/domain/${domid}`;
  const back = (kind: string, id: number) => `/local/domain/0/backend/${kind}/${domid}/${id}`;
  const pair = (kind: string, id: number, front: Record<string, string>, behind: Record<string, string>) => {
    const fe = `${home}/device/${kind}/${id}`;
    const be = back(kind, id);
    for (const [path, entries] of [
      [be, { frontend: fe, 'frontend-id': String(domid), online: '1', state: '1', ...behind }],
      [fe, { backend: be, 'backend-id': '0', state: '1', ...front }],
    ] as const)
      for (const [key, value] of Object.entries(entries)) store.write(`${path}/${key}`, value);
    store.setPermissions(be, ['n0', `r${domid}`]);
    for (const key of store.list(be)!) store.setPermissions(`${be}/${key}`, ['n0', `r${domid}`]);
    store.setPermissions(fe, [`n${domid}`, 'r0']);
    for (const key of store.list(fe)!) store.setPermissions(`${fe}/${key}`, [`n${domid}`, 'r0']);
  };
  store.write(home, '');
  store.setPermissions(home, [`r${domid}`]);
  for (const [key, value] of Object.entries({ 'ring-ref': built.consoleMfn, port: consolePort, limit: 65536 }))
    store.write(`${home}/console/${key}`, String(value));
  store.write(`${home}/control/shutdown`, '');
  store.setPermissions(`${home}/control`, [`n${domid}`]);
  store.setPermissions(`${home}/control/shutdown`, [`n${domid}`]);
  store.introduce(domid, built.storeMfn, storePort);
  let shown = '';
  const consoled = new ConsoleDaemon({
    store,
    time: services.time,
    domains: () => [0, domid],
    isSuspended: () => false,
    mapForeign: host.map,
    bindInterdomain: host.bind,
    openPty: () => ({
      slavePath: '/dev/pts/0',
      write: (bytes) => {
        shown += new TextDecoder().decode(bytes);
        return bytes.length;
      },
      onWritable: () => {},
      close: () => {},
    }),
    charge: () => {},
  });
  consoled.start();
  pair('vbd', 769, { 'virtual-device': '769' }, { mode: 'w', type: 'phy', 'physical-device': '3:5' });
  pair('vif', 0, { handle: '0', mac: '00:16:3e:00:00:01' }, { handle: '0', script: 'vif-bridge' });
  xc.domainUnpause(domid);
  run(1000);

  expect(host.faults).toEqual([]);
  expect(shown).toContain('Brought up 2 CPUs');
  expect(shown).toContain('init runs');
  expect(store.read(`${back('vbd', 769)}/state`)).toBe('4');
  expect(store.read(`${back('vif', 0)}/state`)).toBe('4');
  const guest = kernels[1]!;
  const device = guest.services.block.find('hda1')!;
  const bytes = Uint8Array.from({ length: 512 * 300 }, (_, i) => i * 11);
  const answers: unknown[] = [];
  guest.interrupt(() => device.write(8, bytes, (ok) => answers.push(ok)));
  run(100);
  guest.interrupt(() => device.read(8, 300, (data) => answers.push(data && Buffer.compare(data, bytes))));
  run(100);
  expect(answers).toEqual([true, 0]);
  expect(Buffer.compare(disk.bytes.subarray(4096, 4096 + bytes.length), bytes)).toBe(0);

  store.write(`${home}/control/shutdown`, 'poweroff');
  run(1000);
  expect(xc.domainInfo(domid)).toMatchObject({ shutdown: true });
});
