/**
 * Migrations that go wrong: two hosts, a guest of either kind, and something that happens when message number n of the
 * relocation goes out. Afterwards exactly one host has the domain, unless the machine with the only whole copy is dead.
 */
import { deepStrictEqual, match, ok } from 'node:assert/strict';
import { GuestConsole } from './guestConsole';
import { type Fault, Saboteur } from './saboteur.testkind';
import { type BootedHost, bootedHost, rebooted, secondHost, traces } from './testing';

export type GuestKind = 'mini' | 'linux';

/** Small, so that a run is short: what counts is which message is the last one. */
const CREATE: Readonly<Record<GuestKind, string>> = {
  mini: 'xm create -q /dev/null kernel=/boot/vmlinuz-2.6.18-xenU memory=16 name=guest vif=mac=00:16:3e:00:00:01 ip=192.0.2.90 netmask=255.255.255.0',
  linux:
    "sed '/^disk/d; s!/dev/xvda rw!/dev/ram0!' /etc/xen/linux > /etc/xen/moving; xm create -q /etc/xen/moving name=guest",
};
const STATE_FILE = '/root/guest.chk';

/** The destination says that it has everything, the source that it lets go, the destination that the domain runs. */
const LAST_WORDS = ['(prepared)', 'commit', '(running)'];
/** Until both hosts have come to a decision, and all is taken away. */
const REST_MS = 4000;

export class FaultyMigrations {
  /** How many a migration has when nothing happens; one in which the guest has written nothing meanwhile has a few less. */
  messages = 0;
  #empty: readonly unknown[] = [];

  private constructor(
    readonly kind: GuestKind,
    private first: BootedHost,
    private second: BootedHost,
    private readonly saboteur: Saboteur,
  ) {}

  /** Two hosts, and the guest in a state file from which every run starts. */
  static async start(kind: GuestKind): Promise<FaultyMigrations> {
    const first = await bootedHost({});
    const second = await secondHost(first, 'host2', { seed: 2 });
    const it = new FaultyMigrations(kind, first, second, new Saboteur(first.host.host.world.lan.bulk));
    await it.#succeed(first, CREATE[kind]);
    const guest = await GuestConsole[kind](first, 'guest');
    await guest.type('(i=0; while :; do i=$((i+1)); echo "n=$i"; sleep 0.5; done) &\n');
    await guest.until(/n=3\r/);
    await it.#succeed(first, `xm save guest ${STATE_FILE}; sync`);
    await first.advance(REST_MS);
    await first.lab.saveDisks();
    it.#empty = [await traces(first), await traces(second)];
    await it.#succeed(first, `xm restore ${STATE_FILE}`);
    it.saboteur.arm(Number.POSITIVE_INFINITY, () => {});
    await it.#succeed(first, 'xm migrate --live guest host2');
    it.messages = it.saboteur.count;
    await it.#clear();
    return it;
  }

  close(): void {
    this.first.close();
  }

  /** One migration with a fault at message `at`; throws AssertionError when the rule is broken. */
  async run(at: number, fault: Fault): Promise<void> {
    const { saboteur, messages } = this;
    await this.#succeed(this.first, `xm restore ${STATE_FILE}`);
    saboteur.arm(at, saboteur.faultOf(fault, this.first.host, this.second.host));
    await this.first.exec('xm migrate --live guest host2').catch(() => undefined);
    this.first = await rebooted(this.first, 'host1');
    this.second = await rebooted(this.second, 'host2');
    await this.first.advance(REST_MS);
    const [here, there] = [await running(this.first), await running(this.second)];
    const { hit } = saboteur;
    const what = `${this.kind}, message ${at} of ${messages} (${hit}), ${fault}: ${JSON.stringify([here, there])}`;
    // What a machine held in its memory is gone with it: the domain, as long as nobody else had all of it.
    const isWhole = hit === undefined || LAST_WORDS.includes(hit);
    const mayBeGone = (fault === 'source dies' && !isWhole) || (fault === 'destination dies' && hit === LAST_WORDS[2]);
    const copies = here.length + there.length;
    ok(copies === 1 || (copies === 0 && mayBeGone), what);
    if (hit === undefined || fault === 'source dies') deepStrictEqual(here, [], what);
    else if (fault === 'destination dies') deepStrictEqual(there, [], what);
    for (const line of [...here, ...there]) match(line, /^guest .* [r-][b-]---- /, what);
    await this.#isAlive(here.length > 0 ? this.first : this.second, copies, what);
    await this.#clear();
    deepStrictEqual([await traces(this.first), await traces(this.second)], this.#empty, what);
    deepStrictEqual(this.first.bugs, [], what);
  }

  /** The survivor does its work: it counts. */
  async #isAlive(host: BootedHost, copies: number, what: string): Promise<void> {
    if (copies === 0) return;
    const guest = await GuestConsole.attach(host, 'guest');
    await guest
      .until(/n=\d+\r*\n(?:[^n]*n=\d+\r*\n){2}/)
      .catch((error: unknown) => ok(false, `${what}: ${String(error)}`));
    guest.close();
  }

  async #clear(): Promise<void> {
    for (const host of [this.first, this.second]) await host.exec('xm destroy guest');
    await this.first.advance(REST_MS);
  }

  async #succeed(host: BootedHost, command: string): Promise<void> {
    const { status, output } = await host.exec(command);
    ok(status === 0, `${command}: status ${status} ${output}`);
  }
}

async function running(host: BootedHost): Promise<string[]> {
  const { output } = await host.exec('xm list');
  return output.split('\n').filter((line) => /^(migrating-)?guest /.test(line));
}
