/** What a policy does to guests that run: a storage driver domain, packets, and what the hypervisor refuses. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { AcmPolicy } from '../acm/policyModel';
import { writePolicy } from '../acm/policyWriter';
import { readPolicy } from '../acm/policyXml';
import { GuestConsole } from '../platform/node/guestConsole';
import { type BootedHost, bootedHost } from '../platform/node/testing';
import { LabPolicy } from './labPolicy';

let machine: BootedHost;
afterEach(() => {
  expect(machine.bugs).toEqual([]);
  machine.close();
});

const output = async (command: string) => (await machine.exec(command)).output;
/** Runs command lines in a guest; answers what they print. */
const shellOf = async (domain: string) => {
  const guest = await GuestConsole.mini(machine, domain);
  return { run: async (command: string) => (await guest.run(command)).output };
};

const KERNEL = 'kernel=/boot/vmlinuz-2.6.18-xenU memory=32';
/** `xm create` with a label; the values of variables may hold blanks. */
const create = (policy: string, label: string, name: string, ...more: readonly string[]) =>
  machine.exec(
    `xm create /dev/null ${KERNEL} name=${name} ${more.map((word) => `'${word}'`).join(' ')} 'access_control=policy=${policy},label=${label}'`,
  );

const mytest = readPolicy(readFileSync(join(import.meta.dirname, '../../public/policies/mytest.xml'), 'utf8')).policy;

/** mytest with the label of §10.3.3: a driver domain that may talk to the workloads of A-Bank. */
const withVio: AcmPolicy = {
  ...mytest,
  name: 'vio',
  ste: { types: [...mytest.ste!.types, { name: 'VIOServer' }] },
  chwall: { ...mytest.chwall!, types: [...mytest.chwall!.types, { name: 'VIOServer' }] },
  vmLabels: [
    ...mytest.vmLabels.map((label) =>
      label.name === mytest.bootstrap ? { ...label, ste: [...label.ste, 'VIOServer'] } : label,
    ),
    {
      name: 'VIOServer',
      ste: ['A-Bank', 'A-Bank.SecurityUnderwriting', 'A-Bank.MarketAnalysis', 'VIOServer'],
      chwall: ['VIOServer'],
    },
  ],
  resourceLabels: [...mytest.resourceLabels, { name: 'VIOServer', ste: 'VIOServer' }],
};

describe('a storage driver domain', () => {
  it('serves the workloads whose types it has; the hypervisor keeps the others from it', async () => {
    machine = await bootedHost({ acm: true });
    const file = '/etc/xen/acm-security/policies/vio-security_policy.xml';
    await output(`cat >${file} <<'EOF'\n${writePolicy(withVio)}EOF`);
    expect(await output('xm setpolicy ACM vio')).toContain('Successfully set the new policy.');
    await output('for disk in sda7 sda8 sda9; do xm addlabel VIOServer res phy:$disk; done');

    // The physical disks are the driver domain's alone.
    const direct = await create('vio', 'A-Bank', 'direct', 'disk=phy:sda7,xvda,w');
    expect(direct.output).toContain("Error: VM's access to block device 'phy:sda7' denied");
    const disks = ['disk=phy:sda7,xvdb,w', 'disk=phy:sda8,xvdc,w', 'disk=phy:sda9,xvdd,w'];
    expect((await create('vio', 'VIOServer', 'driver', ...disks)).status).toBe(0);
    const driver = await shellOf('driver');

    // The virtual disks have labels too, which xend looks at.
    const virtual = { xvdb: 'A-Bank', xvdc: 'A-Bank.SecurityUnderwriting', xvdd: 'AutoCorp' };
    for (const [disk, label] of Object.entries(virtual)) await output(`xm addlabel ${label} res phy:${disk}`);
    const foreign = await create('vio', 'A-Bank', 'foreign', 'disk=phy:xvdc,xvda,w,driver');
    expect(foreign.output).toContain("Error: VM's access to block device 'phy:xvdc' denied");

    expect((await create('vio', 'A-Bank', 'bank', 'disk=phy:xvdb,xvda,w,driver')).status).toBe(0);
    const department = await create(
      'vio',
      'A-Bank.SecurityUnderwriting',
      'department',
      'root=/dev/xvda ro',
      'disk=phy:xvdc,xvda,w,driver',
    );
    expect(department.status).toBe(0);
    const bank = await shellOf('bank');
    expect(await bank.run('dd if=/dev/xvda of=/dev/null bs=64k count=16 2>&1 | head -1')).toBe('16+0 records in\n');
    expect(await bank.run('mount /dev/xvda /mnt && echo secret >/mnt/note && umount /mnt && sync')).toBe('');
    expect(await (await shellOf('department')).run('mount | grep " / "')).toMatch(/^\/dev\/xvda on \/ type ext[23]/);
    // What the bank wrote lies on the disk that the driver domain exports, and on no other.
    await output('xm destroy bank; sleep 2');
    expect(await driver.run('mount -r /dev/xvdb /mnt; cat /mnt/note; umount /mnt')).toBe('secret\n');

    // AutoCorp's label would let it use the disk; that it cannot talk to the driver domain is the hypervisor's word.
    const auto = await create('vio', 'AutoCorp', 'auto', 'disk=phy:xvdd,xvda,w,driver');
    expect(auto.output).toContain('Started domain auto');
    const stranger = await shellOf('auto');
    expect(await stranger.run('dmesg | grep vbd-')).toContain('vbd vbd-51712: 13 allocating event channel\n');
    expect(await stranger.run('cat /proc/partitions')).not.toContain('xvda');
    expect(await output('xm block-list auto | tail -1')).toMatch(/^51712 +\d+ +0 +5 +-1 +-1 /);
    const decisions = machine.host.host.acm!.decisions.since(0).flatMap(({ decision }) => decision ?? []);
    const refusals = decisions.filter(({ isPermitted }) => !isPermitted);
    const domid = async (name: string) => Number(await output(`xm domid ${name}`));
    expect(refusals.at(-1)).toMatchObject({
      hook: 'evtchn',
      subject: { domid: await domid('auto') },
      object: { domid: await domid('driver') },
    });
    // What the page is told of it: names, and that they have no type in common.
    const bench = new LabPolicy(machine.host.host);
    bench.report(0);
    const line = 'vbd vbd-51712: 13 allocating event channel';
    const refused = bench.watch(true).decisions.findLast(({ isPermitted }) => !isPermitted);
    expect(bench.findRefusal(line, 0, await domid('auto'))).toBe(refused?.number);
    expect(bench.findRefusal(line, 0, 0)).toBeNull();
    expect(bench.watch(true).decisions.findLast(({ isPermitted }) => !isPermitted)).toMatchObject({
      hook: 'evtchn',
      policy: 'vio 1.0',
      subject: { name: 'auto', label: 'AutoCorp', ste: ['AutoCorp'] },
      object: { name: 'driver', label: 'VIOServer', ste: withVio.vmLabels.at(-1)!.ste.toSorted() },
      types: [],
    });
    // The others do not notice.
    expect(await driver.run('ls /sys >/dev/null && echo works')).toBe('works\n');
  });
});

