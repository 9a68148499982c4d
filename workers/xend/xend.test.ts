import { describe, expect, it } from 'vitest';
import { splitDevices } from '../devices/registry';
import { kernelImage } from '../guest/kernelImage';
import { parseSxp, type Sxp, sxpText, sxpValue } from '../lib/sxp';
import type { XendApi } from './api';
import { type FakeHostOptions, type FakeStore, fakeHost } from './testing';

const KERNEL = '/boot/vmlinuz-2.6.18-xenU';
const CONFIG = '(dom0-min-mem 196)(network-script network-bridge)(vif-script vif-bridge)';
const connected = (backend: string, store: FakeStore) => {
  if (store.read(`${backend}/state`) === '1') store.write(`${backend}/hotplug-status`, 'connected');
  if (store.read(`${backend}/state`) === '5') store.remove(backend);
};

async function started(options: FakeHostOptions = {}) {
  const host = fakeHost({
    devices: splitDevices,
    hotplug: connected,
    ...options,
    files: {
      [KERNEL]: kernelImage(),
      '/etc/xen/xend-config.sxp': CONFIG,
      '/etc/xen/scripts/network-bridge': '',
      '/notkernel': 'hello',
      ...options.files,
    },
  });
  expect(await host.finish(host.xend.start())).toBe(0);
  return { ...host, api: host.xend.api as XendApi };
}

const vm = (over = ''): Sxp =>
  parseSxp(
    `(vm (name pv1) (memory 16) (vcpus 2) (uuid 06ed00fe-1162-4fc4-b5d8-11993ee4a8b9) (image (linux (kernel ${KERNEL}) (root '/dev/sda1 ro') (args 4))) ${over})`,
  )[0]!;
const VIF = '(device (vif (mac 00:16:3e:00:00:11) (bridge xenbr0)))';
const VBD = '(device (vbd (uname phy:sda7) (dev sda1) (mode w)))';

/** Every node below /local/domain/N, /vm/UUID and the backends that a guest could have left. */
function traces(store: FakeStore): string[] {
  return [...store.nodes.keys()].filter(
    (path) =>
      /^\/local\/domain\/[1-9]/.test(path) ||
      (path.startsWith('/vm/') && !path.startsWith('/vm/00000000-')) ||
      /\/backend\/[a-z]+\/\d+\/\d+/.test(path),
  );
}

describe('xend', () => {
  it('starts: network script, Domain-0 in the store, pid file, log; and is not started twice', async () => {
    const { xend, api, store, text, scripts, finish } = await started();
    expect(scripts).toEqual(['/etc/xen/scripts/network-bridge start']);
    expect(xend.status()).toBe(0);
    expect(store.read('/local/domain/0/vm')).toBe('/vm/00000000-0000-0000-0000-000000000000');
    expect(store.read('/local/domain/0/name')).toBe('Domain-0');
    expect(store.read('/local/domain/0/memory/target')).toBe(String(390 * 1024));
    expect(store.read('/local/domain/0/cpu/1/availability')).toBe('online');
    expect(text('/var/run/xend.pid')).toBe('3021\n');
    expect(text('/var/log/xen/xend-debug.log')).toBe('Xend started at Sat Nov  1 12:00:00 2008.\n');
    expect(text('/var/log/xen/xend.log')).toMatch(
      /^\[2008-11-01 12:00:00 3021\] INFO \(SrvDaemon:331\) Xend Daemon started\n/,
    );
    expect(await api.domains()).toMatchObject([
      { name: 'Domain-0', domid: 0, memoryMiB: 390, vcpus: 2, state: 'r-----' },
    ]);
    expect(await finish(xend.start())).toBe(0);
    expect(scripts).toHaveLength(1);
  });

  it('refuses to start with a wrong option', async () => {
    const host = fakeHost({ files: { '/etc/xen/xend-config.sxp': '(enable-dump maybe)' } });
    expect(await host.finish(host.xend.start())).toBe(1);
    expect(host.xend.status()).toBe(3);
    expect(host.text('/var/log/xen/xend-debug.log')).toContain(
      'Exception starting xend: invalid xend config enable-dump: expected bool: maybe\n',
    );
  });
});

