/** /proc: what the kernel says about itself and its processes, made from its own tables at the time of reading. */
import type { Core } from '../core';
import { memoryUse } from '../memory';
import type { Process } from '../process';
import { processInfo, rssKiB } from '../processInfo';
import { signalNumber } from '../signals';
import { SysError } from '../sys';
import type { SyntheticNode } from './inode';

/** Jiffies: 100 to the second, as USER_HZ. */
const ticks = (ns: number) => Math.floor(ns / 1e7);

export const fileNode = (read: () => string): SyntheticNode => ({ read });

/** A directory from a list that is asked anew each time. */
export function dirNode(entries: () => ReadonlyMap<string, SyntheticNode>): SyntheticNode {
  return { list: () => [...entries().keys()], lookup: (name) => entries().get(name) };
}

/** Turns paths (`sys/kernel/hostname`) into nested directories. */
export function treeNode(files: ReadonlyMap<string, SyntheticNode>): SyntheticNode {
  return dirNode(() => {
    const direct = new Map<string, SyntheticNode>();
    const below = new Map<string, Map<string, SyntheticNode>>();
    for (const [path, node] of files) {
      const slash = path.indexOf('/');
      if (slash < 0) {
        direct.set(path, node);
        continue;
      }
      const first = path.slice(0, slash);
      const inner = below.get(first) ?? new Map<string, SyntheticNode>();
      inner.set(path.slice(slash + 1), node);
      below.set(first, inner);
    }
    for (const [name, inner] of below) direct.set(name, treeNode(inner));
    return direct;
  });
}

export function procRoot(core: Core): SyntheticNode {
  const fixed = () => {
    const files = new Map<string, SyntheticNode>();
    for (const [name, read] of Object.entries(systemFiles))
      files.set(
        name,
        fileNode(() => read(core)),
      );
    files.set('self', { readlink: () => String(core.stepper.current?.pid ?? 1) });
    for (const [path, node] of sysctlFiles(core)) files.set(`sys/${path}`, node);
    for (const [path, file] of core.net?.procFiles() ?? [])
      files.set(path.startsWith('sys/') ? `sys/net/${path.slice(4)}` : `net/${path}`, file);
    for (const [path, read] of core.machine.extraFiles()) {
      if (path.startsWith('/proc/')) files.set(path.slice(6), fileNode(read));
      else if (path.startsWith('xen/')) files.set(path, fileNode(read));
    }
    return treeNode(files);
  };
  return {
    list: () => [...core.processes.all().map(({ pid }) => String(pid)), ...fixed().list!()],
    lookup: (name) => {
      if (!/^\d+$/.test(name)) return fixed().lookup!(name);
      const process = core.processes.get(Number(name));
      return process && processNode(core, process);
    },
  };
}

const systemFiles: Readonly<Record<string, (core: Core) => string>> = {
  cpuinfo,
  meminfo,
  uptime: (core) => {
    let idleNs = 0;
    for (let vcpu = 0; vcpu < core.machine.vcpus; vcpu++)
      idleNs += Math.max(0, core.scheduler.nowNs - core.scheduler.busyNs(vcpu));
    return `${(core.scheduler.nowNs / 1e9).toFixed(2)} ${(idleNs / 1e9).toFixed(2)}\n`;
  },
  loadavg: (core) => {
    const load = core.scheduler.loadAverage().map((it) => it.toFixed(2));
    const processes = core.processes.all();
    const running = processes.filter(({ record }) => record.runState === 'runnable').length;
    return `${load.join(' ')} ${running}/${processes.length} ${core.processes.nextPid - 1}\n`;
  },
  stat: systemStat,
  version: ({ settings }) => `Linux version ${settings.release} (root@build) (gcc version 4.1.2) ${settings.version}\n`,
  cmdline: ({ settings }) => `${settings.cmdline}\n`,
  mounts: (core) =>
    core.vfs.mounts
      .list()
      .map(({ volume, target, options }) => `${volume.source} ${target} ${volume.type} ${options} 0 0\n`)
      .join(''),
  filesystems: (core) =>
    ['sysfs', 'rootfs', 'proc', 'tmpfs', 'devpts'].map((name) => `nodev\t${name}\n`).join('') +
    [...core.fileSystems].map(([name, { needsDevice }]) => `${needsDevice ? '' : 'nodev'}\t${name}\n`).join(''),
  partitions: (core) => {
    const lines = core.block
      .list()
      .map(({ major, minor, sectors, name }) =>
        [String(major).padStart(4), String(minor).padStart(5), String(Math.floor(sectors / 2)).padStart(10), name].join(
          ' ',
        ),
      );
    return `major minor  #blocks  name\n\n${lines.map((line) => `${line}\n`).join('')}`;
  },
  devices: (core) => {
    const majors = new Map([
      [1, 'ramdisk'],
      [7, 'loop'],
      [43, 'nbd'],
    ]);
    for (const { major, name } of core.block.list())
      if (!majors.has(major)) majors.set(major, name.replace(/\d+$/, '').slice(0, 2));
    const block = [...majors]
      .sort((a, b) => a[0] - b[0])
      .map(([major, name]) => `${String(major).padStart(3)} ${name}\n`);
    return `Character devices:\n  1 mem\n  4 tty\n  5 /dev/tty\n  5 /dev/console\n  5 /dev/ptmx\n136 pts\n204 xvc\n\nBlock devices:\n${block.join('')}`;
  },
  interrupts: (core) => {
    const cpus = Array.from({ length: core.machine.vcpus }, (_, vcpu) => vcpu).filter((vcpu) =>
      core.machine.isOnline(vcpu),
    );
    const header = `           ${cpus.map((vcpu) => `CPU${vcpu}`.padEnd(11)).join('')}\n`;
    const counts = core.machine.interruptCounts?.() ?? [];
    return (
      header +
      counts
        .map(({ name, kind, perVcpu }) => {
          const numbers = cpus.map((vcpu) => String(perVcpu[vcpu] ?? 0).padStart(10)).join(' ');
          return `${name.padStart(3)}: ${numbers}  ${kind}\n`;
        })
        .join('')
    );
  },
  swaps: () => 'Filename\t\t\t\tType\t\tSize\tUsed\tPriority\n',
  modules: () => '',
};

