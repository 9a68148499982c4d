/** The first round through the machine: what to type next, found from what has happened. Pure. */

export interface Progress {
  /** Command lines entered at the serial console so far. */
  readonly typed: readonly string[];
  /** Names of all domains that have been there since switch-on. */
  readonly seenDomains: readonly string[];
}

export interface Step {
  readonly command: string;
  /** What the command teaches, in one or two sentences. */
  readonly teaches: string;
  /** A file worth reading beside it. */
  readonly file?: string;
  readonly isDone: (progress: Progress) => boolean;
}

const ramdiskCommand =
  "xm create /dev/null kernel=/boot/vmlinuz-2.6.18-xenU name=ramdisk vif='' vcpus=1 memory=64 root=/dev/ram0";

export const steps: readonly Step[] = [
  {
    command: 'xm list',
    teaches:
      'Lists the domains. Domain-0 is the control domain: the system whose shell you are typing in, with the right to manage the others.',
    isDone: hasTyped(/^xm\s+(list|li)\b/),
  },
  {
    command: 'xm info',
    teaches: 'Shows the physical machine as the hypervisor sees it: cpus, memory, versions, the scheduler in use.',
    isDone: hasTyped(/^xm\s+info\b/),
  },
  {
    command: 'cat /etc/xen/xmexample1',
    teaches: 'A domain is described by a small Python file: kernel, memory, disks and network interfaces.',
    file: '/etc/xen/xmexample1',
    isDone: (progress) => hasTyped(/xmexample1/)(progress) || progress.seenDomains.includes('ExampleDomain'),
  },
  {
    command: 'xm create -c xmexample1',
    teaches:
      'Builds the domain from that file and attaches its console. Log in as root without a password; Ctrl-] brings you back here.',
    file: '/etc/xen/xmexample1',
    isDone: (progress) => progress.seenDomains.includes('ExampleDomain'),
  },
  {
    command: 'xm vcpu-list',
    teaches: 'Shows each virtual cpu, the physical cpu it last ran on, and the cpus it may use.',
    isDone: hasTyped(/^xm\s+vcpu-list\b/),
  },
  {
    command: 'xm create xmexample2 vmid=1',
    teaches: 'The file is a program: it computes name and disks from the vmid given on the command line.',
    file: '/etc/xen/xmexample2',
    isDone: (progress) => progress.seenDomains.includes('VM1'),
  },
  {
    command: 'xm create xmexample2 vmid=2',
    teaches: 'The same file makes a second domain. Both now share the physical cpus; watch the table below.',
    file: '/etc/xen/xmexample2',
    isDone: (progress) => progress.seenDomains.includes('VM2'),
  },
  {
    command: 'xm pause VM1',
    teaches: 'Takes the domain off the cpus at once. It keeps its memory, and its state letter becomes p.',
    isDone: hasTyped(/^xm\s+pause\b/),
  },
  {
    command: 'xm unpause VM1',
    teaches: 'Lets it run again. The guest notices nothing but the time that has passed.',
    isDone: hasTyped(/^xm\s+unpause\b/),
  },
  {
    command: ramdiskCommand,
    teaches: 'No file is needed: every variable of a configuration may stand on the command line.',
    isDone: (progress) => progress.seenDomains.includes('ramdisk'),
  },
  {
    command: 'xm shutdown -w ramdisk',
    teaches: 'Asks the guest to shut down and waits until it has. The guest stops its own services first.',
    isDone: hasTyped(/^xm\s+shutdown\b/),
  },
  {
    command: 'xm destroy VM2',
    teaches: 'Ends a domain without asking it, like pulling the plug of a real machine.',
    isDone: hasTyped(/^xm\s+(destroy|des)\b/),
  },
  {
    command: 'tail -n 20 /var/log/xen/xend.log',
    teaches: 'xend, the daemon behind xm, has logged each of these steps. This is where to look when one fails.',
    file: '/var/log/xen/xend.log',
    isDone: hasTyped(/xend\.log/),
  },
];

export interface Plan {
  readonly next: Step | undefined;
  readonly upcoming: readonly Step[];
  readonly doneCount: number;
}

export function planFor(progress: Progress): Plan {
  const open = steps.filter((step) => !step.isDone(progress));
  return { next: open[0], upcoming: open.slice(1, 5), doneCount: steps.length - open.length };
}

function hasTyped(pattern: RegExp): (progress: Progress) => boolean {
  return ({ typed }) => typed.some((command) => pattern.test(command));
}
