import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GuestConsole } from './guestConsole';
import { type BootedHost, bootedHost, rebooted, secondHost } from './testing';

describe('a volume that one host exports and both import', () => {
  let first: BootedHost;
  let second: BootedHost;
  const ok = async (host: BootedHost, command: string) => {
    const { status, output } = await host.exec(command);
    expect(`${output}status ${status}`).toMatch(/status 0$/);
    return output;
  };

  beforeAll(async () => {
    first = await bootedHost({});
    second = await secondHost(first, 'host2', { seed: 2 });
  }, 60_000);
  afterAll(() => first.close());

  it('holds what either of them writes, and what is written goes over the network', async () => {
    expect(await ok(first, '/etc/init.d/nbd-server start')).toBe('Starting nbd-server: done.\n');
    await ok(first, 'service nbd-server status; nbd-client host1 2000 /dev/nbd0');
    expect(await ok(second, 'nbd-client host1 2000 /dev/nbd0')).toContain('size = 1048576KB\n');
    const sent = async () => Number(/peth0:\s*(?:\d+\s+){8}(\d+)/.exec(await ok(second, 'cat /proc/net/dev'))![1]);
    const before = await sent();
    await ok(
      second,
      'dd if=/dev/urandom of=/root/data bs=64k count=16; dd if=/root/data of=/dev/nbd0 seek=64 bs=64k conv=fsync',
    );
    expect((await sent()) - before).toBeGreaterThan(1 << 20);
    expect(await ok(second, 'cat /proc/net/tcp')).toMatch(/ 0B0200C0:07D0 01 /);
    const [sum] = (await ok(second, 'md5sum /root/data')).split(' ');
    expect(await ok(first, 'dd if=/dev/nbd0 skip=64 bs=64k count=16 2>/dev/null | md5sum')).toContain(sum);
    await ok(second, 'nbd-client -d /dev/nbd0');
    await ok(first, 'nbd-client -d /dev/nbd0');
    expect(await ok(first, 'dd if=/dev/hda2 skip=64 bs=64k count=16 2>/dev/null | md5sum')).toContain(sum);
    expect(first.bugs).toEqual([]);
  });

  describe('used by guests', () => {
    const guest = (name: string, mode: string, disk = 'nbd:host1 2000') =>
      `xm create -q /dev/null kernel=/boot/vmlinuz-2.6.18-xenU memory=16 name=${name} 'disk=${disk},xvdb,${mode}'`;
    const destroy = async () => {
      for (const host of [first, second]) await host.exec('xm destroy a; xm destroy b; xm destroy san');
    };
    const holders = async () => {
      await ok(first, 'nbd-client 127.0.0.1 2000 /dev/nbd15');
      const report = await ok(first, 'nbd-reserve -l /dev/nbd15');
      await ok(first, 'nbd-client -d /dev/nbd15');
      return report.split('\n').flatMap((line) => (line === '' ? [] : [line.replace(/^\S+ /, '')]));
    };
    const usedOn = (host: number) =>
      `Error: Device 51728 (vbd) could not be connected.\nDevice /dev/nbd0 is mounted in a guest domain on 192.0.2.1${host},\nand so cannot be mounted now.\n`;

    it('has one writer over all hosts, unless another does not ask', async () => {
      await ok(first, guest('a', 'w'));
      expect(await holders()).toEqual(['w 192.0.2.11']);
      expect(await second.exec(guest('b', 'w'))).toEqual({ status: 1, output: usedOn(1) });
      expect((await second.exec(guest('b', 'r'))).output).toBe(
        usedOn(1).replace('mounted in', 'mounted read-write in').replace('mounted now', 'mounted read-only now'),
      );
      expect(await holders()).toEqual(['w 192.0.2.11']);
      // Nothing of what was refused is left: neither the domain nor its import.
      expect((await second.exec('nbd-client -c /dev/nbd0; xm list b')).status).toBe(3);
      await ok(second, guest('b', 'w!'));
      expect(await holders()).toEqual(['w 192.0.2.11', 'w! 192.0.2.12']);
      await destroy();
      expect(await holders()).toEqual([]);
      await ok(second, guest('b', 'w'));
      expect(await holders()).toEqual(['w 192.0.2.12']);
      await destroy();
    });

    it('has any number of readers, and no writer beside them', async () => {
      await ok(first, guest('a', 'r'));
      await ok(second, guest('b', 'r'));
      expect(await holders()).toEqual(['r 192.0.2.11', 'r 192.0.2.12']);
      await second.exec('xm destroy b');
      expect((await second.exec(guest('b', 'w'))).output).toBe(usedOn(1));
      await destroy();
    });

    it('is one device for the guests of a host that has imported it for all of them', async () => {
      await ok(second, 'nbd-client host1 2000 /dev/nbd3');
      await ok(second, guest('a', 'w', 'phy:nbd3'));
      expect(await holders()).toEqual(['w 192.0.2.12']);
      expect((await second.exec(guest('b', 'w', 'phy:nbd3'))).output).toContain(
        'Device /dev/nbd3 is mounted in a guest domain,\nand so cannot be mounted now.\n',
      );
      expect((await first.exec(guest('b', 'w'))).output).toBe(usedOn(2));
      await destroy();
      expect(await holders()).toEqual([]);
      await ok(second, 'nbd-client -d /dev/nbd3');
      expect((await second.exec(guest('a', 'w', 'phy:nbd3'))).output).toContain(
        'could not be connected. /dev/nbd3 is not connected to a server.\n',
      );
    });

    it('is no disk for the guests of its own host but through the server', async () => {
      await ok(second, guest('a', 'w'));
      expect((await first.exec(guest('b', 'w', 'phy:hda2'))).output).toContain(
        'Device /dev/hda2 is exported by nbd-server,\nand so cannot be mounted by a guest.\n',
      );
      expect((await first.exec('mount /dev/hda2 /mnt')).output).toContain('/dev/hda2 already mounted or /mnt busy');
      // The writes of a host that has no writer do not arrive.
      const { output } = await first.exec(
        'nbd-client host1 2000 /dev/nbd1; echo x | dd of=/dev/nbd1 conv=fsync; nbd-client -d /dev/nbd1',
      );
      expect(output).toContain("dd: fsync failed for `/dev/nbd1': Input/output error\n");
      await destroy();
    });

    it('may be the root of a guest', async () => {
      await ok(second, 'xm create -q /etc/xen/san');
      const console = await GuestConsole.mini(second, 'san');
      expect((await console.run('mount')).output).toMatch(/^\/dev\/(root|xvda) on \/ type ext[23] \(rw/m);
      await console.run('echo from a guest > /root/note; sync');
      await second.exec('xm shutdown -w san');
      await ok(first, 'nbd-client host1 2000 /dev/nbd0; mount -o ro /dev/nbd0 /mnt');
      expect(await ok(first, 'cat /mnt/root/note; umount /mnt; nbd-client -d /dev/nbd0')).toContain('from a guest\n');
      expect(await holders()).toEqual([]);
    });

    it('says in one line what is wrong with its server', async () => {
      const complaint = async (disk: string) => (await second.exec(guest('a', 'w', disk))).output;
      expect(await complaint('nbd:nowhere 2000')).toBe(
        'Error: Device 51728 (vbd) could not be connected. nbd:nowhere 2000 could not be imported: Gethostname failed: Unknown host.\n',
      );
      expect(await complaint('nbd:host1 2001')).toContain(
        'nbd:host1 2001 could not be imported: Connect: Connection refused.\n',
      );
      expect(await complaint('nbd:192.0.2.99 2000')).toContain('could not be imported: Connect: No route to host.\n');
      expect(await complaint('nbd:host1')).toContain('nbd: needs a host and a port, as in nbd:host1 2000.\n');
      expect(await complaint('nbd:host1 8002')).toContain('could not be imported: Failed/1: Connection timed out.\n');
      expect((await second.exec('xm list a; ls /dev/nbd0 && nbd-client -c /dev/nbd0')).status).toBe(1);
      expect(first.bugs).toEqual([]);
    });

    it('gives errors to a guest that writes when the server ends, and its host goes on', async () => {
      await ok(second, 'xm create -q /etc/xen/san');
      const console = await GuestConsole.mini(second, 'san');
      await ok(first, 'service nbd-server stop');
      const { output } = await console.run(
        'echo lost > /root/lost; sync; dd if=/dev/xvda of=/dev/null bs=1k skip=500000 count=1',
      );
      expect(output).toContain("dd: reading `/dev/xvda': Input/output error\n");
      expect((await console.run('dmesg | tail -1')).output).toContain('lost page write due to I/O error on xvda\n');
      expect(await ok(second, 'dmesg')).toContain('nbd0: Receive control failed (result -32)\n');
      expect((await second.exec('xm migrate --live san host1')).output).toContain(
        "Error: Device of type 'vbd' refuses migration: nbd:host1 2000 has lost its server.\n",
      );
      await ok(second, 'xm destroy san; xm list');
      await ok(first, 'service nbd-server start');
      expect(await holders()).toEqual([]);
      await ok(second, 'xm create -q /etc/xen/san');
      expect(await holders()).toEqual(['w 192.0.2.12']);
    });

    it('has what was written and flushed when its host has lost power, and nobody reserves it any more', async () => {
      const console = await GuestConsole.mini(second, 'san');
      await console.run('echo kept > /root/kept; sync');
      await first.host.host.disks.save();
      first.host.crash();
      await second.advance(2000);
      first = await rebooted(first, 'host1');
      await ok(first, 'service nbd-server start');
      // The guest waits, asks after a while, and hears that nobody knows its connection.
      expect((await console.run('dd if=/dev/xvda of=/dev/null bs=1k skip=600000 count=1')).output).toContain(
        'Input/output error',
      );
      await ok(second, 'xm destroy san; xm create -q /etc/xen/san');
      const again = await GuestConsole.mini(second, 'san');
      expect((await again.run('cat /root/kept')).output).toBe('kept\n');
      expect(await holders()).toEqual(['w 192.0.2.12']);
    });

    it('is free again when a host that used it has lost power', async () => {
      second.host.crash();
      await first.advance(2000);
      expect((await first.exec(guest('a', 'w'))).output).toBe(usedOn(2));
      second = await rebooted(second, 'host2');
      await first.advance(20_000);
      expect(await holders()).toEqual([]);
      await ok(first, guest('a', 'w'));
      await destroy();
      expect(first.bugs).toEqual([]);
    });
  });
});

describe('a network block device on a bad line', () => {
  it('is slow and loses nothing', async () => {
    const first = await bootedHost({});
    const { lan } = first.host.host.world;
    const plug = lan.plug.bind(lan);
    // From now on every machine that is plugged in has 300 ms to the others, and one frame in forty gets lost.
    lan.plug = (clock, receive) => {
      let frames = 0;
      const port = plug(clock, receive);
      const send = (frame: Uint8Array) => {
        const copy = frame.slice();
        if (++frames % 40 !== 0) clock.at(clock.nowNs + 300e6, () => port.send(copy));
      };
      return { ...port, send };
    };
    const second = await secondHost(first, 'host2', { seed: 2 });
    await first.exec('service nbd-server start');
    const startMs = first.lab.nowMs;
    const { status, output } = await second.exec(
      'nbd-client host1 2000 /dev/nbd0; dd if=/dev/urandom of=/root/data bs=64k count=8; dd if=/root/data of=/dev/nbd0 bs=64k conv=fsync; head -c 524288 /dev/nbd0 | cmp - /root/data',
      600_000,
    );
    expect(`${output} ${status}`).toMatch(/ 0$/);
    // At most 64 KiB are on their way, for 600 ms there and back.
    expect(first.lab.nowMs - startMs).toBeGreaterThan(2 * 8 * 600);
    expect(first.bugs).toEqual([]);
    first.close();
  }, 120_000);
});
