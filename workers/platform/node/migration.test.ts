import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GuestConsole } from './guestConsole';
import { type BootedHost, bootedHost, eventually, secondHost, traces } from './testing';

const MINI =
  'xm create -q /dev/null kernel=/boot/vmlinuz-2.6.18-xenU memory=64 name=guest vif=mac=00:16:3e:00:00:01 ip=192.0.2.90 netmask=255.255.255.0';
/** The same kernel as /etc/xen/linux, which stays in its RAM disk: a disk of one host alone would not come along. */
const LINUX =
  'sed "/^disk/d; s/^root.*/root = \'\\/dev\\/ram0\'/" /etc/xen/linux > /etc/xen/moving; xm create -q /etc/xen/moving name=guest memory=48';

/** Both hosts have written down the same rounds, and three observers how long the guest stood still. */
function expectSameBooks(from: BootedHost, to: BootedHost): void {
  const [sent, arrived] = [from, to].map(({ host }) => host.host.migrations.recorder.records.at(-1)!);
  const rounds = (record: typeof sent) =>
    record!.rounds.filter(({ sent: pages }) => pages > 0).map(({ iteration, sent: pages }) => [iteration, pages]);
  expect(rounds(arrived)).toEqual(rounds(sent));
  for (const span of [sent!.downtime, arrived!.downtime, arrived!.heartbeat]) {
    expect(span!.virtualMs).toBeGreaterThan(0);
    expect(span!.virtualMs).toBeLessThan(sent!.span!.virtualMs);
  }
}

const counted = (text: string) => [...text.matchAll(/n=(\d+)\r*\n/g)].map((match) => Number(match[1]));

