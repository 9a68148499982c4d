/** What the hosts write down of a migration, as the headless host's users see it: snapshot, events, maps, log, link. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LabState, MigrationRecord } from '../../contract';
import { HeadlessLab } from './headless/headlessLab';
import { Session } from './headless/session';
import { bootedHost, secondHost } from './testing';

const CREATE =
  'xm create -q /dev/null kernel=/boot/vmlinuz-2.6.18-xenU memory=64 name=guest vif=mac=00:16:3e:00:00:01 ip=192.0.2.90 netmask=255.255.255.0';
const PAGES = (64 << 20) / 4096;

type Reply = Record<string, unknown>;

const bugs: unknown[] = [];
const printed: Reply[] = [];
let session: Session;
let lastId = 0;

beforeAll(async () => {
  session = new Session(new HeadlessLab((error) => bugs.push(error)), (line) => printed.push(JSON.parse(line)));
  await ask({ op: 'host.create', host: 'host2', options: { seed: 2 } });
  await ask({ op: 'snapshot', host: 'host2' });
}, 60_000);
afterAll(() => {
  session.stop();
  expect(bugs).toEqual([]);
});

async function ask(fields: object): Promise<Reply> {
  const id = ++lastId;
  await session.receive(JSON.stringify({ id, ...fields }));
  return printed.find((each) => each['id'] === id)!;
}
const exec = async (command: string, host = 'host1') => (await ask({ op: 'exec', host, command }))['stdout'] as string;
const recordsOf = async (host: string) => ((await ask({ op: 'snapshot', host }))['state'] as LabState).migrations;
const newest = (records: readonly MigrationRecord[], host: string) =>
  records.filter((record) => record.host === host).at(-1)!;

/** Mbit/s of a whole first round. */
const firstRate = (record: MigrationRecord) => record.rounds[0]!.mbitPerS!;

