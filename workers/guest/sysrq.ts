/** The magic SysRq keys, which the toolstack presses through the store (linux-2.6.18 drivers/char/sysrq.c). */
import type { Kernel } from './kernel';
import type { SignalName } from './sys';

const HELP =
  'HELP : loglevel0-8 reBoot Crashdump tErm Full kIll saK showMem Nice powerOff showPc unRaw Sync showTasks Unmount';

interface Key {
  readonly says: string;
  act?(kernel: Kernel): void;
}

const KEYS: Readonly<Record<string, Key>> = {
  b: { says: 'Resetting', act: (kernel) => kernel.machine.shutdown('reboot') },
  c: { says: 'Trigger a crashdump', act: (kernel) => kernel.panic('SysRq : Trigger a crashdump') },
  e: { says: 'Terminate All Tasks', act: (kernel) => signalAll(kernel, 'TERM') },
  f: { says: 'Manual OOM execution' },
  i: { says: 'Kill All Tasks', act: (kernel) => signalAll(kernel, 'KILL') },
  k: { says: 'SAK', act: (kernel) => void kernel.processes.signalGroup(kernel.terminals.console.foreground, 'KILL') },
  m: { says: 'Show Memory', act: showMemory },
  n: { says: 'Nice All RT Tasks' },
  o: { says: 'Power Off', act: (kernel) => kernel.shutdown('poweroff') },
  p: { says: 'Show Regs' },
  r: { says: 'Keyboard mode set to XLATE' },
  s: { says: 'Emergency Sync', act: emergencySync },
  t: { says: 'Show State', act: showTasks },
  u: { says: 'Emergency Remount R/O', act: emergencyRemount },
};

export function sysrq(kernel: Kernel, pressed: string): void {
  if (/^[0-9]$/.test(pressed)) {
    kernel.printk(`SysRq : Changing Loglevel`);
    kernel.printk(`Loglevel set to ${pressed}`);
    return;
  }
  const key = KEYS[pressed];
  kernel.printk(`SysRq : ${key?.says ?? HELP}`);
  key?.act?.(kernel);
}

/** Everything but init. */
function signalAll(kernel: Kernel, signal: SignalName): void {
  for (const process of kernel.processes.all()) if (process.pid !== 1) kernel.processes.signal(process, signal);
}

function emergencySync(kernel: Kernel): void {
  kernel.mounting.sync();
  kernel.printk('Emergency Sync complete');
}

/** Every file system on a disk becomes read-only, once what was written has gone out. */
function emergencyRemount(kernel: Kernel): void {
  for (const { volume, target } of kernel.vfs.mounts.list())
    if (volume.driver && !volume.readonly) kernel.mounting.remountReadonly(target);
  kernel.printk('Emergency Remount complete');
}

function showMemory(kernel: Kernel): void {
  kernel.printk('Mem-info:');
  kernel.printk(`${kernel.machine.memoryKiB / 4} pages of RAM`);
}

function showTasks(kernel: Kernel): void {
  kernel.printk('  task                        PC  pid father');
  for (const { record, comm, pid } of kernel.processes.all())
    kernel.printk(
      `${comm.padEnd(13)} ${record.runState.slice(0, 1).toUpperCase()} ${String(pid).padStart(20)} ${String(record.ppid).padStart(6)}`,
    );
}
