/** A console that goes with its domain from host to host: everything that the guest prints, once, and what is typed. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Domid } from '../../abi/xen';
import { FollowedConsole } from '../../machine/followedConsole';
import { callConsole } from '../../machine/remoteConsole';
import { GuestConsole } from './guestConsole';
import { HeadlessLab } from './headless/headlessLab';
import { Session } from './headless/session';
import { type BootedHost, bootedHost, rebooted, secondHost } from './testing';

const CREATE = 'xm create -q /dev/null kernel=/boot/vmlinuz-2.6.18-xenU memory=16 name=guest';
const UP = { bitsPerSecond: 1e9, latencyNs: 50_000, isUp: true };

let first: BootedHost;
let second: BootedHost;
let third: BootedHost;

beforeAll(async () => {
  first = await bootedHost({});
  second = await secondHost(first, 'host2', { seed: 2 });
  third = await secondHost(first, 'host3', { seed: 3 });
}, 60_000);
afterAll(() => {
  expect(first.bugs).toEqual([]);
  first.close();
});

/** What the page's pane has of a domain's console. */
class Viewer {
  text = '';
  readonly places: string[] = [];
  reason: string | undefined;
  followed: FollowedConsole | undefined;

  static async of(booted: BootedHost, domid: number): Promise<Viewer> {
    const viewer = new Viewer(booted);
    const decoder = new TextDecoder();
    viewer.booted.host.host.interrupt(() => {
      viewer.followed = FollowedConsole.open(booted.host.host, domid, {
        data: (bytes) => {
          viewer.text += decoder.decode(bytes, { stream: true });
        },
        moved: (host, id) => viewer.places.push(`${host} ${id > 0}`),
        closed: (reason) => {
          viewer.reason = reason;
        },
      });
    });
    await booted.advance(10);
    expect(viewer.followed).toBeDefined();
    return viewer;
  }

  private constructor(readonly booted: BootedHost) {}

  async type(line: string): Promise<void> {
    this.booted.host.host.interrupt(() => this.followed!.write(new TextEncoder().encode(line)));
    await this.booted.advance(50);
  }

  /** Every number that the guest's counter has shown. */
  counted(): readonly number[] {
    return [...this.text.matchAll(/^n=(\d+)\r*$/gm)].map(([, n]) => Number(n));
  }
}

const domidAt = (booted: BootedHost): Domid =>
  booted.host.host.hypervisor!.domains().find(({ domid }) => domid > 0)!.domid;