describe('a migration, written down', () => {
  let source: MigrationRecord;
  let destination: MigrationRecord;

  beforeAll(async () => {
    await exec(CREATE);
    await ask({ op: 'advance', ms: 3000 });
    await ask({ op: 'migration.watch' });
    await ask({ op: 'migration.watch', host: 'host2' });
    await exec('xm migrate --live guest host2');
    await ask({ op: 'advance', ms: 500 });
    source = newest(await recordsOf('host1'), 'host1');
    destination = newest(await recordsOf('host2'), 'host2');
  }, 60_000);

  it('has every round at both hosts, with the same pages, at the speed of the link', () => {
    expect(source).toMatchObject({ role: 'source', phase: 'done', peer: 'host2', domain: 'guest', isLive: true });
    expect(destination).toMatchObject({ role: 'destination', phase: 'done', peer: '192.0.2.11', domain: 'guest' });
    expect(destination.id).toBe(source.id);
    expect(source.pages).toBeGreaterThanOrEqual(PAGES);
    expect(source.rounds.length).toBeGreaterThanOrEqual(2);
    expect(source.rounds.map(({ isLast }) => isLast)).toEqual(
      source.rounds.map((_, i) => i === source.rounds.length - 1),
    );
    expect(source.stopRule).toBe('few pages');
    const arrived = destination.rounds.map(({ iteration, sent }) => [iteration, sent]);
    expect(arrived).toEqual(
      source.rounds.filter(({ sent }) => sent > 0).map(({ iteration, sent }) => [iteration, sent]),
    );
    expect(firstRate(source)).toBeGreaterThan(900);
    expect(firstRate(source)).toBeLessThanOrEqual(1000);
  });

  it('has the downtime of three observers, who agree', () => {
    const [there, here, guest] = [source.downtime!, destination.downtime!, destination.heartbeat!];
    for (const { virtualMs, wallMs } of [there, here, guest]) {
      expect(virtualMs).toBeGreaterThan(0);
      expect(virtualMs).toBeLessThan(60);
      // Nothing here goes by the wall's clock, so that the same requests have the same answers.
      expect(wallMs).toBeNull();
    }
    // The source hears last that the guest runs; the guest's last instruction is before the source sees it stand.
    expect(there.virtualMs).toBeGreaterThan(here.virtualMs);
    expect(Math.abs(guest.virtualMs - here.virtualMs)).toBeLessThan(3);
  });

  it('each host hears of the other', async () => {
    const heard = await recordsOf('host1');
    expect(heard.filter(({ id }) => id === source.id).map(({ host, role }) => `${host} ${role}`)).toEqual([
      'host1 source',
      'host2 destination',
    ]);
    expect(newest(heard, 'host2')).toEqual(destination);
  });

  it('was told step by step', () => {
    const phases = (host: string) =>
      printed
        .filter((line) => line['event'] === 'migration' && line['host'] === host)
        .map((line) => (line['migration'] as MigrationRecord).phase)
        .filter((phase, i, all) => phase !== all[i - 1]);
    expect(phases('host1')).toEqual(['connecting', 'copying', 'suspending', 'stopped', 'handing over', 'done']);
    expect(phases('host2')).toEqual(['copying', 'stopped', 'handing over', 'done']);
  });

  it('has a map at both hosts, which are the same where there is memory', async () => {
    const mapOf = async (host: string) => {
      const reply = await ask({ op: 'migration.map', host, migration: source.id });
      return { ...reply, codes: Buffer.from(reply['codes'] as string, 'base64') };
    };
    const mine = await mapOf('host1');
    const theirs = await mapOf('host2');
    expect(mine).toMatchObject({ role: 'source', pages: source.pages });
    expect(Buffer.compare(mine.codes, theirs.codes)).toBe(0);
    const ofRound = (round: number) => mine.codes.filter((code) => code === round).length;
    const { iteration, sent } = source.rounds.at(-1)!;
    expect(ofRound(iteration)).toBe(sent);
    expect(await ask({ op: 'migration.map', migration: 'nonsense' })).toMatchObject({
      error: 'this host has no map of a migration nonsense',
    });
  });

  it('stands in both logs, round by round, with the rule and the downtimes', async () => {
    const here = await exec('grep XendCheckpoint /var/log/xen/xend.log');
    for (const { iteration, sent, skipped, dirtied, isLast } of source.rounds)
      expect(here).toMatch(
        new RegExp(`${iteration}: sent ${sent}, skipped ${skipped}, .* dirtied \\d+Mb/s ${isLast ? 0 : dirtied} pages`),
      );
    expect(here).toContain('Migration of guest: rounds ended by the rule "few pages"');
    expect(here).toContain(`Migration of guest: suspended in ${source.suspend!.virtualMs} ms`);
    expect(here).toContain(`Migration of guest: downtime ${source.downtime!.virtualMs} ms, measured by the source`);
    const there = await exec('grep XendCheckpoint /var/log/xen/xend.log', 'host2');
    expect(there).toContain(
      `Migration of guest: downtime ${destination.downtime!.virtualMs} ms, measured by the destination`,
    );
    expect(there).toContain(
      `Migration of guest: by its own clock the guest stood still for ${destination.heartbeat!.virtualMs} ms`,
    );
    expect(there).toContain(`Memory reloaded (${destination.sent} pages)`);
  });

  it('goes by the slower of two cables, both latencies, and no time at all without limits', async () => {
    const migrate = async (from: string, to: string) => {
      expect((await ask({ op: 'exec', host: from, command: `xm migrate --live guest ${to}` }))['status']).toBe(0);
      return newest(await recordsOf(from), from);
    };
    // The destination's cable counts as much as the source's.
    expect(await ask({ op: 'link', host: 'host1', mbitPerS: 100 })).toMatchObject({
      link: { mbitPerS: 100, latencyMs: 0.05, isUp: true },
    });
    const slow = await migrate('host2', 'host1');
    expect(firstRate(slow)).toBeGreaterThan(90);
    expect(firstRate(slow)).toBeLessThanOrEqual(100);
    for (const host of ['host1', 'host2']) await ask({ op: 'link', host, mbitPerS: 1000, latencyMs: 100 });
    const far = await migrate('host1', 'host2');
    expect(far.link).toEqual({ mbitPerS: 1000, latencyMs: 100, isUp: true });
    // The pages, `(prepared)`, `commit` and `(running)` are on their way one after the other.
    expect(far.downtime!.virtualMs).toBeGreaterThan(4 * 200);
    expect(await exec('ping -c 1 host2')).toMatch(/time=400 ms/);
    for (const host of ['host1', 'host2']) await ask({ op: 'link', host, mbitPerS: null, latencyMs: 0 });
    const fast = await migrate('host2', 'host1');
    // What is left is the network's time for the answer `(ready receive)`.
    expect(fast.rounds[0]!.span.virtualMs).toBeLessThan(1);
    for (const host of ['host1', 'host2']) await ask({ op: 'link', host, mbitPerS: 1000, latencyMs: 0.05 });
  }, 60_000);

  it('comes to nothing when a cable is pulled out, and works when it is back', async () => {
    await ask({ op: 'link', mbitPerS: 100 });
    await exec('xm migrate --live guest host2 >/tmp/out 2>&1 &');
    await ask({ op: 'advance', ms: 1000 });
    expect(await ask({ op: 'link', host: 'host2', isUp: false })).toMatchObject({ link: { isUp: false } });
    await ask({ op: 'advance', ms: 2000 });
    expect(await exec('cat /tmp/out; xm list guest')).toMatch(
      /^Error: the connection was lost\n[\s\S]*\nguest .* [r-][b-]---- /m,
    );
    expect(newest(await recordsOf('host1'), 'host1')).toMatchObject({
      phase: 'failed',
      reason: 'the connection was lost',
    });
    expect(await exec('ping -c 1 -w 2 host2')).toContain('0 received');
    await ask({ op: 'link', host: 'host2', isUp: true });
    expect(await exec('ping -c 1 host2')).toContain('1 received');
    await ask({ op: 'link', mbitPerS: 1000 });
    expect((await ask({ op: 'exec', command: 'xm migrate --live guest host2' }))['status']).toBe(0);
  }, 60_000);

  it('ends by request', async () => {
    await ask({ op: 'link', host: 'host2', mbitPerS: 100 });
    await exec('xm migrate --live guest host1 >/tmp/out 2>&1 &', 'host2');
    await ask({ op: 'advance', ms: 500 });
    expect(await ask({ op: 'migration.cancel', host: 'host2', domain: 'guest' })).toMatchObject({ ok: true });
    expect(await exec('sleep 1; cat /tmp/out', 'host2')).toMatch(
      /^Error: Migration of domain 'guest' to host1 was cancelled\n/,
    );
    expect(await ask({ op: 'migration.cancel', host: 'host2', domain: 'guest' })).toMatchObject({
      error: "Domain 'guest' is not being migrated.",
    });
  });

  it('is over when the machine goes off in the middle', async () => {
    await exec('xm migrate --live guest host1 >/tmp/out 2>&1 &', 'host2');
    await ask({ op: 'advance', ms: 500 });
    await ask({ op: 'host.crash', host: 'host2' });
    await ask({ op: 'advance', ms: 1000 });
    const heard = await recordsOf('host1');
    expect(newest(heard, 'host2')).toMatchObject({ phase: 'failed', reason: 'The machine was switched off.' });
    expect(newest(heard, 'host1')).toMatchObject({ phase: 'failed', role: 'destination' });
  });

  it.each([
    [{ mbitPerS: 0 }, /^mbitPerS: must be from/],
    [{ mbitPerS: '100' }, /^mbitPerS: a number/],
    [{ latencyMs: -1 }, /^latencyMs: must be from/],
    [{ isUp: 'no' }, /^isUp: true or false/],
  ])('no cable is %j', async (fields, message) => {
    expect((await ask({ op: 'link', ...fields }))['error']).toMatch(message);
  });
});

