/** Work that writes to a guest's memory, and what the rounds of a live migration make of it on a link of 1 Gbit/s. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { GuestConsole } from './guestConsole';
import { type BootedHost, bootedHost, secondHost } from './testing';

const MAX_SENT = 3;
const MIN_PAGES = 50;

let hosts: readonly [BootedHost, BootedHost];
let guest: GuestConsole;
/** Where the guest is. */
let here = 0;
const dom0 = async (command: string) => (await hosts[here]!.exec(command)).output;

beforeAll(async () => {
  const first = await bootedHost({});
  hosts = [first, await secondHost(first, 'host2', { seed: 2 })];
  await dom0('xm create -q /dev/null kernel=/boot/vmlinuz-2.6.18-xenU memory=64 name=guest');
  guest = await GuestConsole.mini(first, 'guest');
}, 60_000);
afterAll(() => hosts[0].close());

/** Moves the guest to the other host: what xend.log says of the rounds, the last of which has the guest standing still. */
async function migrate(): Promise<{ sent: number[]; dirtied: number[]; factor: number }> {
  const before = Number(await dom0('wc -l < /var/log/xen/xend.log'));
  expect(await dom0(`xm migrate --live guest host${2 - here}`)).toBe('');
  const log = await dom0(`tail -n +${before + 1} /var/log/xen/xend.log`);
  here = 1 - here;
  guest = await GuestConsole.attach(hosts[here]!, 'guest');
  const rounds = [...log.matchAll(/ \d+: sent (\d+), skipped \d+, .* (\d+) pages$/gm)];
  return {
    sent: rounds.map((round) => Number(round[1])),
    dirtied: rounds.map((round) => Number(round[2])),
    factor: Number(/Total pages sent= \d+ \(([\d.]+)x\)/.exec(log)![1]),
  };
}

async function start(work: string): Promise<void> {
  await guest.run('kill %1 2>/dev/null; sleep 1');
  await guest.run(`workload ${work} & sleep 1`);
}

async function written(): Promise<number> {
  const { output } = await guest.run('kill -USR1 %1; sleep 0.1');
  expect(output).toContain(' pages written, memory intact\n');
  return Number(/(\d+) pages written/.exec(output)![1]);
}

it.each([
  ['idle', 2],
  ['web', 5],
  ['game', 5],
])('the rounds of %s come to an end by themselves', async (work, most) => {
  await start(work);
  const { sent, dirtied, factor } = await migrate();
  expect(sent.length).toBeLessThanOrEqual(most + 1);
  expect(sent.at(-1)).toBeLessThan(MIN_PAGES + 20);
  if (work !== 'idle') expect(dirtied[0]).toBeGreaterThan(100);
  expect(factor).toBeLessThan(1.2);
  const before = await written();
  await guest.run('sleep 1');
  if (work !== 'idle') expect((await written()) - before).toBeGreaterThan(500);
});

it('a program that writes faster than the link sends is stopped by the rule of the memory sent', async () => {
  await start('memory');
  const { sent, dirtied, factor } = await migrate();
  expect(factor).toBeGreaterThan(MAX_SENT);
  // Not one round gets it nearer to the end, and what is left for the last one is most of what is being written to.
  for (const pages of dirtied.slice(0, -1)) expect(pages).toBeGreaterThan(4000);
  expect(sent.at(-1)).toBeGreaterThan(4000);
  expect(await written()).toBeGreaterThan(60_000);
});

it('goes on where it has come to, and listens to the store there', async () => {
  const key = `/local/domain/${(await dom0('xm domid guest')).trim()}/data/workload`;
  await hosts[0].advance(2000);
  expect(await dom0(`xenstore-read ${key}`)).toBe('memory 60000\n');
  await dom0(`xenstore-write ${key} 'web 300'`);
  await guest.run('sleep 0.1');
  const before = await written();
  await guest.run('sleep 10');
  expect((await written()) - before).toBeGreaterThan(2900);
  expect((await written()) - before).toBeLessThan(3300);
  await dom0(`xenstore-write ${key} 'sleep 3'`);
  expect((await guest.run('sleep 1')).output).toBe('workload: no such work: sleep 3\n');
  expect(await dom0(`xenstore-read ${key}`)).toBe('web 300\n');
});

it('says what it takes, and takes no more than there is', async () => {
  const usage = 'Usage: workload [idle|web|game|memory] [PAGES-PER-SECOND] [MIB]\n';
  for (const words of ['disk', 'web -1', 'web 1.5', 'web 1000001', 'web 10 0', 'web 10 x', 'web 10 1 1'])
    expect(await guest.run(`workload ${words}`)).toEqual({ status: 2, output: usage });
  const free = /^Mem:.*$/m.exec((await guest.run('free -k')).output)![0];
  expect((await guest.run('workload web 10 100')).output).toBe('workload: Cannot allocate memory\n');
  expect(/^Mem:.*$/m.exec((await guest.run('free -k')).output)![0]).toBe(free);
  await guest.run('kill %1; sleep 1');
  const freed = /^Mem:.*$/m.exec((await guest.run('free -k')).output)![0];
  expect(Number(freed.split(/\s+/)[3])).toBeGreaterThan(Number(free.split(/\s+/)[3]) + 20_000);
  expect(hosts[0].bugs).toEqual([]);
});

it('the program of a Linux guest does the same', async () => {
  here = 0;
  await dom0(
    `xm destroy guest; sed "/^disk/d; s/^root.*/root = '\\/dev\\/ram0'/" /etc/xen/linux > /etc/xen/moving; xm create -q /etc/xen/moving name=guest memory=64`,
  );
  guest = await GuestConsole.linux(hosts[0], 'guest');
  expect(await guest.run('workload disk')).toEqual({
    status: 2,
    output: 'Usage: workload [idle|web|game|memory] [PAGES-PER-SECOND] [MIB]\n',
  });
  expect((await guest.run('workload web 10 100')).output).toBe('workload: Cannot allocate memory\n');
  await guest.run('workload memory & sleep 1');
  const { dirtied, factor } = await migrate();
  expect(factor).toBeGreaterThan(MAX_SENT);
  for (const pages of dirtied.slice(0, -1)) expect(pages).toBeGreaterThan(2000);
  await written();
  const key = `/local/domain/${(await dom0('xm domid guest')).trim()}/data/workload`;
  expect(await dom0(`xenstore-read ${key}`)).toBe('memory 60000\n');
  await dom0(`xenstore-write ${key} 'web 300'`);
  await guest.run('sleep 0.1');
  const before = await written();
  await guest.run('sleep 10');
  const after = await written();
  expect(after - before).toBeGreaterThan(2900);
  expect(after - before).toBeLessThan(3300);
  const end = await guest.begin('sleep 2');
  await hosts[0].advance(500);
  await dom0(`xenstore-write ${key} 'sleep 3'`);
  expect((await end()).output).toBe('workload: no such work: sleep 3\n');
  expect(await dom0(`xenstore-read ${key}`)).toBe('web 300\n');
  const { sent } = await migrate();
  expect(sent.at(-1)).toBeLessThan(200);
  await written();
  expect(hosts[0].bugs).toEqual([]);
}, 120_000);