describe('a console that follows its domain', () => {
  let viewer: Viewer;

  beforeEach(async () => {
    for (const each of [first, second, third]) await each.exec('xm destroy guest');
    expect((await first.exec(CREATE)).output).toBe('');
    const guest = await GuestConsole.mini(first, 'guest');
    guest.close();
    viewer = await Viewer.of(first, domidAt(first));
  });

  it('shows all that the guest prints, without gap or repetition, five times there and back', async () => {
    await viewer.type('i=0; while :; do i=$((i+1)); echo n=$i; sleep 0.002; done\n');
    for (let turn = 0; turn < 5; turn++) {
      expect((await first.exec('xm migrate --live guest host2')).output).toBe('');
      await first.advance(300);
      expect((await second.exec(`xm migrate ${turn % 2 ? '--live ' : ''}guest host1`)).output).toBe('');
      await first.advance(300);
    }
    const numbers = viewer.counted();
    expect(numbers.length).toBeGreaterThan(500);
    expect(numbers).toEqual(numbers.map((_, i) => i + 1));
    expect(viewer.places).toEqual(Array.from({ length: 5 }, () => ['host2 true', 'host1 true']).flat());
    expect(viewer.reason).toBeUndefined();
  }, 120_000);

  it('takes what is typed to wherever the domain is, also at a third machine', async () => {
    await first.exec('xm migrate --live guest host2');
    await second.exec('xm migrate --live guest host3');
    await first.advance(200);
    expect(viewer.places).toEqual(['host2 true', 'host3 true']);
    await viewer.type('echo sum=$((40+2))\n');
    await first.advance(500);
    expect(viewer.text).toMatch(/^sum=42\r*$/m);
  });

  it('ends with the domain, wherever that is', async () => {
    await first.exec('xm migrate --live guest host2');
    await first.advance(200);
    await second.exec('xm destroy guest');
    await first.advance(200);
    expect(viewer.reason).toBe('The domain is gone.');
  });

  it('says that the machine is off which the domain was on', async () => {
    await first.exec('xm migrate --live guest host2');
    await first.advance(200);
    expect(viewer.places).toEqual(['host2 true']);
    second.host.crash();
    await first.advance(200);
    expect(viewer.reason).toBe('host2, where the domain was, is switched off.');
    second = await rebooted(first, 'host2');
  });

  it('says that the connection is lost when a cable is pulled out, or has been', async () => {
    const { lan } = first.host.host.world;
    const { cable } = second.host.host;
    await first.exec('xm migrate --live guest host2');
    await first.advance(200);
    lan.changeCable(cable, { ...UP, isUp: false });
    await first.advance(200);
    expect(viewer.reason).toBe('The connection to host2, where the domain runs, is lost.');
    const { id } = second.host.host.migrations.recorder.records.at(-1)!;
    const ends: string[] = [];
    first.host.host.interrupt(() =>
      callConsole(first.host.host, 'host2', id, { data: () => {}, closed: (how) => ends.push(how) }),
    );
    await first.advance(11_000);
    expect(ends).toEqual(['lost']);
    lan.changeCable(cable, UP);
  });

  it('is not answered for a domain that did not come by the migration that is named', async () => {
    await first.exec('xm migrate --live guest host2');
    const got: string[] = [];
    const call = (id: string) =>
      first.host.host.interrupt(() =>
        callConsole(first.host.host, 'host2', id, {
          data: (bytes) => got.push(`${bytes.length > 0}`),
          closed: (how) => got.push(how),
        }),
      );
    for (const id of ['', '1', 'guest']) call(id);
    await first.advance(500);
    expect(got).toEqual(['gone', 'gone', 'gone']);
  });

  it('is read no more by who has closed it', async () => {
    await first.exec('xm migrate --live guest host2');
    await first.advance(200);
    first.host.host.interrupt(() => viewer.followed!.detach());
    await first.advance(200);
    const before = viewer.text;
    const guest = await GuestConsole.attach(second, 'guest');
    await guest.run('echo hello');
    expect(viewer.text).toBe(before);
    expect(viewer.reason).toBeUndefined();
  });
});

it('headless: console.open with `follow`', async () => {
  const bugs: unknown[] = [];
  const printed: Record<string, unknown>[] = [];
  const session = new Session(new HeadlessLab((error) => bugs.push(error)), (line) => printed.push(JSON.parse(line)));
  let id = 0;
  const ask = (fields: object) => session.receive(JSON.stringify({ id: ++id, ...fields }));
  await ask({ op: 'host.create', host: 'host2', options: { seed: 2 } });
  await ask({ op: 'exec', command: CREATE });
  await ask({ op: 'console.open', domain: 'guest', follow: true });
  await ask({ op: 'console.open', domain: 'guest' });
  await ask({ op: 'snapshot', host: 'host2' });
  await ask({ op: 'exec', command: 'xm migrate --live guest host2' });
  await ask({ op: 'console.write', console: 'c1', data: 'root\n' });
  await ask({ op: 'advance', ms: 2000 });
  const events = printed.filter(({ console: name, event }) => name !== undefined && event !== undefined);
  expect(events.filter(({ console: name }) => name === 'c2').at(-1)).toMatchObject({ event: 'console.closed' });
  const followed = events.filter(({ console: name }) => name === 'c1');
  const moved = followed.findIndex(({ event }) => event === 'console.moved');
  expect(followed[moved]).toEqual({ event: 'console.moved', console: 'c1', host: 'host2', domid: 1 });
  const after = followed.slice(moved).map(({ data }) => (typeof data === 'string' ? data : ''));
  expect(after.join('')).toMatch(/# $/);
  session.stop();
  expect(bugs).toEqual([]);
}, 60_000);
