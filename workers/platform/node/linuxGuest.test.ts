import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GuestConsole } from './guestConsole';
import { hypercallsOf, REFUSED } from './hypercallLog';
import { type BootedHost, bootedHost, eventually, traces } from './testing';

describe('an unmodified Linux kernel', { timeout: 120_000 }, () => {
  let booted: BootedHost;
  let linux: GuestConsole;
  /** Virtual time of its first prompt, to the nanosecond, and what it had said until then. */
  let boot: { readonly nowNs: number; readonly shown: string };
  /** What the host looked like before there was a guest. */
  let empty: unknown;
  beforeAll(async () => {
    booted = await bootedHost({});
    empty = await traces(booted);
  });
  afterAll(() => {
    expect(booted.bugs).toEqual([]);
    booted.close();
  });

  const output = async (command: string) => (await linux.run(command)).output;
  const hostOutput = async (command: string) => (await booted.exec(command)).output;
  /** Seconds that the guest has used, by xm list. */
  const cpuTime = async () => Number(/^linux\s.*\s(\d+\.\d)$/m.exec(await hostOutput('xm list'))![1]);

  it('boots from its PVH note to a shell on hvc0, its root file system on xvda', async () => {
    expect(await hostOutput('xm create /etc/xen/linux vcpus=2')).toContain('Started domain linux (id=1)');
    linux = await GuestConsole.linux(booted, 'linux');
    boot = { nowNs: booted.lab.clock.nowNs, shown: linux.shown };
    expect(await output('cat /sys/hypervisor/type; mount; dmesg')).toMatch(
      /^xen\n(.|\n)*\/dev\/xvda on \/ type ext4 \(rw(.|\n)*xenfs on \/proc\/xen(.|\n)*Hypervisor detected: Xen HVM/,
    );
    expect(await output('cat /sys/hypervisor/version/major /sys/hypervisor/version/minor')).toBe('3\n4\n');
    expect(await output('ls /proc/xen; ls -1 /sys/bus/xen/devices')).toMatch(/xenbus\s+vbd-51712\s+vif-0\n/);
    expect(await output('cat /proc/cmdline')).toBe('root=/dev/xvda rw console=hvc0 quiet\n');
    // None of a PC's interrupts is left.
    expect(await output('grep -c -E "IO-APIC|XT-PIC" /proc/interrupts')).toBe('0\n');
    expect(await output('cat /sys/hypervisor/uuid')).toBe(
      await hostOutput('xenstore-read "$(xenstore-read /local/domain/1/vm)/uuid"'),
    );
  });

  it('makes the hypercalls that its Xen drivers are known to make, and none is answered by a stub', async () => {
    expect(await hypercallsOf(booted, 1)).toEqual([
      ['xen_version get_features', 'full'],
      ['memory_op add_to_physmap', 'full'],
      ['hvm_op pagetable_dying', REFUSED],
      ['xen_version version', 'full'],
      ['xen_version extraversion', 'full'],
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
      ['grant_table_op query_size', 'full'],
      ['memory_op decrease_reservation', 'full'],
      ['grant_table_op set_version', REFUSED],
      ['event_channel_op alloc_unbound', 'full'],
      ['event_channel_op unmask', 'full'],
      // The console's ring was full.
      ['sched_op yield', 'full'],
      ['xen_version guest_handle', 'full'],
    ]);
  });

  it('has an address from the network and reaches its gateway', async () => {
    // The DHCP client works beside the shell.
    await linux.run('until ip addr show eth0 | grep -q "inet "; do sleep 1; done');
    expect(await output('ip addr show eth0')).toMatch(/inet 192\.0\.2\.\d+\/24/);
    expect(await output('ping -c 2 192.0.2.1')).toContain('2 packets received, 0% packet loss');
  });

  it('has the time of its host, whatever the time outside', async () => {
    const difference = async () => {
      const [uptime, unix] = (await output('cut -d" " -f1 /proc/uptime; date +%s')).split(/\s/).map(Number);
      return { uptime: uptime! - booted.lab.nowMs / 1000, unix: unix! - Number(await hostOutput('date +%s')) };
    };
    const before = await difference();
    expect(Math.abs(before.unix)).toBeLessThanOrEqual(1);
    await booted.advance(100_000);
    await setTimeout(300);
    const after = await difference();
    expect(Math.abs(after.uptime - before.uptime)).toBeLessThan(0.02);
    expect(Math.abs(after.unix)).toBeLessThanOrEqual(1);
    expect(await output('cat /sys/devices/system/clocksource/clocksource0/current_clocksource')).toBe('xen\n');
  });

  it('sleeps without using its processor, and no longer than it means to', async () => {
    const before = await cpuTime();
    const start = booted.lab.nowMs;
    await linux.run('sleep 5');
    expect(booted.lab.nowMs - start).toBeGreaterThanOrEqual(5_000);
    expect(booted.lab.nowMs - start).toBeLessThan(5_200);
    expect((await cpuTime()) - before).toBeLessThan(0.2);
  });

  it('gives memory back when xm mem-set asks for it, and takes it again', async () => {
    const total = async () => Number(/MemTotal:\s+(\d+) kB/.exec(await output('cat /proc/meminfo'))![1]);
    const outside = async () => Number(/^linux\s+\d+\s+(\d+)/m.exec(await hostOutput('xm list'))![1]);
    const [before, free] = [await total(), Number(await hostOutput('xm info | sed -n "s/^free_memory *: //p"'))];
    expect(await outside()).toBe(32);
    await booted.exec('xm mem-set linux 24');
    await booted.advance(3_000);
    // Its balloon driver counts the hole below 1 MiB as well, which is not memory.
    const after = await total();
    expect(before - after).toBeGreaterThan(7.5 * 1024);
    expect(before - after).toBeLessThanOrEqual(8 * 1024);
    expect(await outside()).toBe(24);
    expect(Number(await hostOutput('xm info | sed -n "s/^free_memory *: //p"'))).toBeGreaterThanOrEqual(free + 7);
    await booted.exec('xm mem-set linux 32');
    await booted.advance(3_000);
    expect(await total()).toBe(before);
    expect(await outside()).toBe(32);
    expect(await output('echo $((6 * 7))')).toBe('42\n');
  });

  it('gets another disk and another interface while it runs, and loses them again', async () => {
    const devices = () => output('ls /sys/bus/xen/devices');
    await booted.exec('xm block-attach linux phy:hda5 xvdb w; xm network-attach linux');
    await booted.advance(1_000);
    expect((await devices()).split(/\s+/)).toEqual(['vbd-51712', 'vbd-51728', 'vif-0', 'vif-1', '']);
    const write = 'dd if=/dev/urandom of=/dev/xvdb bs=64k count=16 2>/dev/null; sync';
    const written = await output(`${write}; dd if=/dev/xvdb bs=64k count=16 2>/dev/null | md5sum`);
    expect((await linux.run('ip link set eth1 up; ip link set eth1 down')).status).toBe(0);
    await booted.exec('xm block-detach linux xvdb; xm network-detach linux 1');
    await booted.advance(1_000);
    expect(await hostOutput('dd if=/dev/hda5 bs=64k count=16 2>/dev/null | md5sum')).toBe(written);
    expect((await devices()).split(/\s+/)).toEqual(['vbd-51712', 'vif-0', '']);
    expect(await output('ls /sys/class/net; cat /proc/partitions')).not.toMatch(/eth1|xvdb/);
  });

  it('has one processor, whatever it is given: the others stay offline', async () => {
    expect(await hostOutput('xm vcpu-list linux')).toMatch(/ 0 +\d .*\n.* 1 +- +--p +0\.0 /);
    expect(await output('nproc')).toBe('1\n');
    await booted.exec('xm vcpu-set linux 1; xm vcpu-set linux 2');
    expect(await output('nproc')).toBe('1\n');
  });

  it('does what xm sysrq says', async () => {
    expect((await booted.exec('xm sysrq linux h')).status).toBe(0);
    await linux.until(/sysrq: HELP : .*show-memory-usage/);
    await linux.type('\n');
  });

  it('stands still while it is paused', async () => {
    await linux.run('while :; do :; done & sleep 1');
    await booted.exec('xm pause linux');
    expect(await hostOutput('xm list linux')).toMatch(/^linux .* -+p--- /m);
    const before = await cpuTime();
    await booted.advance(10_000);
    expect(await cpuTime()).toBe(before);
    await booted.exec('xm unpause linux');
    await booted.advance(1_000);
    expect(await cpuTime()).toBeGreaterThan(before + 0.5);
    expect(await output('kill %1; wait; echo here')).toContain('here\n');
  });

  it('comes back as another domain when xm reboot asks it to', async () => {
    await linux.run('echo kept > /root/f; sync');
    await booted.advance(60_000);
    expect((await booted.exec('xm reboot -w linux')).status).toBe(0);
    await eventually(booted, 'xm list', /^linux\s+2\s+32\s+1 /m);
    linux = await GuestConsole.linux(booted, 'linux');
    expect(await output('cat /root/f; dmesg | grep -c "Linux version"')).toBe('kept\n1\n');
  });

  it('is shut down by xm shutdown, and what it wrote is on its disk', async () => {
    await linux.run('echo more > /root/g');
    expect((await booted.exec('xm shutdown -w linux')).status).toBe(0);
    await booted.advance(1_000);
    expect(await traces(booted)).toEqual(empty);
    const read = await hostOutput(
      'mkdir /mnt/linux; losetup /dev/loop5 /home/xen/linux.img; mount -t ext2 -o ro /dev/loop5 /mnt/linux; cat /mnt/linux/root/[fg]; umount /mnt/linux',
    );
    expect(read).toBe('kept\nmore\n');
  });

  it('is gone without a trace after xm destroy', async () => {
    expect(await hostOutput('xm create /etc/xen/linux')).toContain('(id=3)');
    // In the middle of its boot.
    await booted.advance(300);
    expect((await booted.exec('xm destroy linux')).status).toBe(0);
    await booted.advance(1_000);
    expect(await traces(booted)).toEqual(empty);
  });

  it('boots in the same virtual time to the nanosecond on another host like this', async () => {
    const other = await bootedHost({});
    await traces(other);
    await other.exec('xm create /etc/xen/linux vcpus=2');
    const { shown } = await GuestConsole.linux(other, 'linux');
    expect({ nowNs: other.lab.clock.nowNs, shown }).toEqual(boot);
    other.close();
  });
});
