import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GuestConsole } from './guestConsole';
import { installLoop } from './machineCode';
import { type BootedHost, bootedHost } from './testing';

/** Long enough for xm list's tenths of a second to be less than 1.5 % of each share. */
const SECONDS = 20;

describe('Linux guests that want a processor for themselves', { timeout: 120_000 }, () => {
  let booted: BootedHost;
  const guests: Record<string, GuestConsole> = {};
  beforeAll(async () => {
    // With one processor: credits are counted over the whole host, so pinning to one of several is not the same.
    booted = await bootedHost({ topology: { sockets: 1, cores: 1, threads: 1 } });
    const create = async (command: string) => {
      const { status, output } = await booted.exec(command);
      if (status !== 0) throw new Error(output);
    };
    await create("sed '/^disk/d; /^vif/d; s!/dev/xvda rw!/dev/ram0!' /etc/xen/linux > /etc/xen/spinner");
    for (const name of ['a', 'b']) await create(`xm create /etc/xen/spinner name=${name}`);
    await create('xm create -q /dev/null kernel=/boot/vmlinuz-2.6.18-xenU memory=64 name=mini');
    for (const name of ['a', 'b']) guests[name] = await GuestConsole.linux(booted, name);
    guests['mini'] = await GuestConsole.mini(booted, 'mini');
    for (const name of ['a', 'b']) await guests[name]!.run(`${installLoop('/tmp/spin')}; /tmp/spin & sleep 1`);
  }, 120_000);
  afterAll(() => {
    expect(booted.bugs).toEqual([]);
    booted.close();
  });

  /** Name → seconds used, as xm says. */
  const times = async () => {
    const { output } = await booted.exec('xm list; xm vcpu-list');
    const listed = [...output.matchAll(/^(a|b|mini)\s+\d+\s+\d+\s+\d+\s+\S+\s+(\d+\.\d)$/gm)];
    const byVcpu = [...output.matchAll(/^(a|b|mini)\s+\d+\s+0\s+0\s+\S+\s+(\d+\.\d)\s+any cpu$/gm)];
    const seconds = (rows: readonly RegExpMatchArray[]) => new Map(rows.map(([, name, time]) => [name!, Number(time)]));
    expect(seconds(byVcpu)).toEqual(seconds(listed));
    expect(listed).toHaveLength(3);
    return seconds(listed);
  };
  /** Name → what it got of its cpu in the next `SECONDS`. */
  const shares = async () => {
    await booted.advance(2_000);
    const before = await times();
    await booted.advance(SECONDS * 1_000);
    const after = await times();
    return new Map([...after].map(([name, time]) => [name, (time - before.get(name)!) / SECONDS]));
  };
  /** Within 3 % of itself. */
  const expectShare = (share: number | undefined, expected: number) => {
    expect(share! / expected).toBeGreaterThan(0.97);
    expect(share! / expected).toBeLessThan(1.03);
  };

  it('with weights 256 and 512 get it in the ratio 1 : 2', async () => {
    await booted.exec('xm sched-credit -d b -w 512');
    const share = await shares();
    expectShare(share.get('a'), 1 / 3);
    expectShare(share.get('b'), 2 / 3);
  });

  it('share it fairly with a mini guest', async () => {
    await booted.exec('xm sched-credit -d b -w 256');
    await guests['mini']!.type('while :; do :; done\n');
    const share = await shares();
    for (const name of ['a', 'b', 'mini']) expectShare(share.get(name), 1 / 3);
    await guests['mini']!.type('\x03');
  });

  it('keep to a cap, and the others have what it leaves', async () => {
    await booted.exec('xm sched-credit -d a -c 50');
    const share = await shares();
    expectShare(share.get('a'), 0.5);
    expectShare(share.get('b'), 0.5);
    await booted.exec('xm pause b');
    expectShare((await shares()).get('a'), 0.5);
  });
});
