/** Real Linux in a domain: how fast it boots, computes, reads and writes, in real time; its processor against plain v86. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { GuestConsole } from '../../workers/platform/node/guestConsole';
import { INSTRUCTIONS_PER_TURN, installLoop } from '../../workers/platform/node/machineCode';
import { type BootedHost, bootedHost } from '../../workers/platform/node/testing';
import { PlainMachine } from '../plainV86';
import { cpuMs, type Part, type Row, wallMs } from '../row';

const images = new URL('../../public/guests/', import.meta.url);
/** What the example configuration of Debian's kernel has, going on in the RAM disk with a shell and nothing else. */
const DEBIAN_WORDS =
  'quiet mitigations=off random.trust_cpu=on cryptomgr.notests noisapnp apparmor=0 tsc=reliable rdinit=/bin/sh';
const RAM_DISK_SHELL =
  '/bin/busybox --install -s /bin; mkdir -p /proc /dev; mount -t devtmpfs dev /dev; mount -t proc proc /proc';
const PROMPT = /# (\x1b\[6n)?$/;
const TURNS = 250_000_000;
const MD5_MIB = 64;
const MD5 = `dd if=/dev/zero bs=64k count=${MD5_MIB * 16} 2>/dev/null | md5sum`;
/** Of each the fastest counts, in processor time: what disturbs a run only makes it slower. */
const RUNS = 8;
const DISK_MIB = 64;
const NET_MIB = 8;

async function create(machine: BootedHost, command: string): Promise<void> {
  const { status, output } = await machine.exec(command);
  if (status !== 0) throw new Error(`${command}: ${output}`);
}

const mibPerSecond = (mib: number, ms: number): number => (mib * 1000) / ms;
const spinnerConfig = (name: string) =>
  `sed '/^disk/d; s!/dev/xvda rw!/dev/ram0!; s/"linux"/"${name}"/' /etc/xen/linux > /etc/xen/${name}`;

async function bootTimes(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [kernel, config, most] of [
    ['small kernel', 'linux', 4000],
    ['Debian 686-pae', 'debian', 10_000],
  ] as const) {
    const machine = await bootedHost();
    const boot = () =>
      wallMs(async () => {
        await create(machine, `xm create /etc/xen/${config}`);
        await GuestConsole.linux(machine, config);
      });
    rows.push({
      name: `Linux, create → shell, ${kernel}, first guest`,
      value: await boot(),
      unit: 'ms',
      budget: { most },
    });
    await machine.exec(`xm destroy ${config}`);
    await machine.advance(1000);
    rows.push({ name: `Linux, create → shell, ${kernel}, again`, value: await boot(), unit: 'ms', budget: { most } });
    machine.close();
  }
  return rows;
}

