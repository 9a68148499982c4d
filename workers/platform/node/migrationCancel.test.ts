/** Somebody ends a migration: at every step of it, and while it waits. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GuestConsole } from './guestConsole';
import { type BootedHost, bootedHost, eventually, secondHost, traces } from './testing';

const CREATE =
  'xm create -q /dev/null kernel=/boot/vmlinuz-2.6.18-xenU memory=16 name=guest vif=mac=00:16:3e:00:00:01 ip=192.0.2.90 netmask=255.255.255.0';

let first: BootedHost;
let second: BootedHost;
let empty: unknown;

beforeAll(async () => {
  first = await bootedHost({});
  second = await secondHost(first, 'host2', { seed: 2 });
  empty = await traces(second);
}, 60_000);
afterAll(() => {
  expect(first.bugs).toEqual([]);
  first.close();
});

const records = (host: BootedHost) => host.host.host.migrations.recorder.records;
const logOf = async (host: BootedHost) => (await host.exec('cat /var/log/xen/xend.log')).output;

/** The guest is here and answers, and nothing of it is there. */
async function staysHere(guest: GuestConsole): Promise<void> {
  expect((await first.exec('xm list')).output).toMatch(/^guest .* [r-][b-]---- /m);
  expect((await guest.run('echo $((6*7))')).output).toBe('42\n');
  await first.advance(3000);
  expect((await second.exec('xm list')).output).not.toContain('guest');
  expect(await traces(second)).toEqual(empty);
}

describe('a migration that somebody ends', () => {
  it('ends at every step until the domain is handed over, and then does not any more', async () => {
    const phases = new Set<string>();
    let at = 0;
    for (; ; at++) {
      expect((await first.exec(CREATE)).output).toBe('');
      const guest = await GuestConsole.mini(first, 'guest');
      const { host } = first.host;
      let step = 0;
      let outcome: Promise<string> | undefined;
      host.migrations.onStep = ({ phase, domid }) => {
        if (step++ !== at) return;
        phases.add(phase);
        outcome = host.toolstack!.cancelMigration(String(domid)).then(
          () => 'cancelled',
          (error: Error) => error.message,
        );
      };
      const { status, output } = await first.exec('xm migrate --live guest host2');
      host.migrations.onStep = () => {};
      const said = await outcome;
      if (said !== 'cancelled') {
        expect(said).toMatch(/^Domain '(migrating-)?guest' has been handed over already\.$/);
        expect(`${status} ${output}`).toBe('0 ');
        break;
      }
      expect(`${status} ${output}`, `step ${at}`).toMatch(
        /^1 Error: Migration of domain 'guest' to host2 was cancelled\n/,
      );
      await staysHere(guest);
      expect(records(first).at(-1)).toMatchObject({ phase: 'cancelled', downtime: null });
      await first.exec('xm destroy guest');
    }
    expect([...phases]).toEqual(['connecting', 'copying', 'suspending', 'stopped', 'handing over']);
    expect(at).toBeGreaterThan(5);
    expect(await logOf(first)).toMatch(/Migration of guest \(\d+\) to host2 was cancelled: it goes on here\./);
    expect(await logOf(second)).toMatch(/The migration from 192\.0\.2\.11 was cancelled there\./);
    await second.exec('xm destroy guest');
    await first.advance(3000);
  }, 300_000);

  it('may be waiting for a host that does not answer, for a slow link, or for a guest that does not stop', async () => {
    await first.exec(CREATE);
    const guest = await GuestConsole.mini(first, 'guest');
    const begin = (options: string) => first.exec(`xm migrate ${options} guest host2 >/tmp/out 2>&1 &`);
    const end = async () => {
      await first.host.cancelMigration('guest');
      await eventually(first, 'cat /tmp/out', /was cancelled\n/);
      await staysHere(guest);
    };
    second.host.changeLink({ isUp: false });
    await begin('--live');
    await first.advance(5000);
    expect(records(first).at(-1)!.phase).toBe('connecting');
    await first.host.cancelMigration('guest');
    second.host.changeLink({ isUp: true });
    await first.advance(2000);
    await staysHere(guest);

    first.host.changeLink({ mbitPerS: 10 });
    await begin('--live');
    await first.advance(3000);
    expect(records(first).at(-1)).toMatchObject({ phase: 'copying', rounds: [] });
    await end();
    expect(records(second).at(-1)).toMatchObject({ phase: 'cancelled', domain: 'guest' });

    await begin('');
    await first.advance(3000);
    expect(records(first).at(-1)).toMatchObject({ phase: 'stopped', stopRule: 'not live' });
    await end();

    first.host.changeLink({ mbitPerS: 1000 });
    await begin('--live -r 100');
    await first.advance(200);
    // It is called so while it moves. xend goes on: the guest will not hear of its wish to suspend.
    expect((await first.exec('xm pause migrating-guest')).output).toBe('');
    await first.advance(5000);
    expect(records(first).at(-1)).toMatchObject({ phase: 'suspending' });
    await first.host.cancelMigration('guest');
    await first.exec('xm unpause guest');
    await staysHere(guest);
    await first.exec('xm destroy guest');
  }, 120_000);

  it('cannot be ended when there is none', async () => {
    await expect(first.host.cancelMigration('guest')).rejects.toThrow("Domain 'guest' does not exist.");
    await first.exec(CREATE);
    await expect(first.host.cancelMigration('guest')).rejects.toThrow("Domain 'guest' is not being migrated.");
    await first.exec('xm destroy guest');
  });

  it('goes on when Ctrl-C has ended xm', async () => {
    await first.exec(CREATE);
    await GuestConsole.mini(first, 'guest');
    first.host.changeLink({ mbitPerS: 100 });
    await first.exec('xm migrate --live guest host2 >/tmp/out 2>&1 & sleep 0.5; kill -INT $!; wait');
    await eventually(second, 'xm list', /^guest .* [r-][b-]---- /m);
    await first.advance(2000);
    expect((await first.exec('xm list')).output).not.toContain('guest');
    expect(records(second).at(-1)!.phase).toBe('done');
    await second.exec('xm destroy guest');
  }, 60_000);
});
