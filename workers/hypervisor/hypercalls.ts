/**
 * The hypercall table: number → name, handler, and how much of it there is.
 *
 * A handler gets the caller and the register values; it answers what lands in EAX, or throws a XenError or a PageFault,
 * which the guest sees as a negative errno. Numbers: xen/include/public/xen.h.
 */
import { PageFault } from '../abi/cpu';
import { TRC_PV_HYPERCALL } from '../abi/trace';
import { hypercall } from '../abi/xen';
import { errno, XenError } from '../lib/errno';
import type { Domain } from './domain';
import type { Hypervisor } from './hypervisor';
import { consoleIo } from './ops/consoleIo';
import { domctl } from './ops/domctl';
import { eventChannelOp, eventChannelOpCompat } from './ops/eventChannelOp';
import { grantTableOp } from './ops/grantTableOp';
import { hvmOp } from './ops/hvmOp';
import { memoryOp } from './ops/memoryOp';
import { mmuextOp, mmuUpdate, updateVaMapping, updateVaMappingOtherdomain } from './ops/mmuOps';
import { multicall } from './ops/multicall';
import { physdevOp } from './ops/physdevOp';
import { platformOp } from './ops/platformOp';
import { schedOp, schedOpCompat, setTimerOp } from './ops/schedOp';
import { sysctl } from './ops/sysctl';
import { callbackOp, setCallbacks, setTrapTable, stackSwitch } from './ops/trapOps';
import { vcpuOp } from './ops/vcpuOp';
import { vmAssist, xenVersion } from './ops/versionOp';
import type { Support } from './subOperations';
import type { Vcpu } from './vcpu';

/** Who calls. */
export interface Call {
  readonly hv: Hypervisor;
  readonly domain: Domain;
  readonly vcpu: Vcpu;
}

export type HypercallHandler = (call: Call, args: readonly number[]) => number;

export interface HypercallRow {
  readonly number: number;
  readonly name: keyof typeof hypercall;
  /** Of a hypercall with sub-operations (subOperations.ts): of the whole. */
  readonly support: Support;
  readonly handler?: HypercallHandler;
}

const row = (
  name: keyof typeof hypercall,
  support: HypercallRow['support'],
  handler?: HypercallHandler,
): HypercallRow => ({ number: hypercall[name], name, support, ...(handler ? { handler } : {}) });

export const hypercalls: readonly HypercallRow[] = [
  row('set_trap_table', 'partial: recorded for save, faults crash the domain', setTrapTable),
  row('mmu_update', 'partial: machine-to-physical updates only, page tables are not modelled', mmuUpdate),
  row('set_gdt', 'none'),
  row('stack_switch', 'partial: recorded for save', stackSwitch),
  row('set_callbacks', 'partial: recorded for save', setCallbacks),
  row('fpu_taskswitch', 'none'),
  row('sched_op_compat', 'full', schedOpCompat),
  row('platform_op', 'partial: settime and getidletime', platformOp),
  row('set_debugreg', 'none'),
  row('get_debugreg', 'none'),
  row('update_descriptor', 'none'),
  row('memory_op', 'partial: no populate-on-demand', memoryOp),
  row('multicall', 'full', multicall),
  row('update_va_mapping', 'partial: map window and direct map', updateVaMapping),
  row('set_timer_op', 'full', setTimerOp),
  row('event_channel_op_compat', 'full', eventChannelOpCompat),
  row('xen_version', 'full', xenVersion),
  row('console_io', 'full', consoleIo),
  row('physdev_op_compat', 'none'),
  row('grant_table_op', 'partial: no unmap_and_replace, no maps through page-table entries', grantTableOp),
  row('vm_assist', 'partial: recorded, page tables and segments are not modelled', vmAssist),
  row('update_va_mapping_otherdomain', 'partial: map window', updateVaMappingOtherdomain),
  row('iret', 'none'),
  row('vcpu_op', 'partial: no NMI', vcpuOp),
  row('set_segment_base', 'none'),
  row('mmuext_op', 'partial: clear and copy page; TLB flushes need nothing', mmuextOp),
  row('xsm_op', 'partial: what the security policy brings', (call, args) => {
    if (!call.hv.hooks.xsmOp) return -errno.ENOSYS;
    return call.hv.hooks.xsmOp(call, args[0] ?? 0);
  }),
  row('nmi_op', 'none'),
  row('sched_op', 'full', schedOp),
  row('callback_op', 'partial: recorded for save', callbackOp),
  row('xenoprof_op', 'none'),
  row('event_channel_op', 'partial: no physical interrupts', eventChannelOp),
  row('physdev_op', 'partial: interrupt status, eoi, I/O privilege level', physdevOp),
  row('hvm_op', 'partial: parameters only, events by vector only', hvmOp),
  row('sysctl', 'partial: no performance counters, power management, cpu hot plug', sysctl),
  row(
    'domctl',
    'partial: no devices, no fully virtualised domains, of shadow_op only what makes a domain translated',
    domctl,
  ),
  row('kexec_op', 'none'),
  row('tmem_op', 'none'),
];

const byNumber: readonly (HypercallRow | undefined)[] = hypercalls.reduce<(HypercallRow | undefined)[]>(
  (table, entry) => {
    table[entry.number] = entry;
    return table;
  },
  [],
);

/** A domain with its own page tables has these only (hvm_hypercall32_table, Xen 3.4; console_io from Xen 4). */
const forTranslated: ReadonlySet<number> = new Set([
  hypercall.memory_op,
  hypercall.set_timer_op,
  hypercall.xen_version,
  hypercall.console_io,
  hypercall.grant_table_op,
  hypercall.vcpu_op,
  hypercall.sched_op,
  hypercall.event_channel_op,
  hypercall.physdev_op,
  hypercall.hvm_op,
]);

/** Executes one hypercall and answers what lands in EAX. Whatever the arguments are, only the caller can come to harm. */
export function dispatch(call: Call, op: number, args: readonly number[]): number {
  call.hv.trace.record(TRC_PV_HYPERCALL, 0, op >>> 0);
  const result = execute(call, op, args);
  call.domain.hypercalls.note(op, args[0]!, result);
  return result;
}

function execute(call: Call, op: number, args: readonly number[]): number {
  const handler = byNumber[op]?.handler;
  if (!handler || (call.domain.isTranslated && !forTranslated.has(op))) return -errno.ENOSYS;
  try {
    return handler(call, [
      args[0]! >>> 0,
      args[1]! >>> 0,
      args[2]! >>> 0,
      args[3]! >>> 0,
      args[4]! >>> 0,
      args[5]! >>> 0,
    ]);
  } catch (error) {
    if (error instanceof XenError) return -errno[error.code];
    if (error instanceof PageFault) return -errno.EFAULT;
    throw error;
  }
}