function cpuinfo(core: Core): string {
  const { mhz = 2400, model = 'Intel(R) Xeon(TM) CPU 2.40GHz' } = core.machine.cpu ?? {};
  let text = '';
  for (let vcpu = 0; vcpu < core.machine.vcpus; vcpu++) {
    if (!core.machine.isOnline(vcpu)) continue;
    const fields: [string, string | number][] = [
      ['processor', vcpu],
      ['vendor_id', 'GenuineIntel'],
      ['cpu family', 15],
      ['model', 2],
      ['model name', model],
      ['stepping', 9],
      ['cpu MHz', mhz.toFixed(3)],
      ['cache size', '512 KB'],
      ['fdiv_bug', 'no'],
      ['hlt_bug', 'no'],
      ['f00f_bug', 'no'],
      ['coma_bug', 'no'],
      ['fpu', 'yes'],
      ['fpu_exception', 'yes'],
      ['cpuid level', 2],
      ['wp', 'yes'],
      ['flags', 'fpu tsc msr pae mce cx8 apic mtrr mca cmov pat pse36 clflush acpi mmx fxsr sse sse2 ss ht'],
      ['bogomips', (mhz * 2).toFixed(2)],
    ];
    const rows = fields.map(([name, value]) => `${name}${name.length < 8 ? '\t\t' : '\t'}: ${value}\n`);
    text += `${rows.join('')}\n`;
  }
  return text;
}

function meminfo(core: Core): string {
  const use = memoryUse(core);
  const rows: [string, number][] = [
    ['MemTotal', use.totalKiB],
    ['MemFree', use.freeKiB],
    ['Buffers', use.buffersKiB],
    ['Cached', use.cachedKiB],
    ['SwapCached', 0],
    ['Active', use.processesKiB],
    ['Inactive', use.cachedKiB],
    ['HighTotal', 0],
    ['HighFree', 0],
    ['LowTotal', use.totalKiB],
    ['LowFree', use.freeKiB],
    ['SwapTotal', 0],
    ['SwapFree', 0],
    ['Dirty', use.dirtyKiB],
    ['Writeback', 0],
    ['AnonPages', use.processesKiB],
  ];
  return rows.map(([name, kib]) => `${`${name}:`.padEnd(13)}${String(kib).padStart(10)} kB\n`).join('');
}

function systemStat(core: Core): string {
  const line = (name: string, busyNs: number, wholeNs: number) =>
    `${name} ${ticks(busyNs)} 0 0 ${ticks(Math.max(0, wholeNs - busyNs))} 0 0 0 0\n`;
  const { vcpus } = core.machine;
  let total = 0;
  let rows = '';
  for (let vcpu = 0; vcpu < vcpus; vcpu++) {
    if (!core.machine.isOnline(vcpu)) continue;
    total += core.scheduler.busyNs(vcpu);
    rows += line(`cpu${vcpu}`, core.scheduler.busyNs(vcpu), core.scheduler.nowNs);
  }
  const running = core.processes.all().filter(({ record }) => record.runState === 'runnable').length;
  return (
    line('cpu ', total, core.scheduler.nowNs * vcpus) +
    rows +
    `ctxt ${core.scheduler.switches}\nbtime ${Math.floor(core.machine.wallClockAtZero + core.settings.wallOffset)}\n` +
    `processes ${core.processes.nextPid - 1}\nprocs_running ${running}\nprocs_blocked 0\n`
  );
}

