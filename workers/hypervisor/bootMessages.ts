/**
 * What Xen prints while it boots, up to loading Domain-0 and after it (xen/arch/x86/setup.c, Xen 3.4). Every value is
 * that of this machine.
 */
import {
  CPU_KHZ,
  CPU_MODEL,
  XEN_CHANGESET,
  XEN_COMPILE_BY,
  XEN_COMPILE_DATE,
  XEN_COMPILE_DOMAIN,
  XEN_COMPILER,
  XEN_VERSION,
} from './build';
import type { E820Entry } from './domain';
import type { Hypervisor } from './hypervisor';
import { isOptionOn } from './sched/options';

/** figlet's picture of `Xen 3.4.0`. */
const BANNER = [
  ' __  __            _____ _  _    ___  ',
  ' \\ \\/ /___ _ __   |___ /| || |  / _ \\ ',
  "  \\  // _ \\ '_ \\    |_ \\| || |_| | | |",
  '  /  \\  __/ | | |  ___) |__   _| |_| |',
  ' /_/\\_\\___|_| |_| |____(_) |_|(_)___/ ',
  '                                      ',
];

const e820Kind: Readonly<Record<number, string>> = {
  1: 'usable',
  2: 'reserved',
  3: 'ACPI data',
  4: 'ACPI NVS',
  5: 'unusable',
};

/** Up to the point where Domain-0 is loaded. */
export function printBoot(hv: Hypervisor, schedulerMessages: readonly string[]): void {
  const { console, memory } = hv;
  const print = (line: string) => console.print(line);
  const info = (line: string) => console.print(line, 'info');
  const cpus = hv.schedule.pcpus.length;
  const mhz = (CPU_KHZ / 1000).toFixed(3);

  console.printRaw(`${BANNER.join('\n')}\n`);
  print(`Xen version ${XEN_VERSION} (${XEN_COMPILE_BY}@${XEN_COMPILE_DOMAIN}) (${XEN_COMPILER}) ${XEN_COMPILE_DATE}`);
  print(`Latest ChangeSet: ${XEN_CHANGESET}`);
  if (isOptionOn(hv.options, 'sync_console')) print('Console output is synchronous.');
  print(`Command line: ${hv.commandLine.text}`);
  print('Video information:');
  print(' VGA is text mode 80x25, font 8x16');
  print(' VBE/DDC methods: V2; EDID transfer time: 1 seconds');
  print('Disc information:');
  print(' Found 2 MBR signatures');
  print(' Found 2 EDD information structures');
  if (isOptionOn(hv.options, 'e820-verbose')) printMap(hv, 'Initial Xen-e820 RAM map:');
  printMap(hv, 'Xen-e820 RAM map:');
  const ramKiB = memory.totalPages * 4;
  print(`System RAM: ${Math.floor(ramKiB / 1024)}MB (${ramKiB}kB)`);
  const heapKiB = memory.xenheapFreePages * 4;
  print(`Xen heap: ${Math.floor(heapKiB / 1024)}MB (${heapKiB}kB)`);
  print('Domain heap initialised');
  info('found SMP MP-table at 000f5680');
  info('DMI 2.4 present.');
  info('Using APIC driver default');
  for (let cpu = 0; cpu < cpus; cpu++) print(`Processor #${cpu} 6:15 APIC version 20`);
  print('Enabling APIC mode:  Flat.  Using 1 I/O APICs');
  info('Using ACPI (MADT) for SMP configuration information');
  for (const line of schedulerMessages) print(line);
  info('Initializing CPU#0');
  print(`Detected ${mhz} MHz processor.`);
  print(`CPU0: ${CPU_MODEL} stepping 06`);
  for (let cpu = 1; cpu < cpus; cpu++) {
    print(`Booting processor ${cpu}/${cpu} eip 8c000`);
    print(`CPU${cpu}: ${CPU_MODEL} stepping 06`);
  }
  print(`Total of ${cpus} processors activated.`);
  print('ENABLING IO-APIC IRQs');
  print(' -> Using new ACK method');
  if (cpus > 1) print(`checking TSC synchronization across ${cpus} CPUs: passed.`);
  print('Platform timer is 14.318MHz HPET');
  print(`Brought up ${cpus} CPUs`);
  print('I/O virtualisation disabled');
}

/** Between Domain-0's loading and its first instruction. */
export function printEndOfBoot(hv: Hypervisor, tracePages: number): void {
  const print = (line: string) => hv.console.print(line);
  if (!['no', 'off', 'false', '0'].includes(hv.options.get('bootscrub') ?? '')) {
    const dots = '.'.repeat(Math.max(1, Math.ceil(hv.memory.freePages / 25600)));
    print(`Scrubbing Free RAM: ${dots}done.`);
  }
  print(`Xen trace buffers: ${tracePages > 0 ? 'initialised' : 'disabled'}`);
  const { own, guest } = hv.console.levelNames;
  print(`Std. Loglevel: ${own}`);
  print(`Guest Loglevel: ${guest}`);
  const keepsVga = hv.options.get('vga')?.split(',').includes('keep') ?? false;
  print(`Xen is ${keepsVga ? 'keeping' : 'relinquishing'} VGA console.`);
  hv.console.endBoot(hv.options);
  print('Freed 104kB init memory.');
}

function printMap(hv: Hypervisor, title: string): void {
  hv.console.print(title);
  for (const { addr, size, type } of hv.machineMap) {
    const hex = (value: bigint) => value.toString(16).padStart(16, '0');
    hv.console.print(` ${hex(addr)} - ${hex(addr + size)} (${e820Kind[type] ?? `type ${type}`})`);
  }
}

/** The memory map that the BIOS reports for so many frames. */
export function machineMap(frames: number): readonly E820Entry[] {
  const entry = (from: number, to: number, type: number) => ({
    addr: BigInt(from),
    size: BigInt(to) - BigInt(from),
    type,
  });
  return [
    entry(0, 0x9fc00, 1),
    entry(0x9fc00, 0xa0000, 2),
    entry(0xf0000, 0x100000, 2),
    entry(0x100000, frames * 4096, 1),
  ];
}