/** The same kernel, RAM disk and commands in a domain and on plain v86, turn by turn. */
async function processor(): Promise<Row[]> {
  const machine = await bootedHost();
  await create(machine, `xm create /etc/xen/debian memory=128 'extra=console=hvc0 ${DEBIAN_WORDS}'`);
  const guest = await GuestConsole.attach(machine, 'debian');
  await guest.until(PROMPT);
  const plain = await PlainMachine.start({
    kernel: readFileSync(new URL('vmlinuz-6.1-686-pae', images)),
    ramdisk: gunzipSync(readFileSync(new URL('initrd-6.1-686-pae.img.gz', images))),
    cmdline: `console=ttyS0 acpi=off ${DEBIAN_WORDS}`,
    memoryMiB: 128,
  });
  await plain.until(PROMPT);
  for (const command of [RAM_DISK_SHELL, installLoop('/loop', TURNS)]) {
    await guest.run(command);
    await plain.run(command);
  }
  await plain.pause();
  const best = async (command: string) => {
    let inDomain = Number.POSITIVE_INFINITY;
    let onPlain = Number.POSITIVE_INFINITY;
    const guestTurn = async () => {
      inDomain = Math.min(inDomain, await cpuMs(() => guest.run(command)));
    };
    const plainTurn = async () => {
      plain.resume();
      onPlain = Math.min(onPlain, await cpuMs(() => plain.run(command)));
      await plain.pause();
    };
    // V8 shares what it has optimized between equal modules: now one comes first, now the other.
    for (let run = 0; run < RUNS; run++)
      for (const turn of run % 2 === 0 ? [guestTurn, plainTurn] : [plainTurn, guestTurn]) await turn();
    return { inDomain, onPlain };
  };
  const loop = await best('/loop');
  const md5 = await best(MD5);
  await plain.stop();
  machine.close();
  return [
    {
      name: 'Linux, an integer loop',
      value: (TURNS * INSTRUCTIONS_PER_TURN) / 1e3 / loop.inDomain,
      unit: 'M instructions/s',
    },
    {
      name: 'Linux, an integer loop, speed against plain v86',
      value: loop.onPlain / loop.inDomain,
      unit: '×',
      budget: { least: 0.9 },
    },
    { name: `Linux, md5sum of ${MD5_MIB} MiB`, value: mibPerSecond(MD5_MIB, md5.inDomain), unit: 'MiB/s' },
    {
      name: `Linux, md5sum of ${MD5_MIB} MiB, speed against plain v86`,
      value: md5.onPlain / md5.inDomain,
      unit: '×',
      budget: { least: 0.9 },
    },
  ];
}

async function throughput(): Promise<Row[]> {
  const machine = await bootedHost();
  for (const name of ['sender', 'receiver', 'third', 'fourth']) await create(machine, spinnerConfig(name));
  await create(machine, 'xm create /etc/xen/sender disk=phy:hda5,xvda,w');
  const sender = await GuestConsole.linux(machine, 'sender');
  const dd = (command: string) =>
    wallMs(() => sender.run(`${command} bs=64k count=${DISK_MIB * 16} 2>/dev/null; sync`));
  // The first pass pays for the translation of the code that it runs.
  await dd('dd if=/dev/zero of=/dev/xvda');
  const writeMs = await dd('dd if=/dev/zero of=/dev/xvda');
  await sender.run('echo 3 > /proc/sys/vm/drop_caches');
  const readMs = await dd('dd if=/dev/xvda of=/dev/null');

  await create(machine, 'xm create /etc/xen/receiver');
  const receiver = await GuestConsole.linux(machine, 'receiver');
  const address = async (guest: GuestConsole) => {
    await guest.run('until ip addr show eth0 | grep -q "inet "; do sleep 1; done');
    return /inet ([\d.]+)/.exec((await guest.run('ip addr show eth0')).output)![1]!;
  };
  await address(sender);
  const to = await address(receiver);
  const received = await receiver.begin('nc -l -p 5001 > /dev/null');
  await machine.advance(500);
  const netMs = await wallMs(async () => {
    await sender.run(`dd if=/dev/zero bs=64k count=${NET_MIB * 16} 2>/dev/null | nc ${to} 5001`);
    await received();
  });

  const residentMiB = () => {
    globalThis.gc?.();
    return process.memoryUsage().rss / 2 ** 20;
  };
  const before = residentMiB();
  for (const name of ['third', 'fourth']) {
    await create(machine, `xm create /etc/xen/${name}`);
    await GuestConsole.linux(machine, name);
  }
  const eachMiB = (residentMiB() - before) / 2;
  machine.close();
  return [
    { name: 'Linux, writes its disk (dd, 64 KiB)', value: mibPerSecond(DISK_MIB, writeMs), unit: 'MiB/s' },
    { name: 'Linux, reads its disk (dd, 64 KiB)', value: mibPerSecond(DISK_MIB, readMs), unit: 'MiB/s' },
    { name: 'Linux, TCP from guest to guest (nc)', value: mibPerSecond(NET_MIB, netMs), unit: 'MiB/s' },
    { name: 'Linux, real memory of a further guest of 32 MiB', value: eachMiB, unit: 'MiB' },
  ];
}

export const linux: Part = async () => [...(await bootTimes()), ...(await processor()), ...(await throughput())];
