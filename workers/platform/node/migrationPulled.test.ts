/**
 * The cable is pulled while a domain is handed over, and stays out: both machines are on, so neither may take the other for
 * dead. This is what a lost connection between two computers is.
 */
import { expect, it } from 'vitest';
import type { BulkLinks } from '../../net/bulk';
import { GIGABIT } from '../../net/cable';
import { type BootedHost, bootedHost, secondHost } from './testing';

const CREATE = 'xm create -q /dev/null kernel=/boot/vmlinuz-2.6.18-xenU memory=16 name=guest';
const WAITS = 'was lost while a domain was handed over: waiting for its word';
const OUT_MS = 30_000;
const REST_MS = 20_000;

it('both hosts wait and say so, and one of them has the domain when the cable is back', async () => {
  const first = await bootedHost({});
  const second = await secondHost(first, 'host2', { seed: 2 });
  const { lan } = first.host.host.world;
  const plug = (isUp: boolean) => lan.changeCable(first.host.host.cable, { ...GIGABIT, isUp });

  const waiting: string[] = [];
  for (const word of ['(prepared)', 'commit', '(running)']) {
    for (const host of [first, second]) await host.exec(': > /var/log/xen/xend.log');
    await first.exec(CREATE);
    let pulls = 0;
    beforeWord(lan.bulk, word, () => {
      pulls += 1;
      plug(false);
    });
    const migration = first.exec('xm migrate --live guest host2', 10 * OUT_MS);
    await first.advance(OUT_MS);
    const meanwhile = [...(await copies(first)), ...(await copies(second))].filter(canRun);
    expect(meanwhile.length, `${word}, pulled: ${meanwhile}`).toBeLessThanOrEqual(1);
    expect(pulls, word).toBe(1);
    for (const host of [first, second])
      if ((await said(host)) > 0) waiting.push(`${host.host.host.options.name} at ${word}`);
    plug(true);
    await migration;
    await first.advance(REST_MS);
    const after = [...(await copies(first)), ...(await copies(second))];
    expect(after.length, `${word}, plugged in: ${after}`).toBe(1);
    expect(after.filter(canRun)).toEqual(after);
    for (const host of [first, second]) await host.exec('xm destroy guest');
    await first.advance(REST_MS);
  }
  expect(waiting).toEqual(['host2 at (prepared)', 'host1 at commit', 'host2 at commit', 'host1 at (running)']);
  expect(first.bugs).toEqual([]);
  first.close();
}, 300_000);

/** Calls `act` once, when a line is about to go out that is this word. */
function beforeWord(links: BulkLinks, word: string, act: () => void): void {
  const join = links.join.bind(links);
  links.join = (...args) => {
    const end = join(...args);
    return {
      ...end,
      send: (bytes, sent) => {
        if (new TextDecoder().decode(bytes).trim() === word) {
          links.join = join;
          act();
        }
        end.send(bytes, sent);
      },
    };
  };
}

/** How often it has said that it waits. */
async function said(host: BootedHost): Promise<number> {
  const { output } = await host.exec(`grep -c '${WAITS}' /var/log/xen/xend.log`);
  return Number(output);
}

async function copies(host: BootedHost): Promise<string[]> {
  const { output } = await host.exec('xm list');
  return output.split('\n').filter((line) => /^(migrating-)?guest /.test(line));
}

/** Neither paused nor suspended. */
function canRun(line: string): boolean {
  return / [r-][b-]---- /.test(line);
}
