import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GuestConsole } from './guestConsole';
import { type BootedHost, bootedHost, traces } from './testing';

const CONFIG = `kernel = "/boot/vmlinuz-2.6.18-xenU"
memory = 64
vcpus = 2
name = "mini"
disk = ["phy:hda5,sda1,w"]
vif = ["mac=00:16:3e:00:00:07"]
ip = "192.0.2.77"
netmask = "255.255.255.0"
`;
const DOM0_ADDRESS = '192.0.2.11';

/** Counts at the console and into a file on the disk, and over a TCP connection that stays open; pings; keeps a file in memory. */
const WORK = [
  '(i=0; while :; do i=$((i+1)); echo "n=$i"; echo $i >> /data/count; sync; sleep 0.2; done) &',
  'ping -i 0.5 192.0.2.1 > /data/ping &',
  `(i=0; while :; do i=$((i+1)); echo $i; sleep 0.1; done) | nc ${DOM0_ADDRESS} 5000 &`,
];

/** Every number once and in order. */
function expectUnbroken(numbers: readonly number[]): void {
  expect(numbers).toEqual(numbers.map((_, i) => numbers[0]! + i));
}

const shown = (text: string) => [...text.matchAll(/n=(\d+)\r*\n/g)].map((match) => Number(match[1]));
const numbersIn = (text: string) => text.trim().split('\n').map(Number);

