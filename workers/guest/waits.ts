/** What a process can wait for: whether a condition holds now, and which queue says when to look again. */
import type { Core } from './core';
import type { Process } from './process';
import type { Wait } from './sys';
import type { WaitQueue } from './waitQueue';

/** True also when waiting would never end (no such descriptor, no children): the next call then says why. */
export function holds(core: Core, process: Process, wait: Wait): boolean {
  if ('untilNs' in wait) return wait.untilNs <= core.scheduler.nowNs;
  if ('child' in wait) return process.record.childEvents.length > 0 || process.record.children.length === 0;
  if ('operation' in wait) return core.operations.isNewsworthy(wait.operation);
  const file = process.fds.get('readable' in wait ? wait.readable : wait.writable);
  if (!file) return true;
  const ops = core.files.opsOf(file);
  return 'readable' in wait ? ops.isReadable(file) : ops.isWritable(file);
}

/** Undefined for time, and for what is always ready. */
export function queueOf(core: Core, process: Process, wait: Wait): WaitQueue | undefined {
  if ('untilNs' in wait) return undefined;
  if ('child' in wait) return core.processes.childQueue(process);
  if ('operation' in wait) return core.operations.queueOf(wait.operation);
  const file = process.fds.get('readable' in wait ? wait.readable : wait.writable);
  return file && core.files.opsOf(file).queue(file);
}
