/** iptables on booted hosts: who may migrate to a host, and what a guest's own rules do. Users' Manual, "Security". */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GuestConsole } from './guestConsole';
import { type BootedHost, bootedHost, eventually, secondHost } from './testing';

const GUEST =
  'xm create -q /dev/null kernel=/boot/vmlinuz-2.6.18-xenU memory=64 name=guest vif=mac=00:16:3e:00:00:01 ip=192.0.2.90 netmask=255.255.255.0';

describe('a firewall', () => {
  let first: BootedHost;
  let second: BootedHost;
  let guest: GuestConsole;

  const ok = async (host: BootedHost, command: string) => {
    const { status, output } = await host.exec(command);
    expect(`${status} ${output}`).toBe('0 ');
  };
  const isOn = async (host: BootedHost) => (await host.exec('xm list guest')).status === 0;
  const packets = async (host: BootedHost, rule: number) =>
    Number((await host.exec('iptables -nvxL INPUT')).output.split('\n')[rule + 1]!.trim().split(/\s+/)[0]);

  beforeAll(async () => {
    first = await bootedHost({});
    second = await secondHost(first, 'host2', { seed: 2 });
    await ok(second, GUEST);
    guest = await GuestConsole.mini(second, 'guest');
  }, 60_000);
  afterAll(() => first.close());

  it("of the manual's two lines lets a migration in from inside the network only", async () => {
    await ok(first, 'iptables -A INPUT -p tcp --destination-port 8002 -j REJECT');
    await ok(first, 'iptables -I INPUT -p tcp --source 198.51.100.0/24 --destination-port 8002 -j ACCEPT');
    expect(await second.exec('xm migrate --live guest host1')).toMatchObject({
      status: 1,
      output: expect.stringMatching(/^Error: can't connect: Connection refused\n/) as string,
    });
    expect(await isOn(second)).toBe(true);
    expect([await packets(first, 1), await packets(first, 2)]).toEqual([0, 1]);
    // Local connections come from outside of it too.
    expect((await first.exec('nc 192.0.2.11 8002 </dev/null')).status).not.toBe(0);

    await ok(first, 'iptables -R INPUT 1 -p tcp --source 192.0.2.0/24 --destination-port 8002 -j ACCEPT');
    await ok(second, 'xm migrate --live guest host1');
    expect(await isOn(second)).toBe(false);
    expect(await isOn(first)).toBe(true);
    expect(await packets(first, 1)).toBeGreaterThan(3);
    guest = await GuestConsole.attach(first, 'guest');
  }, 60_000);

  it.each([
    ['icmp-net-unreachable', 'Network is unreachable'],
    ['icmp-host-prohibited', 'No route to host'],
    ['icmp-proto-unreachable', 'Protocol not available'],
    ['tcp-reset', 'Connection refused'],
  ])(
    'that rejects with %s makes xm say so',
    async (how, text) => {
      await ok(second, `iptables -A INPUT -p tcp --dport 8002 -j REJECT --reject-with ${how}`);
      expect((await first.exec('xm migrate guest host2')).output).toMatch(
        new RegExp(`^Error: can't connect: ${text}\n`),
      );
      await ok(second, 'iptables -F');
    },
    60_000,
  );

  it('that drops leaves the other side waiting for 30 s', async () => {
    await ok(second, 'iptables -A INPUT -p tcp --dport 8002 -j DROP');
    const { status, output } = await first.exec('time -p xm migrate guest host2');
    expect(output).toMatch(/^Error: can't connect: timed out\n[\s\S]*real 30\.\d/);
    expect(status).toBe(1);
    await ok(second, 'iptables -F');
    expect((await guest.run('echo $((6*7))')).output).toBe('42\n');
  }, 60_000);

  it('that closes while a domain is on its way does not stop it', async () => {
    const moving = first.exec('xm migrate -r 100 guest host2');
    await eventually(first, 'xm list', /^migrating-guest /m);
    await ok(second, 'iptables -I INPUT -p tcp --dport 8002 -j REJECT');
    expect(await moving).toEqual({ status: 0, output: '' });
    expect(await isOn(second)).toBe(true);
    await ok(second, 'iptables -F');
    guest = await GuestConsole.attach(second, 'guest');
  }, 60_000);

  it("of the guest's own moves with it, rules, counters and what is known of connections", async () => {
    const ping = async () => (await second.exec('ping -c1 -W1 192.0.2.90')).output;
    expect(await ping()).toContain('1 received');
    await guest.run('iptables -A INPUT -p icmp --icmp-type echo-request -j REJECT');
    expect(await ping()).toContain('From 192.0.2.90 icmp_seq=1 Destination Port Unreachable\n');
    await guest.run('iptables -A INPUT -m state --state ESTABLISHED -j ACCEPT; iptables -P INPUT DROP');
    expect((await guest.run('ping -c1 192.0.2.12')).output).toContain('1 received');
    const before = (await guest.run('iptables -nvxL')).output;
    expect(before).toMatch(/^ +1 +84 REJECT /m);
    await ok(second, 'xm migrate --live guest host1');
    guest = await GuestConsole.attach(first, 'guest');
    expect((await guest.run('iptables -nvxL')).output).toBe(before);
    // Until its interface is on the new bridge.
    await first.advance(1000);
    expect(await ping()).toContain('Destination Port Unreachable');
    expect((await guest.run('ping -c1 192.0.2.12')).output).toContain('1 received');
    expect((await guest.run('iptables -nvxL')).output).toMatch(/^ +2 +168 REJECT /m);
    expect(first.bugs).toEqual([]);
  }, 60_000);
});

describe('a firewall that closes while a domain is on its way, when the connection is lost before the last word', () => {
  let first: BootedHost;
  let second: BootedHost;
  let cuts = 0;
  const CLOSE = 'iptables -I INPUT -p tcp --dport 8002 -j REJECT';
  const states = async () =>
    await Promise.all(
      [first, second].map(
        async (host) => /guest .* ([r-][b-]([p-])---) /.exec((await host.exec('xm list')).output)?.[2],
      ),
    );

  beforeAll(async () => {
    first = await bootedHost({});
    second = await secondHost(first, 'host2', { seed: 2 });
    const links = first.host.host.world.lan.bulk;
    const join = links.join.bind(links);
    links.join = (name, clock, listener) => {
      const end = join(name, clock, listener);
      const send = (bytes: Uint8Array, sent: () => void) => {
        if (new TextDecoder().decode(bytes) === 'commit\n') {
          cuts++;
          links.cut();
        }
        end.send(bytes, sent);
      };
      return { send, take: (bytes) => end.take(bytes), close: () => end.close() };
    };
    expect((await first.exec(GUEST)).output).toBe('');
  }, 60_000);
  afterAll(() => first.close());

  it('on both hosts: neither lets it run until they reach each other again, and then one does', async () => {
    const moving = first.exec('xm migrate -r 100 guest host2', 600_000);
    await eventually(first, 'xm list', /^migrating-guest /m);
    for (const host of [first, second]) expect((await host.exec(CLOSE)).status).toBe(0);
    await first.advance(60_000);
    expect(cuts).toBe(1);
    expect((await states())[1]).toBe('p');
    for (const host of [first, second]) await host.exec('iptables -F');
    await moving;
    await first.advance(4000);
    expect(await states()).toEqual([undefined, '-']);
    expect(first.bugs).toEqual([]);
  }, 120_000);

  it('on the destination only: it asks the source, and has the domain', async () => {
    const moving = second.exec('xm migrate -r 100 guest host1', 600_000);
    await eventually(second, 'xm list', /^migrating-guest /m);
    expect((await first.exec(CLOSE)).status).toBe(0);
    await first.advance(60_000);
    expect(cuts).toBe(2);
    expect((await states())[0]).toBe('-');
    await first.exec('iptables -F');
    await moving;
    await first.advance(4000);
    expect(await states()).toEqual(['-', undefined]);
    expect(first.bugs).toEqual([]);
  }, 120_000);
});

describe('network-bridge antispoof=yes', () => {
  let host: BootedHost;
  const run = async (command: string) => (await host.exec(command)).output;
  const forward = async () => (await run('iptables-save')).split('\n').filter((line) => /^-A FORWARD/.test(line));

  beforeAll(async () => {
    host = await bootedHost({});
  }, 60_000);
  afterAll(() => host.close());

  it('lets out what has the right source, and nothing else', async () => {
    expect(await run('cat /proc/net/ip_tables_names')).toBe('');
    await run('/etc/xen/scripts/network-bridge stop; /etc/xen/scripts/network-bridge start antispoof=yes');
    expect(await run('iptables -n -L FORWARD')).toBe(`Chain FORWARD (policy DROP)
target     prot opt source               destination         
ACCEPT     all  --  0.0.0.0/0            0.0.0.0/0           PHYSDEV match --physdev-in peth0 
ACCEPT     all  --  0.0.0.0/0            0.0.0.0/0           PHYSDEV match --physdev-in vif0.0 
`);
    expect(await run(GUEST.replace('vif=mac=00:16:3e:00:00:01', 'vif=mac=00:16:3e:00:00:01,ip=192.0.2.90'))).toBe('');
    const vif = (await run('brctl show')).match(/vif[1-9]\d*\.0/)![0];
    expect(await forward()).toEqual([
      `-A FORWARD -m state --state RELATED,ESTABLISHED -m physdev  --physdev-out ${vif} -j ACCEPT `,
      `-A FORWARD -p udp -m physdev  --physdev-in ${vif} -m udp --sport 68 --dport 67 -j ACCEPT `,
      `-A FORWARD -s 192.0.2.90 -m physdev  --physdev-in ${vif} -j ACCEPT `,
      '-A FORWARD -m physdev  --physdev-in peth0 -j ACCEPT ',
      '-A FORWARD -m physdev  --physdev-in vif0.0 -j ACCEPT ',
    ]);
    const guest = await GuestConsole.mini(host, 'guest');
    expect((await guest.run('ping -c1 -W1 192.0.2.11')).output).toContain('1 received');
    await guest.run('ifconfig eth0 192.0.2.91');
    expect((await guest.run('ping -c1 -W1 192.0.2.11')).output).toContain('0 received');
    // Its answers have the wrong source as well.
    expect(await run('ping -c1 -W1 192.0.2.91')).toContain('0 received');
    await guest.run('ifconfig eth0 192.0.2.90');
    expect(await run('ping -c1 -W1 192.0.2.90')).toContain('1 received');
  }, 60_000);

  it('leaves no rule behind when the guest is gone', async () => {
    await run('xm destroy guest');
    await host.advance(1000);
    expect(await forward()).toEqual([
      '-A FORWARD -m physdev  --physdev-in peth0 -j ACCEPT ',
      '-A FORWARD -m physdev  --physdev-in vif0.0 -j ACCEPT ',
    ]);
    expect(host.bugs).toEqual([]);
  }, 60_000);
});