describe('a new domain', () => {
  it('is built, described in the store, and runs after unpause', async () => {
    const { api, store, xen, finish, text } = await started();
    const domain = await finish(api.create(vm(VBD + VIF)));
    expect(domain).toMatchObject({
      name: 'pv1',
      domid: 1,
      memoryMiB: 16,
      vcpus: 2,
      state: '--p---',
      powerState: 'paused',
    });
    const dom = '/local/domain/1';
    const uuid = '06ed00fe-1162-4fc4-b5d8-11993ee4a8b9';
    expect(
      Object.fromEntries(
        [
          'vm',
          'domid',
          'name',
          'memory/target',
          'console/type',
          'console/limit',
          'console/port',
          'store/port',
          'cpu/0/availability',
          'cpu/1/availability',
          'image/guest-os',
          'control/platform-feature-multiprocessor-suspend',
        ].map((key) => [key, store.read(`${dom}/${key}`)]),
      ),
    ).toEqual({
      vm: `/vm/${uuid}`,
      domid: '1',
      name: 'pv1',
      'memory/target': '16384',
      'console/type': 'xenconsoled',
      'console/limit': '1048576',
      'console/port': '2',
      'store/port': '1',
      'cpu/0/availability': 'online',
      'cpu/1/availability': 'online',
      'image/guest-os': 'linux',
      'control/platform-feature-multiprocessor-suspend': '1',
    });
    expect(store.permissions.get(dom)).toEqual(['r1']);
    for (const name of ['device', 'control', 'error', 'memory', 'guest', 'hvmpv'])
      expect(store.permissions.get(`${dom}/${name}`)).toEqual(['n1']);
    expect(store.read(`/vm/${uuid}/image`)).toBe(`(linux (kernel ${KERNEL}) (args 'root=/dev/sda1 ro 4'))`);
    expect(store.read(`/vm/${uuid}/image/cmdline`)).toBe('root=/dev/sda1 ro 4');
    expect(store.read(`/vm/${uuid}/xend/restart_count`)).toBe('0');
    expect(store.read(`/vm/${uuid}/device/vbd/2049/backend`)).toBe('/local/domain/0/backend/vbd/1/2049');
    const backend = '/local/domain/0/backend/vbd/1/2049';
    expect(store.permissions.get(backend)).toEqual(['n0', 'r1']);
    expect(store.permissions.get(`${dom}/device/vbd/2049`)).toEqual(['n1', 'r0']);
    expect(store.read(`${backend}/frontend`)).toBe(`${dom}/device/vbd/2049`);
    expect(store.read(`${backend}/online`)).toBe('1');
    expect(store.read(`${backend}/domain`)).toBe('pv1');
    expect(store.read(`${backend}/bootable`)).toBe('1');
    expect(store.read(`${dom}/device/vif/0/mac`)).toBe('00:16:3e:00:00:11');
    expect(store.introduced).toEqual([{ domid: 1, mfn: Number(store.read(`${dom}/store/ring-ref`)), port: 1 }]);
    await finish(api.waitForDevices('pv1'));
    await finish(api.unpause('pv1'));
    expect((await api.domain('1')).powerState).toBe('running');
    expect(text('/var/log/xen/xend.log')).toContain('INFO (image:125) buildDomain os=linux dom=1 vcpus=2\n');
    expect(text('/var/log/xen/xend.log')).toContain('Domain pv1 (1) unpaused.\n');
    expect(xen.openBuffers).toBe(0);
  });

  it('finds its boot information where the registers say', async () => {
    const { api, xen, store, finish } = await started({ files: { '/boot/rd': 'R'.repeat(5000) } });
    await finish(
      api.create(
        parseSxp(`(vm (name a) (memory 16) (image (linux (kernel ${KERNEL}) (ramdisk /boot/rd) (args hello))))`)[0]!,
      ),
    );
    const domain = xen.domains.get(1)!;
    const context = new DataView(domain.context!.buffer);
    const pageAt = (va: number) => xen.page(domain.frames[(va - 0x4000_0000) / 4096]!);
    const startInfo = pageAt(context.getUint32(516 + 12, true));
    const info = new DataView(startInfo.buffer);
    expect(new TextDecoder().decode(startInfo.subarray(0, 15))).toBe('xen-3.0-x86_32p');
    expect(info.getUint32(32, true)).toBe(4096);
    expect(info.getUint32(36, true)).toBe(77 * 4096);
    expect(info.getUint32(44, true)).toBe(Number(store.read('/local/domain/1/store/ring-ref')));
    expect(info.getUint32(52, true)).toBe(Number(store.read('/local/domain/1/console/ring-ref')));
    expect([info.getUint32(48, true), info.getUint32(56, true)]).toEqual([1, 2]);
    expect(new TextDecoder().decode(startInfo.subarray(80, 85))).toBe('hello');
    expect(info.getUint32(76, true)).toBe(5000);
    expect(pageAt(info.getUint32(72, true))[0]).toBe('R'.charCodeAt(0));
    const p2m = new DataView(pageAt(info.getUint32(68, true)).buffer);
    expect([0, 1, 1023].map((pfn) => p2m.getUint32(pfn * 4, true))).toEqual(
      [0, 1, 1023].map((pfn) => domain.frames[pfn]),
    );
    expect(context.getUint32(516 + 32, true)).toBe(0x4000_0000);
    expect(pageAt(0x4000_0000)[0]).toBe(0xeb);
    expect(pageAt(0x4000_1000)[0]).toBe(0xb8);
  });

  it.each([
    ['(vm (name a) (memory 16) (image (linux (kernel /nosuch))))', 'Kernel image does not exist: /nosuch'],
    [
      `(vm (name a) (memory 16) (image (linux (kernel ${KERNEL}) (ramdisk /nord))))`,
      'Kernel ramdisk does not exist: /nord',
    ],
    [
      '(vm (name a) (memory 16) (image (linux (kernel /notkernel))))',
      "(2, 'Invalid kernel', 'xc_dom_find_loader: no loader found\\n')",
    ],
    ['(vm (name a) (memory 16) (image (foo (kernel /notkernel))))', 'unknown image type: foo'],
    [
      '(vm (name a) (memory 16) (image (hvm (kernel /notkernel))))',
      'HVM guest support is unavailable: is VT/AMD-V supported by your CPU and enabled in your BIOS?',
    ],
    ["(vm (name 'a b') (memory 16))", 'Invalid VM Name'],
    ['(vm (memory 16))', 'Missing VM Name'],
    ['(vm (name a))', 'memory_dynamic_max must be greater than zero'],
    ['(vm (name a) (memory 16) (maxmem 8))', 'memory_dynamic_max must be less than or equal to memory_static_max'],
    ['(vm (name a) (memory lots))', "invalid literal for int() with base 10: 'lots'"],
    ['(vm (name a) (memory 16) (on_crash explode))', 'Invalid event handling mode: crash'],
    [
      '(vm (name a) (memory 16) (cpu_weight 70000))',
      'Cpu weight out of range, valid values are within range from 1 to 65535',
    ],
    [
      '(vm (name a) (memory 16) (vcpus 2) (cpu_cap 201))',
      'Cpu cap out of range, valid range is from 0 to 200 for specified number of vcpus',
    ],
    ['(vm (name a) (memory 16) (vcpus 2) (cpus (0 1 2)))', 'vcpus and the item number of cpus are not same'],
    ['(vm (name a) (memory 16) (cpus 0-x))', "cpus = 0-x: invalid literal for int() with base 10: 'x'"],
    ['(vm (name a) (memory 16) (device (foo)))', 'XendConfig: foo not a valid device type'],
    ['(vm (name Domain-0) (memory 16))', "Domain 'Domain-0' already exists with ID '0'"],
  ])('%s is refused and leaves nothing behind', async (config, message) => {
    const { api, store, xen, finish, bugs } = await started();
    const free = xen.freePages;
    await expect(finish(api.create(parseSxp(config)[0]!))).rejects.toMatchObject({ message });
    expect(traces(store)).toEqual([]);
    expect([...xen.domains.keys()]).toEqual([0]);
    expect(xen.freePages).toBe(free);
    expect(xen.openBuffers).toBe(0);
    expect(bugs).toEqual([]);
  });

  it('leaves nothing behind when two devices clash', async () => {
    const { api, store, xen, finish, pass } = await started();
    await expect(finish(api.create(vm(VBD + VBD)))).rejects.toThrow('The device "sda1" is already defined');
    await pass(30_000);
    expect(traces(store)).toEqual([]);
    expect(xen.domains.size).toBe(1);
  });

  it('cannot have something else than a uuid as its uuid', async () => {
    const { api, finish } = await started();
    const config = parseSxp(`(vm (name x) (memory 8) (uuid 12zz) (image (linux (kernel ${KERNEL}))))`)[0]!;
    await expect(finish(api.create(config))).rejects.toThrow("invalid literal for int() with base 16: 'zz'");
  });

  it('cannot take a name that runs', async () => {
    const { api, finish } = await started();
    await finish(api.create(vm()));
    await expect(finish(api.create(vm()))).rejects.toThrow("Domain 'pv1' already exists with ID '1'");
  });

  it('builds one domain after the other, so that no two count on the same memory', async () => {
    const { api, finish } = await started();
    const names = Array.from({ length: 8 }, (_, n) => `vm${n}`);
    const config = (name: string) =>
      parseSxp(`(vm (name ${name}) (memory 8) (vcpus 1) (image (linux (kernel ${KERNEL}))))`)[0]!;
    const created = await finish(Promise.all(names.map((name) => api.create(config(name)))));
    expect(created.map((domain) => domain.domid)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    await expect(finish(Promise.all([api.create(config('twin')), api.create(config('twin'))]))).rejects.toThrow(
      "Domain 'twin' already exists with ID '9'",
    );
  });

  it('asks Domain-0 for memory, and gives up in words when there is too little', async () => {
    const { api, store, clock, xen, finish } = await started({ totalPages: 60_000, dom0Pages: 59_000 });
    store.watch('/local/domain/0/memory/target', () => {
      const target = Number(store.read('/local/domain/0/memory/target')) / 4;
      const dom0 = xen.domains.get(0)!;
      if (target >= dom0.frames.length) return;
      clock.at(clock.nowNs + 5e7, () => {
        xen.freePages += dom0.frames.length - target;
        dom0.frames.length = target;
      });
    });
    await finish(api.create(vm()));
    expect((await api.domain('0')).memoryMiB).toBeLessThan(230);
    const huge = parseSxp(`(vm (name huge) (memory 4096) (image (linux (kernel ${KERNEL}))))`)[0]!;
    await expect(finish(api.create(huge))).rejects.toThrow(
      /^I need \d+ KiB, but dom0_min_mem is 200704 and shrinking to 200704 KiB would leave only \d+ KiB free\.$/,
    );
    expect([...xen.domains.keys()]).toEqual([0, 1]);
  });
});

describe('hotplug', () => {
  it.each([
    ['error', 'It is broken.', 'Device 2049 (vbd) could not be connected. It is broken.'],
    ['error', '', 'Device 2049 (vbd) could not be connected. Backend device not found.'],
    ['busy', 'In use.', 'Device 2049 (vbd) could not be connected.\nIn use.'],
    [undefined, '', 'Device 2049 (vbd) could not be connected. Hotplug scripts not working.'],
  ])('status %s: %s', async (status, text, message) => {
    const { api, clock, finish } = await started({
      hotplug: (backend, store) => {
        if (!status || store.read(`${backend}/state`) !== '1') return;
        if (text) store.write(`${backend}/hotplug-error`, text);
        store.write(`${backend}/hotplug-status`, status);
      },
    });
    await finish(api.create(vm(VBD)));
    const before = clock.nowNs;
    await expect(finish(api.waitForDevices('pv1'))).rejects.toMatchObject({ message });
    expect(clock.nowNs - before).toBe(status ? 0 : 100e9);
  });

  it('attaches and detaches while the domain runs', async () => {
    const { api, store, finish, pass } = await started();
    await finish(api.create(vm()));
    const device = ['vbd', ['uname', 'phy:sda6'], ['dev', 'sda2'], ['mode', 'r']];
    await finish(api.deviceCreate('pv1', device));
    expect((await api.devices('pv1', 'vbd')).map((each) => each.devid)).toEqual([2050]);
    await expect(finish(api.deviceCreate('pv1', device))).rejects.toThrow('The device "sda2" is already defined');
    await expect(finish(api.deviceDestroy('pv1', 'vbd', 'sda3', false))).rejects.toThrow('Device sda3 not connected');
    await finish(api.deviceDestroy('pv1', 'vbd', '/dev/sda2', false));
    await pass(1000);
    expect(store.list('/local/domain/0/backend/vbd/1/2050')).toBeUndefined();
    await expect(
      finish(api.deviceCreate('pv1', ['vbd', ['uname', 'phy:sda6'], ['dev', 'sda2'], ['mode', 'q']])),
    ).rejects.toThrow('Invalid mode');
  });
});

describe('the end of a domain', () => {
  it('destroy leaves nothing, even when no script clears the backends', async () => {
    const { api, store, xen, finish, pass } = await started({ hotplug: () => {} });
    const free = xen.freePages;
    await finish(api.create(vm(VBD + VIF)));
    await finish(api.destroy('pv1'));
    expect([...xen.domains.keys()]).toEqual([0]);
    expect(xen.freePages).toBe(free);
    await pass(30_000);
    expect(traces(store)).toEqual([]);
    await expect(finish(api.domain('pv1'))).rejects.toThrow("Domain 'pv1' does not exist.");
  });

  async function ended(over: string, reason: number, afterMs: number) {
    const host = await started();
    await host.finish(host.api.create(vm(VIF + over)));
    await host.finish(host.api.unpause('pv1'));
    await host.pass(afterMs);
    host.xen.guestShutdown(1, reason);
    host.store.release();
    await host.pass(5000);
    return host;
  }

  it('destroys after a power-off, and says so in the log', async () => {
    const { api, text } = await ended('', 0, 1000);
    expect((await api.domains()).map((domain) => domain.name)).toEqual(['Domain-0']);
    expect(text('/var/log/xen/xend.log')).toContain('Domain has shutdown: name=pv1 id=1 reason=poweroff.\n');
  });

  it('restarts after a reboot with the same uuid and address, counting', async () => {
    const { api, store } = await ended('', 1, 61_000);
    const domain = await api.domain('pv1');
    expect(domain).toMatchObject({
      domid: 2,
      uuid: '06ed00fe-1162-4fc4-b5d8-11993ee4a8b9',
      restartCount: 1,
      powerState: 'running',
    });
    expect(store.read('/local/domain/2/device/vif/0/mac')).toBe('00:16:3e:00:00:11');
    expect(traces(store).some((path) => path.startsWith('/local/domain/1/'))).toBe(false);
  });

  it('refuses to restart what ran for less than a minute', async () => {
    const { api, text } = await ended('', 1, 59_000);
    expect((await api.domains()).map((domain) => domain.name)).toEqual(['Domain-0']);
    expect(text('/var/log/xen/xend.log')).toMatch(
      /ERROR \(.*\) VM pv1 restarting too fast \(Elapsed time: 59\.\d{6} seconds\)\. Refusing to restart to avoid loops\.\n/,
    );
  });

  it('keeps a crashed domain with preserve', async () => {
    const { api, text } = await ended('(on_crash preserve)', 3, 61_000);
    expect(await api.domain('pv1')).toMatchObject({ domid: 1, state: '----c-', powerState: 'crashed' });
    expect(text('/var/log/xen/xend.log')).toContain(
      'WARNING (XendDomainInfo:1443) Domain has crashed: name=pv1 id=1.\n',
    );
  });

  it('renames the dead domain with rename-restart', async () => {
    const { api } = await ended('(on_crash rename-restart)', 3, 61_000);
    const domains = await api.domains();
    expect(domains.map((domain) => domain.domid)).toEqual([0, 1, 2]);
    expect(domains[1]!.name).toBe(`Domain-${domains[1]!.uuid}`);
    expect(domains[2]).toMatchObject({ name: 'pv1', uuid: '06ed00fe-1162-4fc4-b5d8-11993ee4a8b9' });
  });

  it('does not restart what was told to halt, whatever on_poweroff says', async () => {
    const { api, xen, store, finish, pass } = await started();
    await finish(api.create(vm('(on_poweroff restart)')));
    await finish(api.unpause('pv1'));
    await pass(61_000);
    await finish(api.shutdown('pv1', 'halt'));
    xen.guestShutdown(1, 0);
    store.release();
    await pass(5000);
    expect((await api.domains()).map((domain) => domain.name)).toEqual(['Domain-0']);
  });

  it('takes the devices of a renamed dead domain away, so that its successor finds them free', async () => {
    const { store } = await ended('(on_crash rename-restart)', 3, 61_000);
    expect(store.list('/local/domain/1/device')).toBeUndefined();
    expect(store.read('/local/domain/2/device/vif/0/backend-id')).toBe('0');
  });

  it('notes a guest that does not answer a shutdown within 300 s', async () => {
    const { api, store, finish, pass, text } = await started();
    await finish(api.create(vm()));
    await finish(api.shutdown('pv1', 'poweroff'));
    await pass(299_000);
    expect(store.read('/local/domain/1/xend/unresponsive')).toBeUndefined();
    await pass(2000);
    expect(store.read('/local/domain/1/xend/unresponsive')).toBe('True');
    expect(text('/var/log/xen/xend.log')).toContain('Domain shutdown timeout expired: name=pv1 id=1\n');
  });
});

describe('changes', () => {
  it('refuses what may not be done to Domain-0', async () => {
    const { api, finish } = await started();
    for (const verb of ['pause', 'unpause', 'destroy'] as const)
      await expect(finish(api[verb]('0'))).rejects.toThrow(`Cannot ${verb} privileged domain 0`);
    await expect(finish(api.shutdown('0', 'poweroff'))).rejects.toThrow('Domain 0 cannot be shutdown');
  });

  it('sets memory, vcpus, weights and affinity', async () => {
    const { api, store, xen, finish } = await started();
    await finish(api.create(vm('(maxmem 32)')));
    await finish(api.setMemoryTarget('pv1', 24));
    expect(store.read('/local/domain/1/memory/target')).toBe('24576');
    await expect(finish(api.setMemoryTarget('pv1', 33))).rejects.toThrow(
      'memory_dynamic_max must be less than or equal to memory_static_max',
    );
    await expect(finish(api.setMemoryTarget('pv1', 0))).rejects.toThrow('memory_dynamic_max must be greater than zero');
    await expect(finish(api.setMaxMemory('pv1', 8))).rejects.toThrow('memory_static_max');
    await expect(finish(api.setMemoryTarget('0', 100))).rejects.toThrow('memory_dynamic_max too small');
    await finish(api.setVcpuCount('pv1', 1));
    expect(store.read('/local/domain/1/cpu/1/availability')).toBe('offline');
    await finish(api.setVcpuCount('pv1', 0));
    expect(store.read('/local/domain/1/cpu/0/availability')).toBe('online');
    await expect(finish(api.setVcpuCount('pv1', 3))).rejects.toThrow(
      'Cannot set vcpus greater than max vcpus on running domain',
    );
    await finish(api.schedCreditSet('pv1', { weight: 512 }));
    expect(await finish(api.schedCreditGet('pv1'))).toEqual({ weight: 512, cap: 0 });
    await expect(finish(api.schedCreditSet('pv1', { cap: 201 }))).rejects.toThrow('cap is out of range');
    await expect(finish(api.schedCreditSet('pv1', { weight: 0 }))).rejects.toThrow('weight is out of range');
    await finish(api.pinVcpu('pv1', 'all', [1]));
    expect(xen.domains.get(1)!.affinity.get(1)).toBe(2n);
    await expect(finish(api.pinVcpu('pv1', 0, []))).rejects.toThrow(
      "Cannot pin vcpu: 0 to cpu: [] - (22, 'Invalid argument')",
    );
  });

  it('knows its domains again after a restart of xend', async () => {
    const { xend, api, finish, scripts } = await started();
    await finish(api.create(vm(VBD + VIF)));
    await finish(api.unpause('pv1'));
    const before = await api.domainSxp('pv1');
    await finish(xend.stop());
    expect(xend.status()).toBe(3);
    await finish(xend.start());
    expect(scripts.at(-1)).toBe('/etc/xen/scripts/network-bridge start');
    const after = await xend.api!.domainSxp('pv1');
    for (const key of ['name', 'uuid', 'memory', 'maxmem', 'vcpus', 'on_reboot', 'store_mfn', 'console_mfn'])
      expect(sxpText(after, key)).toBe(sxpText(before, key));
    expect(sxpValue(after, 'image')).toEqual(sxpValue(before, 'image'));
    await finish(xend.api!.destroy('pv1'));
  });

  it('creates again what it printed', async () => {
    const { api, finish } = await started();
    await finish(api.create(vm(VIF)));
    const printed = await api.domainSxp('pv1');
    await finish(api.destroy('pv1'));
    expect(await finish(api.create(printed))).toMatchObject({ name: 'pv1', domid: 2, memoryMiB: 16, vcpus: 2 });
    expect(sxpValue(await api.domainSxp('pv1'), 'image')).toEqual(sxpValue(printed, 'image'));
  });

  it('describes the host', async () => {
    const { api, finish } = await started();
    const info = new Map(await finish(api.nodeInfo()));
    expect(info.get('xen_major')).toBe('3');
    expect(info.get('xen_minor')).toBe('4');
    expect(info.get('total_memory')).toBe('512');
    expect(info.get('node_to_cpu')).toBe('node0:0-1');
    expect(info.get('xen_scheduler')).toBe('credit');
    expect([...info.keys()].slice(0, 4)).toEqual(['host', 'release', 'version', 'machine']);
  });
});