it('is shown whole to a host that began to look before the other one was there', async () => {
  const first = await bootedHost({});
  expect(first.host.host.migrations.watch(true)).toEqual([]);
  const second = await secondHost(first, 'host2', { seed: 2 });
  await first.exec(CREATE);
  const drawn = new Map<string, Uint8Array>();
  const hosts = [second.host.host, first.host.host];
  // As pages do 20 times a second.
  const look = () => {
    for (const { migrations } of hosts) {
      for (const { host, pages, from, codes } of migrations.takePages()) {
        const map = drawn.get(host) ?? new Uint8Array(pages);
        map.set(codes, from);
        drawn.set(host, map);
      }
    }
  };
  for (const { migrations } of hosts) migrations.onStep = look;
  expect((await first.exec('xm migrate --live guest host2')).output).toBe('');
  look();
  look();
  for (const host of hosts) {
    const [whole] = host.migrations.recorder.pages('whole');
    expect(Buffer.compare(drawn.get(host.options.name)!, whole!.codes), host.options.name).toBe(0);
  }
  // Nobody looks any more: nothing is sent.
  first.host.host.migrations.watch(false);
  expect((await second.exec('xm migrate --live guest host1')).output).toBe('');
  drawn.clear();
  look();
  expect(drawn.size).toBe(0);
  expect(first.bugs).toEqual([]);
  first.close();
}, 60_000);
