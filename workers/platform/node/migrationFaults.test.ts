import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Fault, Saboteur } from './saboteur.testkind';
import { type BootedHost, bootedHost, rebooted, secondHost } from './testing';

/** Small, so that a run is short: what counts is which message is the last one. */
const CREATE =
  'xm create -q /dev/null kernel=/boot/vmlinuz-2.6.18-xenU memory=16 name=guest vif=mac=00:16:3e:00:00:01 ip=192.0.2.90 netmask=255.255.255.0';

/** The destination says that it has everything, the source that it lets go, the destination that the domain runs. */
const LAST_WORDS = 3;

describe('whatever happens to a migration, one host has the domain', () => {
  let first: BootedHost;
  let second: BootedHost;
  let saboteur: Saboteur;
  let messages: number;
  const running = async (host: BootedHost) =>
    (await host.exec('xm list')).output.split('\n').filter((line) => /^(migrating-)?guest /.test(line));

  beforeAll(async () => {
    first = await bootedHost({});
    second = await secondHost(first, 'host2', { seed: 2 });
    saboteur = new Saboteur(first.host.host.world.lan.bulk);
    expect((await first.exec(CREATE)).output).toBe('');
    await first.advance(1000);
    saboteur.arm(Number.POSITIVE_INFINITY, () => {});
    expect((await first.exec('xm migrate --live guest host2')).output).toBe('');
    messages = saboteur.count;
    await second.exec('xm destroy guest');
  }, 60_000);
  afterAll(() => first.close());

  /** Answers how many copies there were when everything had come to rest. */
  async function run(at: number, fault: Fault): Promise<void> {
    await first.exec('xm destroy guest');
    await second.exec('xm destroy guest');
    const created = await first.exec(CREATE);
    expect(created.output).toBe('');
    await first.advance(500);
    saboteur.arm(at, (isBehind) => {
      if (fault === 'connection lost' && !isBehind) saboteur.links.cut();
      if (fault === 'connection lost behind it' && isBehind) saboteur.links.cut();
      if (fault === 'source dies' && isBehind) first.host.crash();
      if (fault === 'destination dies' && isBehind) second.host.crash();
    });
    await first.exec('xm migrate --live guest host2').catch(() => undefined);
    first = await rebooted(first, 'host1');
    second = await rebooted(second, 'host2');
    await first.advance(3000);
    const [here, there] = [await running(first), await running(second)];
    const what = `message ${at} of ${messages}, ${fault}: ${JSON.stringify([here, there])}`;
    const copies = here.length + there.length;
    expect(copies, what).toBeLessThanOrEqual(1);
    // What a machine held in its memory is gone with it: the domain, as long as nobody else had all of it.
    const isWhole = at >= messages - LAST_WORDS;
    const isGone = (fault === 'source dies' && !isWhole) || (fault === 'destination dies' && at === messages - 1);
    if (!isGone) expect(copies, what).toBe(1);
    if (fault === 'source dies') expect(here, what).toEqual([]);
    if (fault === 'destination dies') expect(there, what).toEqual([]);
    expect([...here, ...there].join('\n'), what).not.toContain('migrating');
    for (const line of [...here, ...there]) expect(line, what).toMatch(/ [r-][b-]---- /);
    expect(first.bugs, what).toEqual([]);
  }

  const faults: readonly Fault[] = ['connection lost', 'connection lost behind it', 'destination dies', 'source dies'];
  it.each(faults)(
    '%s, at any message',
    async (fault) => {
      for (let at = 0; at < messages; at++) await run(at, fault);
    },
    300_000,
  );
});
