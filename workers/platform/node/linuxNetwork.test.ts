import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GuestConsole } from './guestConsole';
import { hypercallsOf, REFUSED } from './hypercallLog';
import { type BootedHost, bootedHost, traces } from './testing';

const MIB = 2;
const FILE = `dd if=/dev/urandom of=/tmp/sent bs=64k count=${MIB * 16} 2>/dev/null`;

describe('guests of different kinds on one bridge', () => {
  let booted: BootedHost;
  let empty: unknown;
  const guests: Record<string, GuestConsole> = {};
  beforeAll(async () => {
    booted = await bootedHost({});
    empty = await traces(booted);
    const create = async (command: string) => {
      const { status, output } = await booted.exec(command);
      if (status !== 0) throw new Error(output);
    };
    // The small kernel twice, in its RAM disk; Debian's has the disk.
    for (const name of ['linux', 'second']) {
      await create(`sed '/^disk/d; s!/dev/xvda rw!/dev/ram0!' /etc/xen/linux > /etc/xen/${name}-ram`);
      await create(`xm create /etc/xen/${name}-ram name=${name}`);
    }
    await create("xm create /etc/xen/debian disk=file:/home/xen/linux.img,xvda,w 'root=/dev/xvda rw'");
    await create(
      'xm create -q /dev/null kernel=/boot/vmlinuz-2.6.18-xenU memory=64 name=mini vif=mac=00:16:3e:00:00:01 ip=192.0.2.90 netmask=255.255.255.0',
    );
    for (const name of ['linux', 'second', 'debian']) guests[name] = await GuestConsole.linux(booted, name);
    guests['mini'] = await GuestConsole.mini(booted, 'mini');
    for (const name of ['linux', 'second', 'debian'])
      await guests[name]!.run('until ip addr show eth0 | grep -q "inet "; do sleep 1; done');
  }, 120_000);
  afterAll(() => booted.close());

  const output = async (name: string, command: string) => (await guests[name]!.run(command)).output;
  const address = async (name: string) => {
    const text = await output(name, name === 'mini' ? 'ifconfig eth0' : 'ip addr show eth0');
    return /inet (?:addr:)?([\d.]+)/.exec(text)![1]!;
  };

  it("Debian's stock kernel sees Xen as any Linux does", async () => {
    expect(await output('debian', 'uname -r; cat /sys/hypervisor/type; ls /proc/xen; ls /sys/bus/xen/devices')).toMatch(
      /^6\.1\.0-50-686-pae\nxen\ncapabilities\s+privcmd\s+xenbus\nvbd-51712\s+vif-0\n$/,
    );
    expect(await output('debian', 'mount')).toMatch(/\/dev\/xvda on \/ type ext4 \(rw(.|\n)*xenfs on \/proc\/xen/);
    expect(await output('second', 'cat /proc/cmdline')).toBe('root=/dev/ram0 console=hvc0 quiet\n');
  });

  it("Debian's stock kernel makes the hypercalls that its Xen drivers are known to make, none answered by a stub", async () => {
    expect(await hypercallsOf(booted, 3)).toEqual([
      ['xen_version get_features', 'full'],
      ['memory_op add_to_physmap', 'full'],
      ['hvm_op pagetable_dying', REFUSED],
      ['xen_version version', 'full'],
      ['xen_version extraversion', 'full'],
      ['vcpu_op register_vcpu_info', 'full'],
      ['event_channel_op init_control', REFUSED],
      ['hvm_op set_param', 'partial: events by vector only'],
      ['hvm_op get_param', 'full'],
      ['event_channel_op send', 'full'],
      ['vcpu_op stop_periodic_timer', 'full'],
      ['vcpu_op register_runstate_memory_area', 'full'],
      ['event_channel_op bind_virq', 'full'],
      ['event_channel_op set_priority', REFUSED],
      ['vcpu_op stop_singleshot_timer', 'full'],
      ['vcpu_op set_singleshot_timer', 'full'],
      ['vm_assist enable', REFUSED],
      ['event_channel_op bind_ipi', 'full'],
      ['grant_table_op query_size', 'full'],
      ['memory_op decrease_reservation', 'full'],
      ['grant_table_op set_version', REFUSED],
      ['event_channel_op bind_vcpu', 'full'],
      ['event_channel_op unmask', 'full'],
      ['event_channel_op alloc_unbound', 'full'],
    ]);
  });

  it("Debian's stock kernel goes on after it was saved and restored", async () => {
    await guests['debian']!.run('echo kept > /root/before; export MARK=1042');
    guests['debian']!.close();
    expect(await booted.exec('xm save debian /tmp/debian.chk; xm restore /tmp/debian.chk; rm /tmp/debian.chk')).toEqual(
      {
        status: 0,
        output: '',
      },
    );
    guests['debian'] = await GuestConsole.attach(booted, 'debian');
    expect(await output('debian', 'echo $MARK; cat /root/before; sync')).toBe('1042\nkept\n');
  });

  it.each([
    ['linux', 'mini'],
    ['mini', 'second'],
    ['linux', 'second'],
    ['debian', 'linux'],
  ])('%s reaches %s and sends it a file through TCP', { timeout: 120_000 }, async (sender, receiver) => {
    const to = await address(receiver);
    expect(await output(sender, `ping -c 2 ${to}`)).toMatch(
      /2 packets transmitted, 2 (packets )?received, 0% packet loss/,
    );
    await output(sender, FILE);
    // In the foreground: its input is the terminal, which has no end.
    const received = await guests[receiver]!.begin('nc -l -p 5001 > /tmp/got');
    await booted.advance(500);
    expect((await guests[sender]!.run(`nc ${to} 5001 < /tmp/sent`)).status).toBe(0);
    expect((await received()).status).toBe(0);
    const [sent] = (await output(sender, 'md5sum /tmp/sent')).split(' ');
    const [got] = (await output(receiver, 'md5sum /tmp/got')).split(' ');
    expect(sent).toMatch(/^[0-9a-f]{32}$/);
    expect(got).toBe(sent);
    expect(await output(receiver, 'wc -c < /tmp/got')).toMatch(new RegExp(`^\\s*${MIB << 20}\\n$`));
    await output(sender, 'rm -f /tmp/sent');
    await output(receiver, 'rm -f /tmp/got');
  });

  it('they are gone without a trace after their shutdown', async () => {
    expect((await booted.exec('xm shutdown -a -w', 300_000)).status).toBe(0);
    await booted.advance(2_000);
    expect(await traces(booted)).toEqual(empty);
    expect(booted.bugs).toEqual([]);
  }, 120_000);
});
