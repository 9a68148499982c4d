/** Throughput of whole paths over a real host, in real time: a guest's disk, two guests' network, a guest's console. */
import xterm from '@xterm/headless';
import { GuestConsole } from '../../workers/platform/node/guestConsole';
import { type BootedHost, bootedHost } from '../../workers/platform/node/testing';
import { type Part, type Row, type Skipped, wallMs } from '../row';

const CONSOLE_BYTES = 1_000_000;
const DISK_MIB = 16;
const NET_MIB = 4;

/** A mini guest with a root shell on its console. */
async function guest(machine: BootedHost, name: string, more = ''): Promise<GuestConsole> {
  const command = `xm create -q /dev/null kernel=/boot/vmlinuz-2.6.18-xenU memory=64 name=${name} ${more}`;
  const { status, output } = await machine.exec(command);
  if (status !== 0) throw new Error(`${command}: ${output}`);
  return GuestConsole.mini(machine, name);
}

const mibPerSecond = (mib: number, ms: number): number => (mib * 1000) / ms;

/** Time that xterm.js takes for these bytes as they came, ms. */
async function xtermMs(chunks: readonly Uint8Array[]): Promise<number> {
  const terminal = new xterm.Terminal({ cols: 80, rows: 24, scrollback: 1000, allowProposedApi: true });
  const start = performance.now();
  for (const chunk of chunks) terminal.write(chunk);
  await new Promise<void>((resolve) => terminal.write('', resolve));
  return performance.now() - start;
}

export const consoleOutput: Part = async () => {
  const machine = await bootedHost();
  const shell = await guest(machine, 'talker');
  await shell.run('seq 1 1000');
  const guestMs = await wallMs(() => shell.run(`seq 1 1000000 | head -c ${CONSOLE_BYTES}`));
  const bytes = shell.chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  await xtermMs(shell.chunks);
  const directMs = await xtermMs(shell.chunks);
  machine.close();
  const total = bytes / 1048576;
  return [
    { name: 'console, 1 MB from a guest to the host', value: mibPerSecond(total, guestMs), unit: 'MiB/s' },
    { name: 'console, the same bytes straight to xterm.js', value: mibPerSecond(total, directMs), unit: 'MiB/s' },
    { name: 'console, guest and xterm.js against xterm.js alone', value: (guestMs + directMs) / directMs, unit: '×' },
  ];
};

export const guestIo: Part = async () => {
  const machine = await bootedHost();
  const rows: (Row | Skipped)[] = [];
  const attempt = async (name: string, measure: () => Promise<number>): Promise<void> => {
    try {
      rows.push({ name, value: await measure(), unit: 'MiB/s' });
    } catch (error) {
      rows.push({ name, reason: (error as Error).message });
    }
  };
  const writer = await guest(
    machine,
    'writer',
    'disk=phy:hda5,sda1,w vif=mac=00:16:3e:00:00:01 ip=192.0.2.201 netmask=255.255.255.0',
  );
  await attempt('a guest writes its disk (dd, 64 KiB)', async () =>
    mibPerSecond(
      DISK_MIB,
      await wallMs(() => writer.run(`dd if=/dev/zero of=/dev/sda1 bs=64k count=${DISK_MIB * 16} 2>/dev/null; sync`)),
    ),
  );
  await attempt('a guest reads its disk (dd, 64 KiB)', async () =>
    mibPerSecond(
      DISK_MIB,
      await wallMs(() => writer.run(`dd if=/dev/sda1 of=/dev/null bs=64k count=${DISK_MIB * 16} 2>/dev/null`)),
    ),
  );
  await attempt('TCP from guest to guest (nc)', async () => {
    const reader = await guest(machine, 'reader', 'vif=mac=00:16:3e:00:00:02 ip=192.0.2.202 netmask=255.255.255.0');
    await reader.type('nc -l -p 5001 >/dev/null\n');
    await machine.advance(100);
    return mibPerSecond(
      NET_MIB,
      await wallMs(() => writer.run(`dd if=/dev/zero bs=64k count=${NET_MIB * 16} 2>/dev/null | nc 192.0.2.202 5001`)),
    );
  });
  machine.close();
  return rows;
};
