/** The variables of a domain configuration file (xmdomain.cfg), for completion, hover and checks. */

export interface ConfigVariable {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'boolean' | 'list' | 'string or list';
  readonly builder: 'any' | 'pv' | 'hvm';
  readonly text: string;
  /** As it would be written; absent when xend decides or nothing is set. */
  readonly default?: string;
  readonly values?: readonly string[];
  /** True when only `values` are accepted. */
  readonly isClosed?: boolean;
  readonly min?: number;
  readonly max?: number;
  readonly example?: string;
  readonly deprecated?: boolean;
}

type Extras = Omit<ConfigVariable, 'name' | 'type' | 'builder' | 'text'>;
type Row = readonly [name: string, type: ConfigVariable['type'], text: string, extras?: Extras];

const events = ['destroy', 'restart', 'preserve', 'rename-restart'];
const crashEvents = [...events, 'coredump-destroy', 'coredump-restart'];

const general: readonly Row[] = [
  [
    'name',
    'string',
    'The domain’s name, unique on this host. Without it the file’s own name is taken.',
    { example: "name = 'ExampleDomain'" },
  ],
  [
    'builder',
    'string',
    'How the domain is built: linux for paravirtual kernels, hvm for a whole emulated PC.',
    { default: 'linux', values: ['linux', 'hvm', 'vmx'], isClosed: true },
  ],
  [
    'memory',
    'integer',
    'Memory that the domain starts with, in MiB.',
    { default: '128', min: 1, max: 1048576, example: 'memory = 64' },
  ],
  [
    'maxmem',
    'integer',
    'The most memory, in MiB, that the domain may be given while it runs (`xm mem-set`). At least `memory`.',
    { min: 0, max: 1048576 },
  ],
  [
    'shadow_memory',
    'integer',
    'Memory for shadow page tables in MiB. xend raises it to what the domain needs at least.',
    { default: '0', min: 0 },
  ],
  ['vcpus', 'integer', 'Number of virtual cpus.', { default: '1', min: 1, max: 32 }],
  ['vcpu_avail', 'integer', 'Bit mask of the virtual cpus that are online at first; all when absent.', { min: 0 }],
  ['cpu', 'integer', 'Physical cpu for the first virtual cpu. Write `cpus` instead.', { min: -1, deprecated: true }],
  [
    'cpus',
    'string or list',
    'Physical cpus that may run the domain. A string holds for all vcpus, a list has one entry for each. `^` excludes.',
    { example: "cpus = '0-3,^1'" },
  ],
  [
    'cpu_weight',
    'integer',
    'Share of the cpus under the credit scheduler, relative to other domains.',
    { default: '256', min: 1, max: 65535 },
  ],
  [
    'cpu_cap',
    'integer',
    'Upper limit under the credit scheduler in percent of one physical cpu; 0 is no limit.',
    { default: '0', min: 0, max: 3200 },
  ],
  [
    'uuid',
    'string',
    'Identity of the domain over save, restore and migration. Made at random when absent.',
    { example: "uuid = '06ed00fe-1162-4fc4-b5d8-11993ee4a8b9'" },
  ],
  ['localtime', 'boolean', 'The clock shows local time instead of UTC.', { default: '0' }],
  [
    'on_poweroff',
    'string',
    'What happens when the guest has powered itself off.',
    { default: 'destroy', values: events, isClosed: true },
  ],
  [
    'on_reboot',
    'string',
    'What happens when the guest asks for a reboot.',
    { default: 'restart', values: events, isClosed: true },
  ],
  [
    'on_crash',
    'string',
    'What happens when the guest has crashed. The coredump forms keep its memory in a file first.',
    { default: 'restart', values: crashEvents, isClosed: true },
  ],
  [
    'restart',
    'string',
    'Older shorthand for the three on_ variables.',
    { values: ['onreboot', 'always', 'never'], isClosed: true, deprecated: true },
  ],
  [
    'on_xend_start',
    'string',
    'Whether a managed domain is started together with xend.',
    { default: 'ignore', values: ['ignore', 'start'], isClosed: true },
  ],
  [
    'on_xend_stop',
    'string',
    'What happens to the domain when xend stops.',
    { default: 'ignore', values: ['ignore', 'shutdown', 'suspend'], isClosed: true },
  ],
  ['blkif', 'boolean', 'The domain may serve block devices to others (a driver domain).', { default: '0' }],
  ['netif', 'boolean', 'The domain may serve network interfaces to others (a driver domain).', { default: '0' }],
  ['tpmif', 'string or list', 'The domain may serve virtual TPMs to others.', { default: '0' }],
  ['target', 'integer', 'Domain id that this stub domain serves.', { default: '0', min: 0 }],
  ['s3_integrity', 'integer', 'Memory is checked for changes over a suspend to RAM.', { default: '1', min: 0, max: 1 }],
  ['machine_address_size', 'integer', 'Number of bits of machine addresses that the domain can use.', { min: 0 }],
  [
    'disk',
    'list',
    'Block devices: what Domain-0 exports, its name in the guest, the mode. No blanks around the commas.',
    { default: '[]', example: "disk = ['phy:hda1,hda1,w', 'file:/home/xen/disk.img,sda2,r']" },
  ],
  [
    'vif',
    'list',
    'Network interfaces; an empty string is one with all defaults. Without this variable there is none.',
    { example: "vif = ['mac=00:16:3e:00:00:11, bridge=xenbr0']" },
  ],
  ['vfb', 'list', 'A paravirtual framebuffer with keyboard and mouse.', { example: "vfb = ['vnc=1,vncunused=1']" }],
  ['vtpm', 'list', 'A virtual TPM; only the first entry is used.', { example: "vtpm = ['instance=1,backend=0']" }],
  [
    'pci',
    'list',
    'PCI devices handed to the domain; Domain-0 must have given them to pciback.',
    { example: "pci = ['02:03.0']" },
  ],
  [
    'vscsi',
    'list',
    'SCSI devices or hosts for the domain: physical device, virtual device.',
    { example: "vscsi = ['/dev/sdx, 0:0:0:0']" },
  ],
  [
    'ioports',
    'list',
    'I/O port ranges in hexadecimal that the domain may use.',
    { example: "ioports = ['02f8-02ff']" },
  ],
  ['irq', 'list', 'Interrupt lines for the domain, written as integers.', { example: 'irq = [7]' }],
  [
    'access_control',
    'list',
    'The domain’s security label and the policy it belongs to; one entry.',
    { example: "access_control = ['policy=example,label=dom_HomeBanking']" },
  ],
  [
    'nics',
    'integer',
    'Number of network interfaces. Write empty entries of `vif` instead.',
    { default: '-1', min: -1, deprecated: true },
  ],
];

