/**
 * Memory that a program has asked for: whole frames of the guest, which hold what the program writes there. All else that
 * a process knows is its plain state; this is for programs whose business is memory itself.
 */

import type { Pfn } from '../abi/xen';
import type { Core } from './core';
import type { KernelMachine } from './machine';
import { memoryUse } from './memory';
import type { ProcessRecord } from './process';
import { SysError } from './sys';

const PAGE_KIB = 4;

/** Grows or shrinks what the process has to so many pages. SysError ENOMEM: there is not enough, and nothing changes. */
export function setProgramMemory(core: Core, record: ProcessRecord, pages: number): void {
  const { machine } = core;
  const source = machine.pages;
  const wanted = pages - record.memory.length;
  if (wanted > 0 && (!source || memoryUse(core).freeKiB < wanted * PAGE_KIB)) throw new SysError('ENOMEM');
  while (record.memory.length > pages) source!.free({ pfn: record.memory.pop() as Pfn });
  const before = record.memory.length;
  try {
    while (record.memory.length < pages) record.memory.push(source!.alloc().pfn);
  } catch (error) {
    setProgramMemory(core, record, before);
    throw error;
  }
}

/** One page of it, as it stands in the guest's memory. SysError EINVAL: it has no such page. */
export function programPage({ machine }: Core, { memory }: ProcessRecord, index: number): Uint8Array {
  const pfn = memory[index];
  if (pfn === undefined) throw new SysError('EINVAL');
  return machine.pages!.at(pfn as Pfn).bytes;
}

/** The process has ended, or become another program. */
export function releaseProgramMemory({ pages }: KernelMachine, { memory }: ProcessRecord): void {
  for (const pfn of memory.splice(0)) pages!.free({ pfn: pfn as Pfn });
}
