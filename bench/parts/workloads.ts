/** Live migration of a guest at work over 1 Gbit/s, in virtual time and by the source's own records: nothing here depends on the computer. */
import { GuestConsole } from '../../workers/platform/node/guestConsole';
import { bootedHost, secondHost } from '../../workers/platform/node/testing';
import type { Part, Row } from '../row';

const CREATE = 'xm create -q /dev/null kernel=/boot/vmlinuz-2.6.18-xenU memory=64 name=guest';
const KINDS = ['idle', 'web', 'game', 'memory'] as const;

export const workloads: Part = async () => {
  const rows: Row[] = [];
  for (const kind of KINDS) {
    const first = await bootedHost();
    await secondHost(first, 'host2', { seed: 2 });
    await first.exec(CREATE);
    const guest = await GuestConsole.mini(first, 'guest');
    await guest.run(`workload ${kind} & sleep 2`);
    const { status, output } = await first.exec('xm migrate --live guest host2');
    if (status !== 0) throw new Error(output);
    const record = first.host.host.migrations.recorder.records.at(-1)!;
    if (!record.downtime || !record.span) throw new Error(`no times in the record of ${kind}`);
    const name = `live migration, mini guest, 64 MiB, workload ${kind}`;
    rows.push(
      { name: `${name}: the guest stands still, virtual`, value: record.downtime.virtualMs, unit: 'ms' },
      { name: `${name}: in all, virtual`, value: record.span.virtualMs, unit: 'ms' },
      { name: `${name}: rounds, ended by "${record.stopRule}"`, value: record.rounds.length, unit: 'rounds' },
    );
    first.close();
  }
  return rows;
};
