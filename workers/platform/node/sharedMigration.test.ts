import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GuestConsole } from './guestConsole';
import { type BootedHost, bootedHost, secondHost } from './testing';

/** The mini guest has the volume as a second disk, the Linux guest has its root on it. */
const CREATE = {
  mini: `xm create -q /dev/null kernel=/boot/vmlinuz-2.6.18-xenU memory=64 name=guest vif= 'disk=nbd:host1 2000,xvdb,w'`,
  linux: `sed "/^vif/d; s/^disk.*/disk = [ 'nbd:host1 2000,xvda,w' ]/" /etc/xen/linux > /etc/xen/moving; xm create -q /etc/xen/moving name=guest memory=48`,
};
/** The Linux guest's image is fetched when a domain wants it. */
const PREPARE = {
  mini: 'mke2fs -q -j /dev/hda2',
  linux: 'xm create -q /etc/xen/linux; xm destroy linux; dd if=/home/xen/linux.img of=/dev/hda2 bs=64k conv=fsync',
};
const DISK = { mini: '/dev/xvdb', linux: '/dev/xvda' };
const MOUNT = { mini: 'mount -t ext3 /dev/xvdb /mnt', linux: 'mkdir -p /mnt' };
/** Where the guest's /mnt is when the volume is mounted at /media. */
const SEEN = { mini: '/media', linux: '/media/mnt' };

/** Writes numbered pieces of random data with their sums, without an end. */
const WRITER =
  '(i=0; while :; do i=$((i+1)); dd if=/dev/urandom of=/mnt/p$i bs=4k count=8 2>/dev/null; (cd /mnt; md5sum p$i >> sums); [ $((i % 4)) = 0 ] && sync; echo "n=$i"; [ $i -gt 20 ] && rm -f /mnt/p$((i-20)); sleep 0.05; done) &';

