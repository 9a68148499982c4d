/** Migration between two hosts of one process: how long the guest stands still in real time, and how fast pages go. */
import { MessageChannel } from 'node:worker_threads';
import { GuestConsole } from '../../workers/platform/node/guestConsole';
import { type BootedHost, bootedHost, secondHost } from '../../workers/platform/node/testing';
import { median, type Part, type Row, wallMs } from '../row';

const TURNS = 5;
const MINI =
  'xm create -q /dev/null kernel=/boot/vmlinuz-2.6.18-xenU memory=64 name=guest vif=mac=00:16:3e:00:00:01 ip=192.0.2.90 netmask=255.255.255.0';
const LINUX =
  'sed "/^disk/d; s/^root.*/root = \'\\/dev\\/ram0\'/" /etc/xen/linux > /etc/xen/moving; xm create -q /etc/xen/moving name=guest memory=128';
interface Moved {
  readonly totalMs: number;
  readonly downMs: number;
}

export const migration: Part = async () => {
  const rows: Row[] = [];
  for (const [kind, name, create, most] of [
    ['mini', 'mini guest, 64 MiB', MINI, 60],
    ['linux', 'Linux guest, 128 MiB', LINUX, 300],
  ] as const) {
    const first = await bootedHost();
    const hosts = [first, await secondHost(first, 'host2', { seed: 2 })] as const;
    const { lan } = first.host.host.world;
    for (const { host } of hosts)
      lan.changeCable(host.host.cable, { bitsPerSecond: Number.POSITIVE_INFINITY, latencyNs: 0, isUp: true });
    await first.exec(create);
    await GuestConsole[kind](first, 'guest');
    const moves: Moved[] = [];
    for (let turn = 0; turn < 2 * TURNS; turn++) moves.push(await move(hosts, turn % 2));
    rows.push(
      {
        name: `live migration, idle ${name}: the guest stands still`,
        value: median(moves.map(({ downMs }) => downMs)),
        unit: 'ms',
        budget: { most },
      },
      {
        name: `live migration, idle ${name}: in all`,
        value: median(moves.map(({ totalMs }) => totalMs)),
        unit: 'ms',
      },
    );
    if (kind === 'mini') {
      const pages = (64 << 20) / 4096;
      const perSecond = (pages * 1000) / median(moves.map(({ totalMs }) => totalMs));
      // The first transfers of a process are several times slower than the rest.
      const raw: number[] = [];
      for (let turn = 0; turn < 2 * TURNS; turn++) raw.push(await rawPages(pages));
      rows.push({
        name: 'migration against a MessagePort with the same bytes',
        value: perSecond / median(raw),
        unit: '×',
        budget: { least: 0.5 },
      });
    }
    first.close();
  }
  return rows;
};

async function move(hosts: readonly [BootedHost, BootedHost], from: number): Promise<Moved> {
  const [source, destination] = [hosts[from]!, hosts[1 - from]!];
  const domainAt = (host: BootedHost) => host.host.host.hypervisor!.domains().find(({ domid }) => domid > 0);
  const { clock } = source.lab;
  let stoppedMs = Number.NaN;
  let runsMs = Number.NaN;
  // Looked at after every event of the two machines.
  const runNext = clock.runNext.bind(clock);
  clock.runNext = (limitNs) => {
    const hasRun = runNext(limitNs);
    if (Number.isNaN(stoppedMs) && domainAt(source)?.isShutDown) stoppedMs = performance.now();
    const arrived = domainAt(destination);
    if (Number.isNaN(runsMs) && arrived && arrived.totPages > 0 && !arrived.isPausedByController)
      runsMs = performance.now();
    return hasRun;
  };
  const totalMs = await wallMs(() => source.exec(`xm migrate --live guest host${2 - from}`));
  clock.runNext = runNext;
  return { totalMs, downMs: runsMs - stoppedMs };
}

/** Pages per second of so many pages through a MessagePort and nothing else, in the batches of a migration. */
async function rawPages(pages: number): Promise<number> {
  const BATCH = 1024;
  const ms = await wallMs(
    () =>
      new Promise<void>((resolve) => {
        const { port1, port2 } = new MessageChannel();
        let arrived = 0;
        port2.on('message', (bytes: Uint8Array) => {
          arrived += bytes.length / 4096;
          if (arrived < pages) return;
          port1.close();
          resolve();
        });
        for (let sent = 0; sent < pages; sent += BATCH) port1.postMessage(new Uint8Array(BATCH * 4096).fill(1));
      }),
  );
  return (pages * 1000) / ms;
}