const paravirtual: readonly Row[] = [
  [
    'kernel',
    'string',
    'Kernel image in Domain-0’s file system. For HVM in the older style: the firmware loader.',
    { example: "kernel = '/boot/vmlinuz-2.6.18-xenU'" },
  ],
  ['ramdisk', 'string', 'Initial ramdisk in Domain-0’s file system.', { default: '' }],
  [
    'root',
    'string',
    'Root device, put on the kernel’s command line.',
    { default: '', example: "root = '/dev/hda1 ro'" },
  ],
  ['extra', 'string', 'Further words for the kernel’s command line.', { default: '', example: "extra = '4'" }],
  ['ip', 'string', 'Address for the kernel’s own network setup.', { example: "ip = '192.168.0.9'" }],
  ['netmask', 'string', 'Network mask for the kernel’s own network setup.'],
  ['gateway', 'string', 'Gateway for the kernel’s own network setup.'],
  ['hostname', 'string', 'Host name for the kernel’s own network setup.'],
  ['interface', 'string', 'Interface that the kernel sets up.', { default: 'eth0' }],
  ['dhcp', 'string', 'The kernel asks for its address by DHCP.', { default: 'off', values: ['off', 'dhcp'] }],
  ['nfs_server', 'string', 'Server of a root file system on NFS; goes with root=/dev/nfs.'],
  ['nfs_root', 'string', 'Directory on the NFS server. Needs nfs_server.'],
  [
    'bootloader',
    'string',
    'Program in Domain-0 that fetches the kernel from the guest’s disk, such as pygrub.',
    { values: ['pygrub', '/usr/bin/pygrub'] },
  ],
  ['bootargs', 'string', 'Arguments for the boot loader; -q when absent.'],
  ['bootentry', 'string', 'Without effect; an older way to choose the boot loader’s entry.', { deprecated: true }],
  ['features', 'string', 'Features of the paravirtual kernel, separated by |; ! takes one away.', { default: '' }],
  ['suppress_spurious_page_faults', 'boolean', 'Page faults that need no handling are kept from the guest.'],
];