describe('a mini guest is suspended and continued', () => {
  let booted: BootedHost;
  let empty: unknown;
  let guest: GuestConsole;
  const output = async (command: string) => (await booted.exec(command)).output;
  const ok = async (command: string) => {
    const answer = await booted.exec(command);
    expect(answer).toEqual({ status: 0, output: '' });
  };
  const domid = async (name = 'mini') => Number(await output(`xm domid ${name}`));
  const state = async (name = 'mini') =>
    (await output(`xm list ${name} | tail -1`)).slice(41).split(/\s+/).filter(Boolean);

  beforeAll(async () => {
    booted = await bootedHost({});
    await output(`mkfs -t ext2 /dev/hda5; cat >/etc/xen/mini <<'END'\n${CONFIG}END`);
    empty = await traces(booted);
    await output('xm create mini');
    guest = await GuestConsole.mini(booted, 'mini');
    const { output: answer } = await guest.run(
      'mkdir /data; mount /dev/sda1 /data && mount -t tmpfs none /mnt && mkdir /mnt/d && echo "in memory" > /mnt/d/f',
    );
    expect(answer).toBe('');
  }, 120_000);
  afterAll(() => booted.close());

  it('runs on in a new domain: its processes, console, disk, connections and memory', async () => {
    // Both ends keep their input open: nc closes its half of the connection when that ends.
    await booted.exec('sleep 1000 | nc -l -p 5000 >/root/heard &');
    await guest.type(`${WORK.join('\n')}\n`);
    await guest.until(/n=5\r/);
    const numbers: number[] = [];
    for (let times = 0; times < 3; times++) {
      const before = await domid();
      await ok('xm save mini /root/mini.chk');
      expect(guest.isClosed).toBe(true);
      numbers.push(...shown(guest.shown));
      expect(await output('xm list')).not.toContain('mini');
      await booted.advance(1000);
      await ok('xm restore /root/mini.chk');
      expect(await domid()).toBeGreaterThan(before);
      guest = await GuestConsole.attach(booted, 'mini');
      await guest.until(/(?:n=\d+\r\n){5}/);
    }
    numbers.push(...shown(guest.shown));
    expect(numbers.length).toBeGreaterThanOrEqual(20);
    expectUnbroken(numbers);
    await booted.advance(5000);
    await guest.run('kill %1 %2 %3; wait');
    const written = numbersIn((await guest.run('cat /data/count')).output);
    expect(written.length).toBeGreaterThanOrEqual(numbers.length);
    expectUnbroken(written);
    await booted.advance(1000);
    const heard = numbersIn(await output('cat /root/heard'));
    expect(heard.length).toBeGreaterThan(80);
    expectUnbroken(heard);
    const ping = (await guest.run('cat /data/ping')).output;
    expect([...ping.matchAll(/icmp_seq=(\d+)/g)].length).toBeGreaterThan(8);
    expect((await guest.run('cat /mnt/d/f')).output).toBe('in memory\n');
    expect((await guest.run('ping -c 2 192.0.2.1')).output).toContain('2 received, 0% packet loss');
    expect((await guest.run('grep -c processor /proc/cpuinfo')).output).toBe('2\n');
    expect(booted.bugs).toEqual([]);
  }, 120_000);

  it('obeys the toolstack as before', async () => {
    await ok('xm mem-set mini 40');
    await booted.advance(3000);
    expect(await state()).toEqual([String(await domid()), '40', '2', '-b----', expect.any(String)]);
    await ok('xm save mini /root/mini.chk');
    const saved = Number(await output('stat -c %s /root/mini.chk'));
    // What is ballooned out is not in the file.
    expect(saved).toBeLessThan(42 << 20);
    await ok('xm restore /root/mini.chk');
    guest = await GuestConsole.attach(booted, 'mini');
    expect((await state()).slice(1, 3)).toEqual(['40', '2']);
    await ok('xm mem-set mini 64');
    await booted.advance(3000);
    expect((await state()).slice(1, 3)).toEqual(['64', '2']);
    const pages = Number(/MemTotal: +(\d+)/.exec((await guest.run('cat /proc/meminfo')).output)?.[1]);
    expect(pages).toBeGreaterThan(60 << 10);
    await ok('xm vcpu-set mini 1');
    await booted.advance(100);
    await ok('xm save mini /root/mini.chk; xm restore /root/mini.chk');
    guest = await GuestConsole.attach(booted, 'mini');
    expect((await guest.run('grep -c processor /proc/cpuinfo')).output).toBe('1\n');
    await ok('xm vcpu-set mini 2');
    await booted.advance(100);
    expect((await guest.run('grep -c processor /proc/cpuinfo; cat /mnt/d/f')).output).toBe('2\nin memory\n');
    await ok('xm pause mini; xm unpause mini');
    expect((await guest.run('echo $((6*7))')).output).toBe('42\n');
  }, 120_000);

  it('goes on in its place when only a checkpoint is taken', async () => {
    const before = await domid();
    await guest.type('(i=0; while [ $i -lt 30 ]; do i=$((i+1)); echo "n=$i"; sleep 0.1; done) &\n');
    await guest.until(/n=3\r/);
    await ok('xm save -c mini /root/mini.chk');
    expect(await domid()).toBe(before);
    await guest.until(/n=30\r/);
    expectUnbroken(shown(guest.shown));
    expect(
      (await guest.run('echo kept > /data/f; sync; cat /data/f; ping -c 1 192.0.2.1 | grep -c " 0% packet loss"'))
        .output,
    ).toBe('kept\n1\n');
  }, 120_000);

  it('is saved at any moment: while it boots, and while it copies', async () => {
    const second = `sed -e 's/mini/second/; s/hda5/hda6/; s/:07/:08/; s/.77/.78/' /etc/xen/mini >/etc/xen/second`;
    expect(await output(`${second}; xm create second && xm save second /root/second.chk`)).toMatch(/id=\d+\)\n$/);
    await ok('xm restore /root/second.chk');
    let other = await GuestConsole.mini(booted, 'second');
    await other.run('mount -t tmpfs none /mnt');
    const copied = await other.begin(
      'dd if=/dev/urandom of=/mnt/a bs=64k count=64; dd if=/mnt/a of=/dev/sda1 bs=64k; sync; dd if=/dev/sda1 bs=64k count=64 | cmp - /mnt/a',
    );
    await other.until(/4.2 MB\) copied/);
    await expect(copied(10)).rejects.toThrow('does not come');
    await ok('xm save second /root/second.chk; xm restore /root/second.chk');
    other = await GuestConsole.attach(booted, 'second');
    await other.until(/end2:\d+/);
    expect(other.shown).toMatch(/^64\+0 records in\r?$/m);
    expect(other.shown).toContain('end2:0');
    await ok('xm destroy second; rm /root/second.chk');
    expect(booted.bugs).toEqual([]);
  }, 120_000);

  it('waits paused when that is asked for', async () => {
    await ok('xm save mini /root/mini.chk; xm restore -p /root/mini.chk');
    expect((await state())[3]).toMatch(/^-.p---$/);
    await ok('xm unpause mini');
    guest = await GuestConsole.attach(booted, 'mini');
    expect((await guest.run('cat /data/f')).output).toBe('kept\n');
    // Its network comes back a moment later.
    await booted.advance(1000);
  }, 120_000);

  it.each([
    ['xm save', 1, /^Error: Expects 2 arguments\nUsage: xm save /],
    ['xm save mini', 1, /^Error: Expects 2 arguments\nUsage: xm save /],
    ['xm save mini a b', 1, /^Error: Expects 2 arguments\nUsage: xm save /],
    ['xm save -x mini /root/x', 1, /^Error: option -x not recognized\n/],
    ['xm save nosuch /root/x', 3, /^Error: Domain 'nosuch' does not exist.\n$/],
    ['xm save Domain-0 /root/x', 1, /^Error: Cannot save privileged domain Domain-0\n/],
    ['xm save mini /nosuch/x', 1, /^Error: xm save: Unable to create file \/nosuch\/x\n$/],
    ['xm save mini /root', 1, /^Error: can't write guest state file \/root: Is a directory\n/],
    ['xm pause mini; xm save mini /root/x; s=$?; xm unpause mini; (exit $s)', 1, /^Error: Domain is not running\n/],
    ['xm restore', 1, /^Error: Expects 1 argument\n/],
    ['xm restore /nosuch', 1, /^Error: xm restore: Unable to read file \/nosuch\n$/],
    ['xm restore /root', 1, /^Error: xm restore: Unable to read file \/root\n$/],
    ['xm restore /root/mini.chk', 1, /^Error: Domain 'mini' already exists with ID '\d+'\n/],
    ['xm restore /etc/xen/xmexample1', 1, /^Error: not a valid guest state file: found '/],
    ['xm suspend', 1, /^Error: 'xm suspend' requires 1 arguments/],
    ['xm suspend Domain-0', 1, /^Error: Cannot suspend privileged domain Domain-0\n/],
    ['xm suspend mini', 1, /^Error: Domain is not managed by Xend lifecycle support.\n/],
    ['xm resume mini', 1, /^Error: Error occurred when resuming: Cannot resume domain that is not suspended.\n/],
    ['xm resume Domain-0', 1, /^Error: Error occurred when resuming: Cannot resume privileged domain Domain-0\n/],
    ['xm resume a b', 1, /^Error: Wrong number of parameters\n/],
  ])('refuses %s and changes nothing', async (command, status, message) => {
    const before = { traces: await traces(booted), files: await output('ls /root') };
    const answer = await booted.exec(command);
    expect(answer.output).toMatch(message);
    expect(answer.status).toBe(status);
    await booted.advance(100);
    expect({ traces: await traces(booted), files: await output('ls /root') }).toEqual(before);
    expect((await guest.run('cat /data/f')).output).toBe('kept\n');
    expect(booted.bugs).toEqual([]);
  });

  it('goes on when its state cannot be stored, and nothing is left of the attempt', async () => {
    const before = await domid();
    const { status, output: answer } = await booted.exec(
      'mount -t tmpfs -o size=1m none /mnt; xm save mini /mnt/mini.chk',
    );
    expect(status).toBe(1);
    expect(answer).toMatch(/^Error: \/usr\/lib\/xen\/bin\/xc_save 22 \d+ 0 0 0 failed\n/);
    expect(await output('ls /mnt; umount /mnt')).toBe('');
    expect(await domid()).toBe(before);
    expect((await guest.run('cat /data/f /mnt/d/f')).output).toBe('kept\nin memory\n');
    expect(await output('xm list')).not.toContain('migrating');
  });

  it('leaves nothing behind', async () => {
    await ok('xm save mini /root/mini.chk; rm /root/mini.chk');
    await booted.advance(5000);
    expect(await traces(booted)).toEqual(empty);
    expect(booted.bugs).toEqual([]);
  });

  it('lies dormant when it is managed, and goes on', async () => {
    await ok('xm new mini >/dev/null; xm start mini');
    guest = await GuestConsole.mini(booted, 'mini');
    await guest.run('mount -t tmpfs none /mnt; echo slept > /mnt/f');
    expect((await booted.exec('xm resume mini')).output).toContain('Cannot resume domain that is not suspended.');
    await ok('xm suspend mini');
    expect(guest.isClosed).toBe(true);
    expect(await output('xm list --state=suspended | tail -n +2 | cut -d" " -f1')).toBe('mini\n');
    expect(await state()).toEqual(['-1', '64', '2', '------', expect.any(String)]);
    expect(await output('xm list --long mini | grep status')).toContain('(status 3)');
    expect((await booted.exec('xm suspend mini')).output).toMatch(/^Error: Domain is not running\n/);
    await ok('xm resume mini');
    expect(await output('xm list --state=suspended | tail -n +2')).toBe('');
    guest = await GuestConsole.attach(booted, 'mini');
    expect((await guest.run('cat /mnt/f')).output).toBe('slept\n');
    await ok('xm suspend mini; xm resume -p mini');
    expect((await state())[3]).toMatch(/^-.p---$/);
    await ok('xm unpause mini; xm suspend mini');
    // xend keeps nothing in its head.
    await ok('/etc/init.d/xend restart >/dev/null 2>&1');
    expect(await output('xm list --state=suspended | tail -n +2 | cut -d" " -f1')).toBe('mini\n');
    await ok('xm resume mini; xm destroy mini');
    expect((await booted.exec('xm resume mini')).output).toContain('Domain was not suspended by Xend');
    await ok('xm start mini; sleep 3; xm suspend mini; xm delete mini');
    // xend itself suspends it when it stops, and has it go on when it starts.
    await output(
      `printf 'on_xend_stop = "suspend"\\non_xend_start = "start"\\n' >>/etc/xen/mini; xm new mini; xm start mini`,
    );
    guest = await GuestConsole.mini(booted, 'mini');
    await guest.run('mount -t tmpfs none /mnt; echo slept > /mnt/f');
    await output('/etc/init.d/xend stop');
    expect(guest.isClosed).toBe(true);
    await output('/etc/init.d/xend start; sleep 2');
    guest = await GuestConsole.attach(booted, 'mini');
    expect((await guest.run('cat /mnt/f')).output).toBe('slept\n');
    await output('/etc/init.d/xend stop; /etc/init.d/xend start; sleep 2; xm destroy mini; sleep 1');
    // There is nothing to go on from now: it begins.
    await output('/etc/init.d/xend restart');
    guest = await GuestConsole.mini(booted, 'mini');
    await ok('xm destroy mini; xm delete mini');
    expect(await output('find /var/lib/xend/domains -type f; find /var/lib/xend/domains -mindepth 1')).toBe('');
    await booted.advance(5000);
    expect(await traces(booted)).toEqual(empty);
    expect(booted.bugs).toEqual([]);
  }, 120_000);
});

