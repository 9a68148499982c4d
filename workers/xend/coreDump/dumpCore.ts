/** A domain's processors and memory, written as a core file while it stands still or runs on (tools/libxc/xc_core.c, Xen 3.4). */
import { INVALID_RECORD } from '../../abi/elfCore';
import { HVM_PARAM_STORE_PFN } from '../../abi/hvmParams';
import { INVALID_P2M_ENTRY, PAGE_SIZE } from '../../abi/xen';
import type { ByteSink } from '../../lib/byteStream';
import { XenError } from '../../lib/errno';
import { TYPE_ABSENT } from '../../migration/stream';
import { ForeignP2m, readFrames } from '../checkpoint/savedDomain';
import { VmError } from '../errors';
import type { Xc } from '../xc';
import { afterPages, beforePages, type CoreContents, versionOf } from './coreFile';

/** Pages that are asked for and written at a time. */
const BATCH = 1024;

/**
 * Writes the core of a domain. `warn`: it grew meanwhile, so many pages are lost. Throws VmError for a domain that cannot
 * be read, XenError when it goes away, and what the sink throws.
 */
export async function dumpCore(xc: Xc, domid: number, sink: ByteSink, warn: (lost: number) => void): Promise<void> {
  const info = xc.domainInfo(domid);
  if (!info) throw new VmError('Could not get info for domain');
  const isTranslated = xc.hvmParam(domid, HVM_PARAM_STORE_PFN) !== undefined;
  const p2m = isTranslated ? undefined : new ForeignP2m(xc, domid, info.sharedInfoFrame);
  try {
    const contents: CoreContents = {
      isTranslated,
      contexts: contextsOf(xc, domid, info.maxVcpuId),
      sharedInfo: readFrames(xc, domid, [info.sharedInfoFrame]),
      pages: info.totalPages,
      version: versionOf(xc),
    };
    await sink.write(beforePages(contents));
    const frames: (readonly [bigint, bigint])[] = [];
    const end = p2m?.size ?? xc.maximumGpfn(domid) + 1;
    let lost = 0;
    for (let start = 0; start < end; start += BATCH) {
      const present = presentFrames(xc, domid, p2m, start, Math.min(end, start + BATCH));
      const kept = present.slice(0, contents.pages - frames.length);
      lost += present.length - kept.length;
      frames.push(...kept.map(([pfn, frame]) => [BigInt(pfn), BigInt(frame)] as const));
      await sink.write(
        readFrames(
          xc,
          domid,
          kept.map(([, frame]) => frame),
        ),
      );
    }
    if (lost > 0) warn(lost);
    // It shrank meanwhile: the places of the missing pages are there already.
    for (; frames.length < contents.pages; frames.push([INVALID_RECORD, INVALID_RECORD]))
      await sink.write(new Uint8Array(PAGE_SIZE));
    await sink.write(afterPages(contents, frames));
  } finally {
    p2m?.close();
  }
}

/** Guest frame and frame for the hypervisor, of those that have memory. */
function presentFrames(
  xc: Xc,
  domid: number,
  p2m: ForeignP2m | undefined,
  start: number,
  end: number,
): readonly (readonly [number, number])[] {
  const frames = Array.from({ length: end - start }, (_, i) => [start + i, p2m?.get(start + i) ?? start + i] as const);
  const mapped = frames.filter(([, frame]) => frame !== INVALID_P2M_ENTRY);
  const types = xc.frameTypes(
    domid,
    mapped.map(([, frame]) => frame),
  );
  return mapped.filter((_, i) => types[i] !== TYPE_ABSENT);
}

function contextsOf(xc: Xc, domid: number, maxVcpuId: number): readonly Uint8Array[] {
  const contexts: Uint8Array[] = [];
  for (let vcpu = 0; vcpu <= maxVcpuId; vcpu++) {
    try {
      contexts.push(xc.vcpuContext(domid, vcpu));
    } catch (error) {
      // It was never started.
      if (!(error instanceof XenError && error.code === 'ENODATA')) throw error;
    }
  }
  return contexts;
}