const hvm: readonly Row[] = [
  ['loader', 'string', 'Firmware loader of the domain.', { default: '/usr/lib/xen/boot/hvmloader' }],
  ['device_model', 'string', 'Program that emulates the PC’s devices.', { default: '/usr/lib/xen/bin/qemu-dm' }],
  [
    'boot',
    'string',
    'Order of boot devices: a floppy, c disk, d CD-ROM, n network.',
    { default: 'c', example: "boot = 'dc'" },
  ],
  ['pae', 'integer', 'The cpu has physical address extension.', { default: '1', min: 0, max: 1 }],
  ['acpi', 'integer', 'The PC has ACPI.', { default: '1', min: 0, max: 1 }],
  ['apic', 'integer', 'The PC has an APIC.', { default: '1', min: 0, max: 1 }],
  ['hap', 'integer', 'Page tables are handled by the hardware where it can.', { default: '1', min: 0, max: 1 }],
  ['hpet', 'integer', 'The PC has a high precision event timer.', { default: '0', min: 0, max: 1 }],
  ['timer_mode', 'integer', 'How missed timer interrupts are made up for.', { default: '1', min: 0, max: 3 }],
  [
    'vpt_align',
    'integer',
    'Timers of the virtual platform are aligned with each other.',
    { default: '1', min: 0, max: 1 },
  ],
  [
    'viridian',
    'integer',
    'The domain sees the Viridian interface of other hypervisors.',
    { default: '0', min: 0, max: 1 },
  ],
  [
    'xen_platform_pci',
    'integer',
    'The PC has Xen’s platform device, which paravirtual drivers look for.',
    { default: '1', min: 0, max: 1 },
  ],
  [
    'guest_os_type',
    'string',
    'Kind of operating system (ia64).',
    { default: 'default', values: ['default', 'linux', 'windows'] },
  ],
  ['vhpt', 'integer', 'Size of the virtual page table (ia64).', { default: '0', min: 0 }],
  ['isa', 'boolean', 'The PC has an ISA bus only.', { default: '0' }],
  ['rtc_timeoffset', 'integer', 'Seconds added to the emulated clock.', { default: '0' }],
  ['fda', 'string', 'Image of the first floppy, an absolute path.', { default: '' }],
  ['fdb', 'string', 'Image of the second floppy, an absolute path.', { default: '' }],
  ['stdvga', 'boolean', 'A VESA graphics card instead of the Cirrus one.', { default: '0' }],
  ['videoram', 'integer', 'Memory of the graphics card in MiB.', { default: '4', min: 0 }],
  ['sdl', 'boolean', 'The screen opens in a window of Domain-0.', { default: '0' }],
  ['vnc', 'boolean', 'The screen is served over VNC.', { default: '1' }],
  ['vncdisplay', 'integer', 'VNC display; the port is 5900 plus this number.', { min: 0 }],
  ['vnclisten', 'string', 'Address that the VNC server listens on.', { default: '127.0.0.1' }],
  ['vncpasswd', 'string', 'Password that VNC viewers are asked for; empty is none.', { default: '' }],
  ['vncunused', 'boolean', 'The first free VNC display is taken.', { default: '1' }],
  ['vncconsole', 'boolean', 'A viewer is started after the domain is created.', { default: '0' }],
  ['opengl', 'boolean', 'The window is drawn with OpenGL.', { default: '1' }],
  ['display', 'string', 'X display of the window; from the environment when absent.'],
  ['xauthority', 'string', 'X authority file; from the environment when absent.'],
  ['nographic', 'boolean', 'The PC has no screen at all.', { default: '0' }],
  ['keymap', 'string', 'Keyboard layout.', { default: '', values: ['en-us', 'en-gb', 'de', 'fr', 'ru', 'ja'] }],
  [
    'serial',
    'string',
    'Where the first serial port leads; pty lets `xm console` show it.',
    { default: '', values: ['pty'] },
  ],
  ['monitor', 'boolean', 'The device model has a monitor on Ctrl-Alt-2.', { default: '0' }],
  ['usb', 'boolean', 'The PC has a USB controller.', { default: '0' }],
  [
    'usbdevice',
    'string',
    'Device on the USB: mouse, tablet, or host:VENDOR:PRODUCT.',
    { default: '', values: ['mouse', 'tablet'] },
  ],
  ['soundhw', 'string', 'Sound cards, separated by commas.', { default: '', values: ['sb16', 'es1370', 'all'] }],
  [
    'cpuid',
    'list',
    'Bits of the cpuid instruction’s answers that the domain sees.',
    { default: '[]', example: "cpuid = ['1:ecx=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx0']" },
  ],
  ['cpuid_check', 'list', 'Bits that a host must have before the domain may run there.', { default: '[]' }],
  [
    'pci_msitranslate',
    'integer',
    'Message-signalled interrupts of handed-over devices are translated.',
    { default: '1', min: 0, max: 1 },
  ],
  [
    'pci_power_mgmt',
    'integer',
    'The guest manages the power of handed-over devices.',
    { default: '0', min: 0, max: 1 },
  ],
  [
    'xen_extended_power_mgmt',
    'integer',
    'How much of power management the guest sees.',
    { default: '0', min: 0, max: 2 },
  ],
  ['vncviewer', 'boolean', 'Older name for starting a viewer.', { deprecated: true }],
  ['cdrom', 'string', 'Older way to name the CD image; write it into `disk`.', { deprecated: true }],
  ['ne2000', 'boolean', 'Older way to choose the network card; write model= into `vif`.', { deprecated: true }],
  ['enableaudio', 'boolean', 'Older switch for sound; write `soundhw`.', { deprecated: true }],
  ['snapshot', 'boolean', 'Older switch for writing to a copy of the disks.', { deprecated: true }],
  ['console', 'string', 'Older name without effect.', { deprecated: true }],
];

export const variables: readonly ConfigVariable[] = [
  ...general.map(toVariable('any')),
  ...paravirtual.map(toVariable('pv')),
  ...hvm.map(toVariable('hvm')),
];

const byName = new Map(variables.map((variable) => [variable.name, variable]));

export function findVariable(name: string): ConfigVariable | undefined {
  return byName.get(name);
}

function toVariable(builder: ConfigVariable['builder']): (row: Row) => ConfigVariable {
  return ([name, type, text, extras]) => ({ name, type, builder, text, ...extras });
}