describe('a saved guest and the security policy', () => {
  let booted: BootedHost;
  const output = async (command: string) => (await booted.exec(command)).output;
  const create = (name: string, label: string) =>
    output(
      `xm create /dev/null kernel=/boot/vmlinuz-2.6.18-xenU memory=32 name=${name} access_control=policy=mytest,label=${label}`,
    );
  const refused = async (message: string) => {
    const before = await traces(booted);
    const answer = await booted.exec('xm restore /root/bank.chk');
    expect(answer).toEqual({ status: 1, output: expect.stringContaining(`Error: ${message}\n`) });
    expect(await traces(booted)).toEqual(before);
  };

  beforeAll(async () => {
    booted = await bootedHost({ acm: true });
    await output('xm setpolicy ACM mytest');
    expect(await create('bank', 'A-Bank.SecurityUnderwriting')).toContain('Started domain');
    const guest = await GuestConsole.mini(booted, 'bank');
    await guest.run('mount -t tmpfs none /mnt; echo secret > /mnt/f');
    expect(await output('xm save bank /root/bank.chk')).toBe('');
  }, 120_000);
  afterAll(() => booted.close());

  it('comes back with its label', async () => {
    expect(await output('cp /root/bank.chk /root/b; xm restore /root/b; xm list --label bank | tail -1')).toContain(
      'ACM:mytest:A-Bank.SecurityUnderwriting',
    );
    const guest = await GuestConsole.attach(booted, 'bank');
    expect((await guest.run('cat /mnt/f')).output).toBe('secret\n');
    await output('xm destroy bank; sleep 3');
  });

  it('is refused beside a domain of the same conflict set', async () => {
    expect(await create('analysis', 'A-Bank.MarketAnalysis')).toContain('Started domain');
    await refused("'Domain in conflict set with running domains'");
    await output('xm destroy analysis; sleep 3');
  });

  it('is refused when the policy is another one', async () => {
    await output('xm resetpolicy');
    await refused("Active policy 'DEFAULT' different than what in VM's label ('mytest').");
    expect(booted.bugs).toEqual([]);
  });
});
