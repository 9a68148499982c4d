/** Saving and restoring an idle guest of either kind: real time, virtual time, bytes of the state file. */
import { GuestConsole } from '../../workers/platform/node/guestConsole';
import { type BootedHost, bootedHost } from '../../workers/platform/node/testing';
import { median, type Part, type Row } from '../row';

const TIMES = 3;
const MIB = 2 ** 20;

interface Kind {
  readonly name: string;
  readonly what: string;
  readonly create: string;
  readonly open: (booted: BootedHost) => Promise<unknown>;
}

const KINDS: readonly Kind[] = [
  {
    name: 'mini',
    what: 'mini guest, 64 MiB',
    create: 'xm create /dev/null kernel=/boot/vmlinuz-2.6.18-xenU memory=64 name=mini',
    open: (booted) => GuestConsole.mini(booted, 'mini'),
  },
  {
    name: 'linux',
    what: 'Linux guest, 32 MiB',
    create: 'xm create /etc/xen/linux',
    open: (booted) => GuestConsole.linux(booted, 'linux'),
  },
];

export const save: Part = async () => {
  const rows: Row[] = [];
  for (const kind of KINDS) rows.push(...(await measureKind(kind)));
  return rows;
};

async function measureKind({ name, what, create, open }: Kind): Promise<readonly Row[]> {
  const booted = await bootedHost();
  const run = async (command: string) => {
    const { status, output } = await booted.exec(command);
    if (status !== 0) throw new Error(`${command}: ${output}`);
    return output;
  };
  /** Real and virtual ms of a command. */
  const timed = async (command: string): Promise<readonly [number, number]> => {
    const [wall, virtual] = [performance.now(), booted.lab.nowMs];
    await run(command);
    return [performance.now() - wall, booted.lab.nowMs - virtual];
  };
  await run(create);
  await open(booted);
  const saves: (readonly [number, number])[] = [];
  const restores: (readonly [number, number])[] = [];
  for (let times = 0; times < TIMES; times++) {
    saves.push(await timed(`xm save ${name} /root/${name}.chk`));
    restores.push(await timed(`xm restore /root/${name}.chk`));
    await booted.advance(1000);
  }
  const bytes = Number(await run(`stat -c %s /root/${name}.chk`));
  booted.close();
  const middle = (all: readonly (readonly [number, number])[], i: 0 | 1) => median(all.map((each) => each[i]));
  return [
    { name: `xm save, ${what}`, value: middle(saves, 0), unit: 'ms' },
    { name: `xm save, ${what}, virtual`, value: middle(saves, 1), unit: 'ms' },
    { name: `xm restore, ${what}`, value: middle(restores, 0), unit: 'ms' },
    { name: `xm restore, ${what}, virtual`, value: middle(restores, 1), unit: 'ms' },
    { name: `state file, ${what}`, value: bytes / MIB, unit: 'MiB' },
  ];
}
