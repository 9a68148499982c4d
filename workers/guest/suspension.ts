/**
 * A kernel on its way out: processes stand still, what is under way comes to its end, everything goes into the guest's own
 * pages, and Xen stops it. It wakes as a new kernel in a new domain, or finds that nothing came of it and goes on.
 *
 * Source: linux-2.6.18-xen drivers/xen/core/machine_reboot.c (behaviour, not code); abi/startInfo.ts.
 */
import type { EntryState, GuestCpu } from '../abi/cpu';
import { startInfo } from '../abi/startInfo';
import { type Pfn, SHUTDOWN_suspend } from '../abi/xen';
import type { Hypercalls } from './hypercall';
import type { KernelCore } from './kernelCore';
import { type PageAllocator, pfnOf } from './pages';
import type { KernelServices } from './services';
import type { Vcpus } from './smp';
import { type StoredRecord, SUSPEND_FORMAT, type SuspendRecord, storeRecord, suspendedContext } from './suspendRecord';
import { SysError } from './sys';

/** Between two looks whether everything is quiet. */
const POLL_NS = 1_000_000;

export interface SuspensionHost {
  /** The registers at the kernel's entry: they say where start_info and the stack are. */
  readonly entry: EntryState;
  readonly layout: Pick<SuspendRecord, 'nrPages' | 'firstFreePfn' | 'maxPfn'>;
  readonly hypercalls: Hypercalls;
  readonly pages: PageAllocator;
  readonly smp: Vcpus;
  readonly core: KernelCore;
  readonly time: KernelServices['time'];
  /** State of the kernel's chance. */
  random(): readonly number[];
  /** It has booted, and neither a driver nor the store owes anybody an answer. */
  isQuiet(): boolean;
}

export class Suspension {
  /** Processes stand still. */
  isFrozen = false;
  #stored: StoredRecord | undefined;
  #onlineVcpus: readonly number[] = [];

  constructor(private readonly host: SuspensionHost) {}

  /** Xen has stopped the domain; whoever runs it again cancels the suspend. */
  get isSuspended(): boolean {
    return this.#stored !== undefined;
  }

  /** The registers of vcpu 0 while it is suspended. */
  get context(): Uint8Array | undefined {
    return this.#stored && suspendedContext(this.host.entry, this.#startInfo.mfn, this.#stored.index);
  }

  /** The toolstack wants it; happens as soon as everything is quiet. */
  request(): void {
    if (this.isFrozen) return;
    this.isFrozen = true;
    this.#try();
  }

  /** Nothing came of it: everything is as it was, except that time has passed. */
  cancelled(): void {
    const { pages, smp } = this.host;
    for (const pfn of this.#stored!.pages) pages.free({ pfn });
    this.#stored = undefined;
    this.isFrozen = false;
    this.#rewriteStartInfo((pfn) => pages.at(pfn as Pfn).mfn);
    for (const vcpu of this.#onlineVcpus) smp.bringUp(vcpu);
  }

  #try(): void {
    const { host } = this;
    if (host.isQuiet()) this.#suspend();
    else host.time.at(host.time.nowNs + POLL_NS, () => this.#try());
  }

  #suspend(): void {
    const { hypercalls, layout, pages, smp, core, time, random } = this.host;
    this.#onlineVcpus = Array.from({ length: smp.count }, (_, vcpu) => vcpu).filter(
      (vcpu) => vcpu > 0 && smp.isOnline(vcpu),
    );
    try {
      this.#stored = storeRecord(pages, {
        format: SUSPEND_FORMAT,
        core: core.serialize(),
        nowNs: time.nowNs,
        random: random(),
        ...layout,
        programPages: core.programPages(),
        onlineVcpus: this.#onlineVcpus,
      });
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      core.printk(`suspend: ${error.message}`);
      this.isFrozen = false;
      return;
    }
    for (const vcpu of this.#onlineVcpus) smp.takeDown(vcpu);
    this.#rewriteStartInfo((mfn) => pfnOfFrame(hypercalls.cpu, mfn, layout.maxPfn));
    hypercalls.shutdown(SHUTDOWN_suspend, this.#startInfo.mfn);
  }

  /** The frames of the two rings: by guest frame while it is suspended, by machine frame while it runs. */
  #rewriteStartInfo(map: (frame: number) => number): void {
    const { bytes, at } = this.#startInfo;
    const view = new DataView(bytes.buffer, bytes.byteOffset + at, bytes.byteLength - at);
    for (const field of [startInfo.store_mfn, startInfo.console_mfn])
      view.setUint32(field, map(view.getUint32(field, true)), true);
  }

  get #startInfo(): { readonly mfn: number; readonly bytes: Uint8Array; readonly at: number } {
    const { esi } = this.host.entry;
    const { mfn, bytes } = this.host.pages.at(pfnOf(esi));
    return { mfn, bytes, at: esi % bytes.length };
  }
}

/** The guest frame behind which a machine frame stands; throws when it is not this guest's. */
export function pfnOfFrame(cpu: GuestCpu, mfn: number, maxPfn: number): number {
  for (let pfn = 0; pfn < maxPfn; pfn++) if (cpu.mfnOf(pfn) === mfn) return pfn;
  throw new Error(`machine frame ${mfn} is not one of this guest's`);
}
