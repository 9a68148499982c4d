/** What the kernel says while it boots, in Linux 2.6.18's words, with the numbers of this machine. */
import type { BootInfo } from './bootInfo';
import { KERNEL_RELEASE } from './kernelImage';

const KIB_PER_PAGE = 4;
export const KERNEL_VERSION_TEXT = '#1 SMP Mon May 18 17:21:38 UTC 2009';

export interface BootFacts {
  readonly info: BootInfo;
  readonly release?: string;
  readonly vcpus: number;
  readonly maxPfn: number;
  readonly freePages: number;
  readonly xen: { readonly major: number; readonly minor: number; readonly extra: string };
}

/** Before the other vcpus are up. */
export function earlyMessages(facts: BootFacts): string[] {
  const { info, maxPfn } = facts;
  const totalKiB = info.nrPages * KIB_PER_PAGE;
  const mebibytes = Math.floor((maxPfn * KIB_PER_PAGE) / 1024);
  const end = (maxPfn * 4096).toString(16).padStart(16, '0');
  return [
    `Linux version ${facts.release ?? KERNEL_RELEASE} (root@xenlab) (gcc version 4.3.2 (Debian 4.3.2-1.1)) ${KERNEL_VERSION_TEXT}`,
    'BIOS-provided physical RAM map:',
    ` Xen: 0000000000000000 - ${end} (usable)`,
    '0MB HIGHMEM available.',
    `${mebibytes}MB LOWMEM available.`,
    ...(info.isInitialDomain ? [] : ['ACPI in unprivileged domain disabled']),
    `Built 1 zonelists.  Total pages: ${maxPfn}`,
    `Kernel command line: ${info.commandLine}`,
    'Initializing CPU#0',
    'Xen reported: 1000.000 MHz processor.',
    'Console: colour dummy device 80x25',
    `Memory: ${facts.freePages * KIB_PER_PAGE}k/${totalKiB}k available (${totalKiB - facts.freePages * KIB_PER_PAGE}k reserved, 0k highmem)`,
    'Checking if this processor honours the WP bit even in supervisor mode... Ok.',
  ];
}

/** Once the vcpus are up. */
export function lateMessages(facts: BootFacts): string[] {
  const { info, vcpus } = facts;
  return [
    ...Array.from({ length: vcpus - 1 }, (_, i) => `Initializing CPU#${i + 1}`),
    `Brought up ${vcpus} CPUs`,
    'NET: Registered protocol family 16',
    ...(info.ramdisk ? ['checking if image is initramfs... it is'] : []),
    `Hypervisor: Xen version ${facts.xen.major}.${facts.xen.minor}${facts.xen.extra}`,
    'Grant table initialized',
    'NET: Registered protocol family 2',
    'NET: Registered protocol family 1',
    'NET: Registered protocol family 17',
    'xen_mem: Initialising balloon driver.',
    'Xen virtual console successfully installed as tty1',
    'Event-channel device installed.',
    'netfront: Initialising virtual ethernet driver.',
  ];
}
