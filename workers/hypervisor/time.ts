/**
 * How guests know the time: the record in each vcpu_info by which they turn the time stamp counter into system time, the
 * wall clock in shared_info, the one-shot timer of each vcpu, and the runstate area.
 *
 * Source: xen/arch/x86/time.c (update_vcpu_system_time, update_domain_wallclock_time), xen/common/schedule.c, Xen 3.4.
 */

import { PageFault } from '../abi/cpu';
import { sharedInfo, vcpuInfo, vcpuTimeInfo } from '../abi/sharedInfo';
import { RUNSTATE_INFO_SIZE, runstateInfo } from '../abi/vcpu';
import { VIRQ_TIMER } from '../abi/xen';
import type { EventQueue } from '../lib/clock';
import type { Domain } from './domain';
import { sendVcpuVirq } from './evtchn';
import type { RunstateInfo } from './schedUnit';
import type { Vcpu } from './vcpu';

/** A pcpu's stamp is taken anew once per second. */
const CALIBRATION_NS = 1_000_000_000;
/** The counter ticks at 1 GHz: ((tsc << 1) · 2^31) >> 32. */
const TSC_TO_SYSTEM_MUL = 0x8000_0000;
const TSC_SHIFT = 1;

/** Brings the vcpu's time record up to the last calibration; the version is odd while it changes. */
export function refreshTimeRecord(vcpu: Vcpu, nowNs: number): void {
  const stamp = BigInt(Math.floor(nowNs / CALIBRATION_NS) * CALIBRATION_NS);
  const at = vcpuInfo.time;
  const { info } = vcpu;
  const isFresh = info.getUint32(at + vcpuTimeInfo.tsc_to_system_mul, true) !== 0;
  if (isFresh && info.getBigUint64(at + vcpuTimeInfo.tsc_timestamp, true) === stamp) return;
  const version = info.getUint32(at + vcpuTimeInfo.version, true);
  info.setUint32(at + vcpuTimeInfo.version, version + 1, true);
  info.setBigUint64(at + vcpuTimeInfo.tsc_timestamp, stamp, true);
  info.setBigUint64(at + vcpuTimeInfo.system_time, stamp, true);
  info.setUint32(at + vcpuTimeInfo.tsc_to_system_mul, TSC_TO_SYSTEM_MUL, true);
  info.setInt8(at + vcpuTimeInfo.tsc_shift, TSC_SHIFT);
  info.setUint32(at + vcpuTimeInfo.version, version + 2, true);
}

/** UTC at system time 0 plus the domain's offset. */
export function writeWallclock(domain: Domain, seconds: number, nanoseconds: number): void {
  const { view } = domain.sharedInfo;
  const version = view.getUint32(sharedInfo.wc_version, true);
  view.setUint32(sharedInfo.wc_version, version + 1, true);
  view.setUint32(sharedInfo.wc_sec, seconds + domain.timeOffsetSeconds, true);
  view.setUint32(sharedInfo.wc_nsec, nanoseconds, true);
  view.setUint32(sharedInfo.wc_version, version + 2, true);
}

/** Ns until a timer that is further away than Xen believes goes off instead. */
const SANE_TIMEOUT_NS = 2 ** 50;
const INSANE_TIMEOUT_DELAY_NS = 100_000_000;

/**
 * set_timer_op and VCPUOP_set_singleshot_timer.
 * @param timeNs absolute system time; 0 stops the timer.
 * @returns false when the value was absurd (a warning is due) and 100 ms were armed instead.
 */
export function setSingleshot(clock: EventQueue, vcpu: Vcpu, timeNs: bigint): boolean {
  vcpu.singleshotTimer?.cancel();
  vcpu.singleshotTimer = undefined;
  if (timeNs === 0n) return true;
  const isSane = timeNs > 0n && timeNs - BigInt(clock.nowNs) <= BigInt(SANE_TIMEOUT_NS);
  vcpu.singleshotTimer = clock.at(isSane ? Number(timeNs) : clock.nowNs + INSANE_TIMEOUT_DELAY_NS, () => {
    vcpu.singleshotTimer = undefined;
    sendVcpuVirq(vcpu, VIRQ_TIMER);
  });
  return isSane;
}

/** vcpu_runstate_info as bytes. */
export function encodeRunstate({ state, entryNs, timesNs }: RunstateInfo): Uint8Array {
  const bytes = new Uint8Array(RUNSTATE_INFO_SIZE);
  const view = new DataView(bytes.buffer);
  view.setInt32(runstateInfo.state, state, true);
  view.setBigUint64(runstateInfo.state_entry_time, BigInt(entryNs), true);
  timesNs.forEach((ns, i) => {
    view.setBigUint64(runstateInfo.time + 8 * i, BigInt(ns), true);
  });
  return bytes;
}

/** Rewrites the area that a vcpu registered; one that has become unmapped is the guest's loss. */
export function refreshRunstateArea(vcpu: Vcpu, runstate: () => RunstateInfo): void {
  if (vcpu.runstateArea === undefined) return;
  try {
    vcpu.domain.space.write(vcpu.runstateArea, encodeRunstate(runstate()));
  } catch (error) {
    if (!(error instanceof PageFault)) throw error;
  }
}
