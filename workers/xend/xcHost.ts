/** What the toolstack asks of the hypervisor about the host: cpus and memory, the console ring, versions (libxc's xc_misc.c). */
import { XEN_SYSCTL_debug_keys, XEN_SYSCTL_physinfo, XEN_SYSCTL_readconsole, XEN_SYSCTL_sched_id } from '../abi/sysctl';
import {
  XENVER_capabilities,
  XENVER_changeset,
  XENVER_compile_info,
  XENVER_extraversion,
  XENVER_pagesize,
  XENVER_platform_parameters,
  XENVER_version,
} from '../abi/version';
import { hypercall } from '../abi/xen';
import type { HypercallBuffer } from '../guest/services';
import { XcCalls } from './xcCalls';

/** Offset of the union in xen_sysctl. */
const S = 8;

export interface PhysInfo {
  readonly threadsPerCore: number;
  readonly coresPerSocket: number;
  readonly nrCpus: number;
  readonly nrNodes: number;
  readonly cpuKhz: number;
  readonly totalPages: number;
  readonly freePages: number;
  readonly scrubPages: number;
  /** Eight words of cpu capabilities. */
  readonly hwCap: readonly number[];
  readonly hvm: boolean;
  readonly hvmDirectIo: boolean;
}

export interface CompileInfo {
  readonly compiler: string;
  readonly by: string;
  readonly domain: string;
  readonly date: string;
}

export class XcHost extends XcCalls {
  /** 4 = sedf, 5 = credit. */
  schedulerId(): number {
    return this.sysctl(
      XEN_SYSCTL_sched_id,
      () => {},
      (op) => op.u32(S),
    );
  }

  /** The whole console ring of the hypervisor as text, whatever its size. */
  readConsoleRing(clear: boolean): string {
    const SIZE = 32768;
    const decoder = new TextDecoder();
    return this.withBuffer(SIZE, (buffer) => {
      let text = '';
      let index: number | undefined;
      for (;;) {
        const read = this.sysctl(
          XEN_SYSCTL_readconsole,
          (op) => {
            op.u8(S, clear ? 1 : 0);
            op.u8(S + 1, index === undefined ? 0 : 1);
            op.u32(S + 4, index ?? 0);
            op.u64(S + 8, BigInt(buffer.va));
            op.u32(S + 16, SIZE);
          },
          (op) => ({ next: op.u32(S + 4), count: op.u32(S + 16) }),
        );
        text += decoder.decode(buffer.read(0, read.count).slice());
        if (read.count < SIZE) return text;
        index = read.next;
      }
    });
  }

  physInfo(): PhysInfo {
    return this.sysctl(
      XEN_SYSCTL_physinfo,
      () => {},
      (op) => {
        const capabilities = op.u32(S + 96);
        return {
          threadsPerCore: op.u32(S),
          coresPerSocket: op.u32(S + 4),
          nrCpus: op.u32(S + 8),
          nrNodes: op.u32(S + 12),
          cpuKhz: op.u32(S + 16),
          totalPages: Number(op.u64(S + 24)),
          freePages: Number(op.u64(S + 32)),
          scrubPages: Number(op.u64(S + 40)),
          hwCap: Array.from({ length: 8 }, (_, i) => op.u32(S + 48 + 4 * i)),
          hvm: (capabilities & 1) !== 0,
          hvmDirectIo: (capabilities & 2) !== 0,
        };
      },
    );
  }

  debugKeys(keys: string): void {
    const bytes = new TextEncoder().encode(keys);
    this.withBuffer(Math.max(1, bytes.length), (buffer) => {
      buffer.write(0, bytes);
      this.sysctl(XEN_SYSCTL_debug_keys, (op) => {
        op.u64(S, BigInt(buffer.va));
        op.u32(S + 8, bytes.length);
      });
    });
  }

  version(): { major: number; minor: number; extra: string } {
    const version = this.privcmd.hypercall(hypercall.xen_version, XENVER_version, 0);
    return { major: version >>> 16, minor: version & 0xffff, extra: this.#versionText(XENVER_extraversion, 16) };
  }

  capabilities(): string {
    return this.#versionText(XENVER_capabilities, 1024);
  }

  changeset(): string {
    return this.#versionText(XENVER_changeset, 64);
  }

  compileInfo(): CompileInfo {
    return this.withBuffer(144, (info) => {
      this.privcmd.hypercall(hypercall.xen_version, XENVER_compile_info, info.va);
      return {
        compiler: readText(info, 0, 64),
        by: readText(info, 64, 16),
        domain: readText(info, 80, 32),
        date: readText(info, 112, 32),
      };
    });
  }

  /** Where Xen's hole in every address space starts. */
  virtStart(): number {
    return this.withBuffer(4, (buffer) => {
      this.privcmd.hypercall(hypercall.xen_version, XENVER_platform_parameters, buffer.va);
      return buffer.u32(0);
    });
  }

  pageSize(): number {
    return this.privcmd.hypercall(hypercall.xen_version, XENVER_pagesize, 0);
  }

  #versionText(command: number, size: number): string {
    return this.withBuffer(size, (buffer) => {
      this.privcmd.hypercall(hypercall.xen_version, command, buffer.va);
      return readText(buffer, 0, size);
    });
  }
}

function readText(from: HypercallBuffer, at: number, size: number): string {
  const bytes = from.read(at, size);
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}