describe('an update', () => {
  it('is rejected when Domain-0 would no longer be allowed to run what runs', async () => {
    machine = await bootedHost({ acm: true });
    const next: AcmPolicy = {
      ...withVio,
      version: '1.1',
      from: { name: 'vio', version: '1.0' },
      // Still a type in common with the driver domain, but not all of its types.
      vmLabels: withVio.vmLabels.map((label) =>
        label.name === withVio.bootstrap
          ? { ...label, ste: label.ste.filter((type) => type !== 'A-Bank.MarketAnalysis') }
          : label,
      ),
    };
    for (const [name, policy] of Object.entries({ vio: withVio, vio2: next }))
      await output(`cat >/tmp/${name}-security_policy.xml <<'EOF'\n${writePolicy(policy)}EOF`);
    await output('cd /tmp; xm setpolicy ACM vio');
    expect((await create('vio', 'VIOServer', 'driver')).status).toBe(0);
    expect(await output('cd /tmp; xm setpolicy ACM vio2')).toBe(
      "Error: 'An error occurred trying to set the policy: VM is not authorized to run.'\n" +
        "  driver has types that Domain-0's new label does not have\n",
    );
    expect(await output('xm getpolicy')).toContain('Version of XML policy : 1.0\n');
    await output('xm destroy driver');
    expect(await output('cd /tmp; xm setpolicy ACM vio2')).toContain('Successfully set the new policy.');
    expect((await create('vio', 'VIOServer', 'driver')).output).toContain('Error: VM is not authorized to run.');
  });
});

describe('packets', () => {
  it('cross the bridge of Domain-0 between labels that may not share anything', async () => {
    machine = await bootedHost({ acm: true });
    await output('xm setpolicy ACM mytest');
    const vif = (host: number) => [`vif=mac=00:16:3e:00:00:0${host}`, `ip=192.0.2.20${host}`, 'netmask=255.255.255.0'];
    expect((await create('mytest', 'A-Bank', 'bank', ...vif(1))).status).toBe(0);
    expect((await create('mytest', 'AutoCorp', 'auto', ...vif(2))).status).toBe(0);
    const bank = await shellOf('bank');
    await shellOf('auto');
    expect(await bank.run('ping -c 2 192.0.2.202')).toContain('2 packets transmitted, 2 received, 0% packet loss');
    // Neither has a channel to the other: both talk to Domain-0.
    const { hypervisor } = machine.host.host;
    const [one, two] = [Number(await output('xm domid bank')), Number(await output('xm domid auto'))];
    const { evtchns } = hypervisor!.findDomain(one as never)!;
    const peers = Array.from({ length: evtchns.size }, (_, port) => evtchns.at(port)).flatMap((evtchn) =>
      evtchn.state === 'interdomain' ? [evtchn.remoteDomid] : [],
    );
    expect(peers.length).toBeGreaterThan(2);
    expect(peers).not.toContain(two);
  });
});
