/** What a kernel reads from start_info before it does anything else. */
import { type EntryState, type GuestCpu, VIRT_BASE } from '../abi/cpu';
import { MAX_GUEST_CMDLINE, SIF_INITDOMAIN, SIF_PRIVILEGED, startInfo } from '../abi/startInfo';
import { type Mfn, PAGE_SIZE, type Port } from '../abi/xen';

export interface BootInfo {
  readonly nrPages: number;
  readonly sharedInfoMfn: Mfn;
  readonly isPrivileged: boolean;
  readonly isInitialDomain: boolean;
  readonly storeMfn: Mfn;
  readonly storePort: Port;
  readonly consoleMfn: Mfn;
  readonly consolePort: Port;
  /** Virtual address. */
  readonly mfnList: number;
  readonly ramdisk: { readonly va: number; readonly length: number } | undefined;
  readonly commandLine: string;
  /** Frames below this one hold what the builder loaded. */
  readonly firstFreePfn: number;
}

export function readBootInfo(cpu: GuestCpu, entry: EntryState): BootInfo {
  const page = cpu.page(entry.esi);
  const at = entry.esi % PAGE_SIZE;
  const view = new DataView(page.buffer, page.byteOffset + at, PAGE_SIZE - at);
  const u32 = (offset: number) => view.getUint32(offset, true);
  const flags = u32(startInfo.flags);
  const nrPages = u32(startInfo.nr_pages);
  const moduleLength = u32(startInfo.mod_len);
  const mfnList = u32(startInfo.mfn_list);
  const ends = [
    entry.esp,
    entry.esi + PAGE_SIZE,
    u32(startInfo.pt_base) + u32(startInfo.nr_pt_frames) * PAGE_SIZE,
    mfnList + nrPages * 4,
    moduleLength > 0 ? u32(startInfo.mod_start) + moduleLength : 0,
  ].filter((va) => va <= VIRT_BASE + nrPages * PAGE_SIZE);
  return {
    nrPages,
    sharedInfoMfn: (u32(startInfo.shared_info) >>> 12) as Mfn,
    isPrivileged: (flags & SIF_PRIVILEGED) !== 0,
    isInitialDomain: (flags & SIF_INITDOMAIN) !== 0,
    storeMfn: u32(startInfo.store_mfn) as Mfn,
    storePort: u32(startInfo.store_evtchn) as Port,
    consoleMfn: u32(startInfo.console_mfn) as Mfn,
    consolePort: u32(startInfo.console_evtchn) as Port,
    mfnList,
    ramdisk: moduleLength > 0 ? { va: u32(startInfo.mod_start), length: moduleLength } : undefined,
    commandLine: commandLine(page.subarray(at + startInfo.cmd_line, at + startInfo.cmd_line + MAX_GUEST_CMDLINE)),
    firstFreePfn: Math.ceil((Math.max(...ends) - VIRT_BASE) / PAGE_SIZE),
  };
}

/** The ramdisk's bytes, copied out of the guest's pages. */
export function readRamdiskBytes(cpu: GuestCpu, ramdisk: { readonly va: number; readonly length: number }): Uint8Array {
  const bytes = new Uint8Array(ramdisk.length);
  for (let at = 0; at < ramdisk.length; ) {
    const va = ramdisk.va + at;
    const offset = va % PAGE_SIZE;
    const count = Math.min(PAGE_SIZE - offset, ramdisk.length - at);
    bytes.set(cpu.page(va - offset).subarray(offset, offset + count), at);
    at += count;
  }
  return bytes;
}

/** The words of a kernel command line: `key=value` and bare words (value empty); the last of a key counts. */
export function parseCommandLine(text: string): ReadonlyMap<string, string> {
  const words = new Map<string, string>();
  for (const word of text.match(/(?:"[^"]*"|[^\s"])+/g) ?? []) {
    const equals = word.indexOf('=');
    const value = equals < 0 ? '' : word.slice(equals + 1).replaceAll('"', '');
    words.set(equals < 0 ? word : word.slice(0, equals), value);
  }
  return words;
}

function commandLine(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(bytes.slice(0, end < 0 ? bytes.length : end)).trim();
}