describe.each(['mini', 'linux'] as const)('a %s guest moves between two hosts', (kind) => {
  let hosts: readonly [BootedHost, BootedHost];
  let empty: readonly unknown[];
  let guest: GuestConsole;
  const console = (host: BootedHost) => GuestConsole[kind](host, 'guest');

  beforeAll(async () => {
    const first = await bootedHost({});
    hosts = [first, await secondHost(first, 'host2', { seed: 2 })];
    empty = [await traces(hosts[0]), await traces(hosts[1])];
    const { status, output } = await hosts[0].exec(kind === 'mini' ? MINI : LINUX);
    expect(`${status} ${output}`).toBe('0 ');
    guest = await console(hosts[0]);
    if (kind === 'linux') await guest.run('until ip addr show eth0 | grep -q "inet "; do sleep 1; done');
  }, 60_000);
  afterAll(() => hosts[0].close());

  it('there and back, live and stopped, and nothing of its work is lost or done twice', async () => {
    const command = kind === 'mini' ? 'ifconfig eth0' : 'ip addr show eth0';
    const address = (await guest.run(command)).output;
    await guest.type('(i=0; while :; do i=$((i+1)); echo "n=$i"; sleep 0.05; done) &\n');
    await guest.until(/n=5\r/);
    const numbers: number[] = [];
    for (const [times, options] of ['--live', '', '-l', '--live -r 500', ''].entries()) {
      const [from, to] = [hosts[times % 2]!, hosts[(times + 1) % 2]!];
      const { status, output } = await from.exec(`xm migrate ${options} guest host${2 - (times % 2)}`);
      expect(`${status} ${output}`).toBe('0 ');
      numbers.push(...counted(guest.shown));
      expect(guest.isClosed).toBe(true);
      expect((await from.exec('xm list guest')).status).toBe(3);
      expect((await to.exec('xm list guest')).output).toMatch(/^guest .* [r-][b-]---- /m);
      guest = await GuestConsole.attach(to, 'guest');
      await guest.until(/(?:n=\d+\r\n){3}/);
      expectSameBooks(from, to);
    }
    numbers.push(...counted(guest.shown));
    expect(numbers.length).toBeGreaterThan(30);
    expect(numbers).toEqual(numbers.map((_, i) => numbers[0]! + i));
    await guest.run('kill %1');
    expect((await guest.run(command)).output.replace(/^.*(TX|RX).*$/gm, '')).toContain(
      /inet (?:addr:)?[\d.]+/.exec(address)![0],
    );
    expect(hosts[0].bugs).toEqual([]);
  }, 120_000);

  it('keeps its connections: a transfer goes on and arrives whole', async () => {
    const [first, second] = hosts;
    await guest.run('dd if=/dev/urandom of=/tmp/sent bs=64k count=40 2>/dev/null');
    const received = first.exec('sleep 20 | nc -l -p 5001 > /tmp/got; md5sum < /tmp/got; rm /tmp/got');
    await first.advance(100);
    // A piece every now and then, so that it lasts.
    await guest.begin(
      '(for i in 0 1 2 3 4 5 6 7 8 9; do dd if=/tmp/sent bs=256k skip=$i count=1 2>/dev/null; sleep 0.2; done) | nc 192.0.2.11 5001',
    );
    await first.advance(300);
    expect((await second.exec('xm migrate --live guest host1')).output).toBe('');
    guest = await GuestConsole.attach(first, 'guest');
    await first.advance(100);
    expect((await first.exec('xm migrate --live guest host2')).output).toBe('');
    guest = await GuestConsole.attach(second, 'guest');
    const { output } = await received;
    await first.advance(500);
    const [sum] = (await guest.run('md5sum /tmp/sent')).output.split(' ');
    expect(output.split(' ')[0]).toBe(sum);
  }, 120_000);

  it('stays where it is when the other host will not have it', async () => {
    const [first, second] = hosts;
    const refused = async (text: RegExp) => {
      const { status, output } = await second.exec('xm migrate --live guest host1');
      expect(output).toMatch(text);
      expect(status).toBe(1);
      expect((await second.exec('xm list')).output).toMatch(/^guest .* [r-][b-]---- /m);
      expect((await guest.run('echo $((6*7))')).output).toBe('42\n');
    };
    await second.exec(
      'dd if=/dev/zero of=/root/disk bs=1k count=16 2>/dev/null; xm block-attach guest file:/root/disk xvdb w',
    );
    await refused(/^Error: Device of type 'vbd' refuses migration: file:\/root\/disk is a disk of this host alone\.\n/);
    await second.exec('xm block-detach guest xvdb; rm /root/disk');
    await first.exec('xm create -q /dev/null kernel=/boot/vmlinuz-2.6.18-xenU memory=16 name=guest');
    await refused(/^Error: Domain 'guest' already exists with ID '\d+'\n/);
    await first.exec('xm destroy guest');
    await first.exec(
      'cp /etc/xen/xend-config.sxp /root; sed -i "s/^(xend-relocation-hosts-allow .*/(xend-relocation-hosts-allow \'^10\\\\.\')/" /etc/xen/xend-config.sxp; xend restart',
    );
    await refused(/^Error: the connection was lost\n/);
    expect((await first.exec('grep Rejected /var/log/xen/xend.log')).output).toMatch(
      /Rejected connection from 192\.0\.2\.12 /,
    );
    await first.exec(
      'cp /root/xend-config.sxp /etc/xen; sed -i "s/(xend-relocation-server yes)/(xend-relocation-server no)/" /etc/xen/xend-config.sxp; xend restart',
    );
    await refused(/^Error: can't connect: Connection refused\n/);
    await first.exec('cp /root/xend-config.sxp /etc/xen; xend restart');
    await first.exec('xm create -q /dev/null kernel=/boot/vmlinuz-2.6.18-xenU memory=1800 name=big');
    await refused(/^Error: /);
    await first.exec('xm destroy big; rm /root/xend-config.sxp; xm mem-set 0 2000');
    await first.advance(10_000);
    expect(hosts[0].bugs).toEqual([]);
  }, 120_000);

  it('is not taken from a host whose stream says nothing of this version', async () => {
    const [first, second] = hosts;
    const { output } = await second.exec(
      'xm save guest /root/guest.chk; (echo receive; cat /root/guest.chk; sleep 1) | nc host1 8002; xm restore /root/guest.chk; rm /root/guest.chk',
    );
    expect(output).toMatch(
      /^\(ready receive\)\n\(err \(type XendError\) \(value 'migration from a host of another version \(stream unknown, here 1\)'\)\)\n$/,
    );
    expect((await first.exec('xm list guest')).status).toBe(3);
    expect((await first.exec('tail -n 3 /var/log/xen/xend.log')).output).toContain(
      'Receiving a domain failed: migration from a host of another version (stream unknown, here 1)',
    );
    guest = await GuestConsole.attach(second, 'guest');
    expect((await guest.run('echo $((6*7))')).output).toBe('42\n');
  }, 120_000);

  it('may be destroyed on its way', async () => {
    const [first, second] = hosts;
    // Slow enough to be caught.
    const moving = second.exec('xm migrate -r 100 guest host1');
    await eventually(second, 'xm list', /^migrating-guest /m);
    expect((await second.exec('xm destroy migrating-guest')).output).toBe('');
    expect((await moving).status).toBe(1);
    await first.advance(1000);
    expect((await first.exec('xm list guest')).status).toBe(3);
    expect((await second.exec('xenstore-list /vm')).output.split('\n')).toHaveLength(2);
    expect(hosts[0].bugs).toEqual([]);
  }, 120_000);

  it('leaves nothing behind', async () => {
    await hosts[1].exec('xm destroy guest; rm -f /etc/xen/moving');
    await hosts[0].advance(25_000);
    expect(await traces(hosts[1])).toEqual(empty[1]);
    expect((await traces(hosts[0])) as object).toMatchObject({
      domains: [0],
      ports: (empty[0] as { ports: number }).ports,
    });
    expect(hosts[0].bugs).toEqual([]);
  }, 120_000);
});