describe.each(['mini', 'linux'] as const)('a %s guest with a disk on a volume', (kind) => {
  let hosts: readonly [BootedHost, BootedHost];
  let guest: GuestConsole;
  const ok = async (host: BootedHost, command: string) => {
    const { status, output } = await host.exec(command, 120_000);
    expect(`${output}status ${status}`).toMatch(/status 0$/);
    return output;
  };
  const reservations = async () => {
    const at = await hosts[0].exec(
      'nbd-client 127.0.0.1 2000 /dev/nbd15 >/dev/null 2>&1; nbd-reserve -l /dev/nbd15; nbd-client -d /dev/nbd15 >/dev/null',
    );
    return at.output.replaceAll(/^\S+ /gm, '');
  };

  beforeAll(async () => {
    const first = await bootedHost({});
    hosts = [first, await secondHost(first, 'host2', { seed: 2 })];
    await ok(first, `${PREPARE[kind]}; service nbd-server start`);
    await ok(first, CREATE[kind]);
    guest = await GuestConsole[kind](first, 'guest');
    expect((await guest.run(MOUNT[kind])).status).toBe(0);
  }, 60_000);
  afterAll(() => hosts[0].close());

  it('migrates there and back while it writes, and no block is lost or torn', async () => {
    await guest.type(`${WRITER}\n`);
    await guest.until(/n=5\r/);
    for (const [times, options] of ['--live', '', '--live', ''].entries()) {
      const [from, to] = [hosts[times % 2]!, hosts[(times + 1) % 2]!];
      expect(await ok(from, `xm migrate ${options} guest host${2 - (times % 2)}`)).toBe('');
      // The writer has moved: the exporter knows it, and the host that it left has nothing of the volume any more.
      await from.advance(1000);
      expect(await reservations()).toBe(`w 192.0.2.${11 + ((times + 1) % 2)}\n`);
      expect((await from.exec('nbd-client -c /dev/nbd0')).status).toBe(1);
      guest = await GuestConsole.attach(to, 'guest');
      await guest.until(/(?:n=\d+\r\n){5}/);
    }
    await guest.run('kill %1; wait');
    await ok(
      hosts[0],
      'xm shutdown -w guest; nbd-client host1 2000 /dev/nbd0; fsck.ext3 -fn /dev/nbd0; mount -o ro /dev/nbd0 /media',
    );
    const pieces = Number(await ok(hosts[0], `ls ${SEEN[kind]}/p* | wc -l`));
    expect(pieces).toBeGreaterThanOrEqual(20);
    // The last piece may lack its sum: the writer was killed.
    const failed = await hosts[0].exec(
      `cd ${SEEN[kind]}; for p in p*; do grep " $p\\$" sums; done > /tmp/sums; md5sum -c /tmp/sums | grep -v OK; wc -l < /tmp/sums; cd /`,
    );
    expect(Number(failed.output)).toBeGreaterThanOrEqual(pieces - 1);
    await ok(hosts[0], 'umount /media; nbd-client -d /dev/nbd0');
    expect(hosts[0].bugs).toEqual([]);
  }, 300_000);

  it('stays where it is when its disk cannot be seen at the other end', async () => {
    const [first, second] = hosts;
    await first.exec('xm destroy guest');
    await ok(
      first,
      CREATE[kind].replace('nbd:host1 2000', 'phy:nbd2').replace(/^/, 'nbd-client host1 2000 /dev/nbd2; '),
    );
    guest = await GuestConsole[kind](first, 'guest');
    const refused = async (text: string) => {
      expect((await first.exec('xm migrate --live guest host2')).output.split('\n')[0]).toBe(`Error: ${text}`);
      expect((await first.exec('xm list')).output).toMatch(/^guest .* [r-][b-]---- /m);
      expect((await guest.run(`dd if=${DISK[kind]} of=/dev/null bs=4k count=1 2>/dev/null; echo $?`)).output).toBe(
        '0\n',
      );
      expect((await second.exec('xm list guest')).status).toBe(3);
      expect(await reservations()).toBe('w 192.0.2.11\n');
    };
    await refused('/dev/nbd2 is not connected to a server.');
    await ok(second, 'nbd-server -p /var/run/other.pid 2000 /dev/hda3; nbd-client host2 2000 /dev/nbd2');
    await refused("phy:nbd2 is another volume here: it is at 192.0.2.12:2000, the domain's is at 192.0.2.11:2000.");
    await ok(second, 'nbd-client -d /dev/nbd2; nbd-client host1 2000 /dev/nbd2');
    await ok(first, 'xm block-attach guest phy:hda5 xvdc w');
    await refused("Device of type 'vbd' refuses migration: phy:hda5 is a disk of this host alone.");
    await ok(first, 'xm block-detach guest xvdc');
    expect(await ok(first, 'xm migrate --live guest host2')).toBe('');
    expect(await reservations()).toBe('w 192.0.2.12\n');
    await second.exec('xm destroy guest');
    await first.exec('nbd-client -d /dev/nbd2');
    expect(hosts[0].bugs).toEqual([]);
  }, 300_000);

  it('is not given away before its disk has kept what it was given', async () => {
    const [first, second] = hosts;
    await first.exec('xm destroy guest');
    await ok(first, CREATE[kind]);
    guest = await GuestConsole[kind](first, 'guest');
    await ok(first, 'kill -STOP $(cat /var/run/nbd-server.pid)');
    const number = kind === 'mini' ? 51728 : 51712;
    expect((await first.exec('xm migrate --live guest host2', 120_000)).output).toMatch(
      new RegExp(`^Error: Timeout waiting for Device ${number} \\(vbd\\) to finish its requests\\n`),
    );
    await ok(first, 'kill -CONT $(cat /var/run/nbd-server.pid)');
    expect((await guest.run('echo on | dd of=/tmp/on; sync; cat /tmp/on')).output).toContain('on\n');
    expect((await second.exec('xm list guest')).status).toBe(3);
    expect(await ok(first, 'xm migrate --live guest host2')).toBe('');
    await second.exec('xm destroy guest');
    expect(first.bugs).toEqual([]);
  }, 300_000);
});
