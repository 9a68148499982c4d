/** The parts of one running kernel, as the system calls reach them. */
import type { LoopDevices } from './block/memoryDevices';
import type { NbdDevices } from './block/nbd';
import type { BlockDevices } from './block/registry';
import type { OpenFiles } from './descriptors';
import type { Pipes } from './fs/pipe';
import type { Vfs } from './fs/vfs';
import type { FileSystemType } from './fs/volume';
import type { KernelLog } from './log';
import type { KernelMachine } from './machine';
import type { Mounting } from './mounting';
import type { NetStack } from './netStack';
import type { Opening } from './opening';
import type { Operations } from './operations';
import type { ProcessTable } from './processTable';
import type { Scheduler } from './scheduler';
import type { Stepper } from './stepper';
import type { Program } from './sys';
import type { Terminals } from './terminals';

/** Settings that programs read and change. */
export interface SystemSettings {
  hostname: string;
  readonly release: string;
  readonly version: string;
  readonly cmdline: string;
  /** Added to the machine's wall clock, seconds (`date -s`). */
  wallOffset: number;
  /** /proc/sys values, by name with dots or slashes: `kernel/printk`. */
  readonly sysctl: Map<string, string>;
}

export interface Core {
  readonly machine: KernelMachine;
  readonly programs: ReadonlyMap<string, Program>;
  readonly settings: SystemSettings;
  readonly scheduler: Scheduler;
  readonly processes: ProcessTable;
  readonly stepper: Stepper;
  readonly files: OpenFiles;
  readonly vfs: Vfs;
  readonly pipes: Pipes;
  readonly terminals: Terminals;
  readonly opening: Opening;
  readonly mounting: Mounting;
  readonly fileSystems: ReadonlyMap<string, FileSystemType>;
  readonly block: BlockDevices;
  readonly loops: LoopDevices;
  readonly nbd: NbdDevices;
  readonly log: KernelLog;
  readonly operations: Operations;
  readonly net: NetStack | undefined;
  uname(): { sysname: string; nodename: string; release: string; version: string; machine: string };
  /** Seconds since 1970, with fraction. */
  wallClock(): number;
  /** Ends the system; the machine is told. */
  shutdown(how: 'halt' | 'poweroff' | 'reboot'): void;
}
