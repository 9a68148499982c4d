import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GuestConsole } from './guestConsole';
import { type Fault, faults, Saboteur } from './saboteur.testkind';
import { type BootedHost, bootedHost, rebooted, secondHost } from './testing';

/** host3 exports, and outlives everything: a domain's disk must not die with the host that the domain is on. */
const CREATE =
  "xm create -q /dev/null kernel=/boot/vmlinuz-2.6.18-xenU memory=16 name=guest vif= 'disk=nbd:host3 2000,xvdb,w'";

/** The destination says that it has everything, the source that it lets go, the destination that the domain runs. */
const LAST_WORDS = 3;
/** A host that was switched off is found out when it does not know its connections any more (TCP keepalive). */
const FOUND_OUT_MS = 20_000;

describe('whatever happens to a migration, the host that has the domain is the writer of its disk, and no other', () => {
  let first: BootedHost;
  let second: BootedHost;
  let exporter: BootedHost;
  let saboteur: Saboteur;
  let messages: number;
  const hasGuest = async (host: BootedHost) => (await host.exec('xm list guest')).status === 0;

  beforeAll(async () => {
    first = await bootedHost({});
    second = await secondHost(first, 'host2', { seed: 2 });
    exporter = await secondHost(first, 'host3', { seed: 3 });
    await exporter.exec('service nbd-server start; nbd-client host3 2000 /dev/nbd15');
    saboteur = new Saboteur(first.host.host.world.lan.bulk);
    expect((await first.exec(CREATE)).output).toBe('');
    await first.advance(1000);
    saboteur.arm(Number.POSITIVE_INFINITY, () => {});
    expect((await first.exec('xm migrate --live guest host2')).output).toBe('');
    messages = saboteur.count;
  }, 60_000);
  afterAll(() => first.close());

  async function run(at: number, fault: Fault): Promise<void> {
    for (const host of [first, second]) await host.exec('xm destroy guest');
    expect((await first.exec(CREATE)).output).toBe('');
    let guest = await GuestConsole.mini(first, 'guest');
    const mark = `${fault} ${at}`;
    expect((await guest.run(`echo ${mark} | dd of=/dev/xvdb bs=512 conv=sync,fsync 2>/dev/null`)).status).toBe(0);
    saboteur.arm(at, saboteur.faultOf(fault, first.host, second.host));
    await first.exec('xm migrate --live guest host2').catch(() => undefined);
    first = await rebooted(first, 'host1');
    second = await rebooted(second, 'host2');
    await first.advance(FOUND_OUT_MS);
    const copies = [await hasGuest(first), await hasGuest(second)];
    const what = `message ${at} of ${messages}, ${fault}: ${JSON.stringify(copies)}`;
    const addresses = ['192.0.2.11', '192.0.2.12'].filter((_, i) => copies[i]);
    const writers = (await exporter.exec('nbd-reserve -l /dev/nbd15')).output.replaceAll(/^\S+ /gm, '');
    expect(writers, what).toBe(addresses.map((address) => `w ${address}\n`).join(''));
    // What a machine held in its memory is gone with it: the domain, as long as nobody else had all of it.
    const isWhole = at >= messages - LAST_WORDS;
    const isGone = (fault === 'source dies' && !isWhole) || (fault === 'destination dies' && at === messages - 1);
    if (!isGone) expect(copies.filter(Boolean), what).toHaveLength(1);
    for (const [i, host] of [first, second].entries()) {
      if (!copies[i]) continue;
      guest = await GuestConsole.attach(host, 'guest');
      const read = await guest.run(
        'head -c 64 /dev/xvdb | tr -d "\\0"; echo later | dd of=/dev/xvdb seek=9 conv=fsync',
      );
      expect(read.output, what).toContain(`${mark}\n`);
      expect(read.status, what).toBe(0);
    }
    expect(first.bugs, what).toEqual([]);
  }

  it.each(faults)(
    '%s, at any message',
    async (fault) => {
      for (let at = 0; at < messages; at++) await run(at, fault);
    },
    600_000,
  );
});