function processNode(core: Core, process: Process): SyntheticNode {
  const { record } = process;
  const own = (read: () => string): SyntheticNode => ({ read, uid: record.uid });
  const files = new Map<string, SyntheticNode>([
    ['cmdline', own(() => (record.runState === 'zombie' ? '' : record.argv.map((word) => `${word}\0`).join('')))],
    ['comm', own(() => `${process.comm}\n`)],
    [
      'environ',
      {
        read: () =>
          Object.entries(record.env)
            .map(([name, value]) => `${name}=${value}\0`)
            .join(''),
        uid: record.uid,
        mode: 0o400,
      },
    ],
    ['stat', own(() => statLine(core, process))],
    [
      'statm',
      own(() => {
        const pages = Math.ceil(rssKiB(process) / 4);
        return `${pages} ${pages} 0 0 0 ${pages} 0\n`;
      }),
    ],
    ['status', own(() => statusText(core, process))],
    ['cwd', { readlink: () => record.cwd, uid: record.uid }],
    ['exe', { readlink: () => record.program, uid: record.uid }],
    [
      'fd',
      dirNode(
        () =>
          new Map(
            [...process.fds].map(([fd, file]) => [
              String(fd),
              { readlink: () => file.path || `${file.kind}:[${file.object}]` },
            ]),
          ),
      ),
    ],
  ]);
  return { ...dirNode(() => files), uid: record.uid };
}

function statLine(core: Core, process: Process): string {
  const { record } = process;
  const info = processInfo(core, process);
  const tty = record.tty === 0 ? 0 : (core.terminals.find(record.tty)?.id ?? 0);
  const foreground = core.terminals.find(record.tty)?.foreground ?? -1;
  const fields = [
    record.pid, `(${process.comm})`, info.state, record.ppid, record.pgid, record.sid, tty, foreground,
    0, 0, 0, 0, 0, ticks(record.userNs), ticks(record.systemNs), ticks(record.childrenNs), 0, 15 + record.nice, record.nice, 1, 0,
    ticks(record.startNs), info.rssKiB * 1024, Math.ceil(info.rssKiB / 4),
  ]; // biome-ignore format: the order is proc(5)'s
  return `${fields.join(' ')}\n`;
}

function statusText(core: Core, process: Process): string {
  const { record } = process;
  const { state, rssKiB: rss } = processInfo(core, process);
  const meaning = { R: 'running', S: 'sleeping', T: 'stopped', Z: 'zombie' }[state];
  const mask = (signals: readonly (keyof typeof signalNumber)[]) =>
    signals
      .reduce((sum, signal) => sum + 2 ** (signalNumber[signal] - 1), 0)
      .toString(16)
      .padStart(16, '0');
  return [
    `Name:\t${process.comm}`,
    `State:\t${state} (${meaning})`,
    `Tgid:\t${record.pid}`,
    `Pid:\t${record.pid}`,
    `PPid:\t${record.ppid}`,
    `Uid:\t${record.ruid}\t${record.uid}\t${record.uid}\t${record.uid}`,
    `Gid:\t${record.gid}\t${record.gid}\t${record.gid}\t${record.gid}`,
    `VmSize:\t${String(rss).padStart(8)} kB`,
    `VmRSS:\t${String(rss).padStart(8)} kB`,
    'Threads:\t1',
    `SigPnd:\t${mask(record.pendingSignals)}`,
    `SigIgn:\t${mask(record.ignored)}`,
    '',
  ].join('\n');
}

/** /proc/sys: the values that mean something, and those that programs may set and read back. */
function sysctlFiles(core: Core): ReadonlyMap<string, SyntheticNode> {
  const { settings } = core;
  const kept = (name: string, initial: string): [string, SyntheticNode] => [
    name,
    {
      read: () => `${settings.sysctl.get(name) ?? initial}\n`,
      write: (text) => void settings.sysctl.set(name, text.trim()),
    },
  ];
  return new Map<string, SyntheticNode>([
    [
      'kernel/hostname',
      {
        read: () => `${settings.hostname}\n`,
        write: (text) => {
          if (text.trim() === '') throw new SysError('EINVAL');
          settings.hostname = text.trim();
        },
      },
    ],
    ['kernel/osrelease', fileNode(() => `${settings.release}\n`)],
    ['kernel/ostype', fileNode(() => 'Linux\n')],
    ['kernel/version', fileNode(() => `${settings.version}\n`)],
    ['kernel/pid_max', fileNode(() => '32768\n')],
    kept('kernel/printk', '7\t4\t1\t7'),
    kept('kernel/panic', '0'),
    kept('vm/swappiness', '60'),
    ['fs/file-nr', fileNode(() => `${core.files.files.size}\t0\t65536\n`)],
  ]);
}
