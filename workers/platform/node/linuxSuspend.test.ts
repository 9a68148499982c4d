import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GuestConsole } from './guestConsole';
import { type BootedHost, bootedHost, traces } from './testing';

/** Counts at the console and into a file on the disk, five times a second. */
const WRITER =
  '(i=0; while :; do i=$((i+1)); echo "n=$i"; echo $i >> /root/count; sync; sleep 0.2; done) & ping -i 0.5 192.0.2.1 > /root/ping &';

/** Every number once and in order. */
function expectUnbroken(numbers: readonly number[]): void {
  expect(numbers).toEqual(numbers.map((_, i) => numbers[0]! + i));
}

const shown = (text: string) => [...text.matchAll(/n=(\d+)\r*\n/g)].map((match) => Number(match[1]));

describe('an unmodified Linux kernel is suspended and continued', () => {
  let booted: BootedHost;
  let empty: unknown;
  let guest: GuestConsole;
  const ok = async (command: string) => {
    const { status, output } = await booted.exec(command);
    expect(output).toBe('');
    expect(status).toBe(0);
  };
  const domid = async () => Number((await booted.exec('xm domid linux')).output);

  beforeAll(async () => {
    booted = await bootedHost({});
    empty = await traces(booted);
    await booted.exec('xm create /etc/xen/linux');
    guest = await GuestConsole.linux(booted, 'linux');
    await guest.run('until ip addr show eth0 | grep -q "inet "; do sleep 1; done');
  }, 120_000);
  afterAll(() => booted.close());

  it('runs on in a new domain: its processes, console, disk and network', async () => {
    await guest.type(`${WRITER}\n`);
    await guest.until(/n=5\r/);
    const numbers: number[] = [];
    for (let times = 0; times < 3; times++) {
      const before = await domid();
      await ok('xm save linux /root/linux.chk');
      expect(guest.isClosed).toBe(true);
      numbers.push(...shown(guest.shown));
      expect((await booted.exec('xm list')).output).not.toContain('linux');
      await booted.advance(1000);
      await ok('xm restore /root/linux.chk');
      expect(await domid()).toBeGreaterThan(before);
      guest = await GuestConsole.attach(booted, 'linux');
      await guest.until(/n=\d+\r\n(?:n=\d+\r\n){4}/);
    }
    numbers.push(...shown(guest.shown));
    expect(numbers.length).toBeGreaterThanOrEqual(20);
    expectUnbroken(numbers);
    await guest.run('kill %1 %2; wait');
    const written = (await guest.run('cat /root/count')).output.trim().split('\n').map(Number);
    expect(written.length).toBeGreaterThanOrEqual(numbers.length);
    expectUnbroken(written);
    // Each time it was away for a second and a bit: so many of its pings found nobody.
    const ping = (await guest.run('cat /root/ping')).output;
    expect(Number(/(\d+) packets received/.exec(ping)?.[1] ?? ping.split('seq=').length)).toBeGreaterThan(4);
    expect((await guest.run('ping -c 2 192.0.2.1')).output).toContain('2 packets received, 0% packet loss');
    expect((await guest.run('dmesg | grep "BUG:\\|WARNING:\\|detected stall"')).output).toBe('');
    expect(booted.bugs).toEqual([]);
  }, 120_000);

  it('obeys the toolstack as before', async () => {
    await ok('xm mem-set linux 28');
    await booted.advance(3000);
    expect((await booted.exec('xm list linux')).output).toMatch(/linux\s+\d+\s+28 /);
    await ok('xm mem-set linux 32');
    await booted.advance(3000);
    expect((await booted.exec('xm list linux')).output).toMatch(/linux\s+\d+\s+32 /);
    await ok('xm pause linux; xm unpause linux');
    expect((await guest.run('echo $((6*7))')).output).toBe('42\n');
  }, 120_000);

  it('goes on in its place when only a checkpoint is taken', async () => {
    const before = await domid();
    await guest.type('i=0; while [ $i -lt 30 ]; do i=$((i+1)); echo "n=$i"; sleep 0.1; done\n');
    await guest.until(/n=3\r/);
    await ok('xm save -c linux /root/linux.chk');
    expect(await domid()).toBe(before);
    await guest.until(/n=30\r/);
    expectUnbroken(shown(guest.shown));
    expect((await guest.run('echo kept > /root/f; sync; cat /root/f')).output).toBe('kept\n');
  }, 120_000);

  it('goes on when its state cannot be stored, and nothing is left of the attempt', async () => {
    const before = await domid();
    const { status, output } = await booted.exec('mount -t tmpfs -o size=1m none /mnt; xm save linux /mnt/linux.chk');
    expect(status).toBe(1);
    expect(output).toMatch(/^Error: \/usr\/lib\/xen\/bin\/xc_save 22 \d+ 0 0 4 failed\n/);
    expect((await booted.exec('ls /mnt; umount /mnt')).output).toBe('');
    expect(await domid()).toBe(before);
    expect((await guest.run('cat /root/f')).output).toBe('kept\n');
    expect((await booted.exec('xm list')).output).not.toContain('migrating');
  }, 120_000);

  it('leaves nothing behind', async () => {
    await ok('xm save linux /root/linux.chk; rm /root/linux.chk');
    await booted.advance(5000);
    expect(await traces(booted)).toEqual(empty);
    expect(booted.bugs).toEqual([]);
  }, 120_000);
});
