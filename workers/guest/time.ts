/**
 * The kernel's clock and timers.
 *
 * Xen writes for each vcpu when its time stamp counter stood at what system time; the kernel extrapolates from there.
 * One Xen timer per vcpu (set_timer_op) carries all of the kernel's timers on vcpu 0.
 */
import type { GuestCpu } from '../abi/cpu';
import { sharedInfo, VCPU_INFO_SIZE, vcpuInfo, vcpuTimeInfo } from '../abi/sharedInfo';

interface Timer {
  readonly timeNs: number;
  readonly sequence: number;
  action: (() => void) | undefined;
}

export class KernelTime {
  /** Cpu time used since the running slice began: the clock moves while work is charged. */
  chargedNs = 0;
  readonly #view: DataView;
  #timers: Timer[] = [];
  #sequence = 0;

  /** System time at which the kernel's monotonic clock reads 0; a kernel that has moved may be older than its host. */
  readonly zeroNs: number;

  /** `startNs`: what the kernel's monotonic clock shows now. */
  constructor(
    private readonly cpu: GuestCpu,
    shared: Uint8Array,
    private readonly currentVcpu: () => number,
    startNs = 0,
  ) {
    this.#view = new DataView(shared.buffer, shared.byteOffset, shared.byteLength);
    this.zeroNs = this.systemTimeNs() - startNs;
  }

  /** Monotonic time of this kernel, ns. */
  get nowNs(): number {
    return this.systemTimeNs() + this.chargedNs - this.zeroNs;
  }

  /** Xen's system time (ns since the host booted) by the record of the running vcpu. */
  systemTimeNs(): number {
    const vcpu = this.currentVcpu();
    const at = sharedInfo.vcpu_info + vcpu * VCPU_INFO_SIZE + vcpuInfo.time;
    const view = this.#view;
    for (;;) {
      const version = view.getUint32(at + vcpuTimeInfo.version, true);
      const stamp = u64(view, at + vcpuTimeInfo.tsc_timestamp);
      const system = u64(view, at + vcpuTimeInfo.system_time);
      const mul = view.getUint32(at + vcpuTimeInfo.tsc_to_system_mul, true);
      const shift = view.getInt8(at + vcpuTimeInfo.tsc_shift);
      if ((version & 1) === 0 && version === view.getUint32(at + vcpuTimeInfo.version, true))
        return system + scaleDelta(this.cpu.tsc(vcpu) - stamp, mul, shift);
    }
  }

  /** Seconds since 1970 when system time was 0, from Xen's wall clock record. */
  wallClockAtBoot(): number {
    const view = this.#view;
    for (;;) {
      const version = view.getUint32(sharedInfo.wc_version, true);
      const seconds = view.getUint32(sharedInfo.wc_sec, true) + view.getUint32(sharedInfo.wc_nsec, true) / 1e9;
      if ((version & 1) === 0 && version === view.getUint32(sharedInfo.wc_version, true)) return seconds;
    }
  }

  /** Calls back once, in kernel time. */
  at(timeNs: number, action: () => void): { cancel(): void } {
    const timer: Timer = { timeNs, sequence: this.#sequence++, action };
    let i = this.#timers.length;
    while (i > 0 && this.#timers[i - 1]!.timeNs > timeNs) i--;
    this.#timers.splice(i, 0, timer);
    return {
      cancel: () => {
        timer.action = undefined;
      },
    };
  }

  /** When the next timer is due (kernel time). */
  get nextNs(): number | undefined {
    while (this.#timers.length > 0 && !this.#timers[0]!.action) this.#timers.shift();
    return this.#timers[0]?.timeNs;
  }

  /** Runs the timers that are due; how many. */
  runDue(): number {
    let count = 0;
    for (;;) {
      const next = this.nextNs;
      if (next === undefined || next > this.nowNs) return count;
      const timer = this.#timers.shift()!;
      const action = timer.action!;
      timer.action = undefined;
      action();
      count++;
    }
  }
}

/** ((delta << shift) * mul) >> 32, a negative shift meaning right; exact when mul is a power of two, as Xen's is at 1 GHz. */
function scaleDelta(delta: number, mul: number, shift: number): number {
  if (mul === 0x8000_0000 && shift === 1) return delta;
  const shifted = shift >= 0 ? BigInt(delta) << BigInt(shift) : BigInt(delta) >> BigInt(-shift);
  return Number((shifted * BigInt(mul)) >> 32n);
}

function u64(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * 0x1_0000_0000;
}
