/** sched_op and the timers: how a vcpu gives its time away and asks to be woken (xen/common/schedule.c, Xen 3.4). */
import { SCHEDOP_block, SCHEDOP_poll, SCHEDOP_remote_shutdown, SCHEDOP_shutdown, SCHEDOP_yield } from '../../abi/sched';
import { NR_EVENT_CHANNELS } from '../../abi/sharedInfo';
import type { Domid, Port } from '../../abi/xen';
import { errno, XenError } from '../../lib/errno';
import type { Call } from '../hypercalls';
import { shutdownDomain } from '../lifecycle';
import { setSingleshot } from '../time';

const MAX_POLLED_PORTS = 128;

export function schedOp(call: Call, [command, argument]: readonly number[]): number {
  const { hv, domain, vcpu } = call;
  const { space } = domain;
  switch (command) {
    case SCHEDOP_yield:
      hv.schedule.yield(vcpu.unit);
      return 0;
    case SCHEDOP_block:
      return block(call);
    case SCHEDOP_shutdown:
      shutdownDomain(hv, domain, space.u32(argument!));
      return 0;
    case SCHEDOP_poll:
      return poll(call, argument!);
    case SCHEDOP_remote_shutdown: {
      const request = space.struct(argument!, 8);
      const target = hv.domain(request.getUint16(0, true) as Domid);
      if (!domain.isPrivilegedFor(target)) throw new XenError('EPERM', 'remote_shutdown');
      // Domain-0's end is the machine's; it can bring that about only by itself.
      if (target === domain) throw new XenError('EINVAL', 'remote_shutdown of itself');
      shutdownDomain(hv, target, request.getUint32(4, true));
      return 0;
    }
    default:
      return -errno.ENOSYS;
  }
}

/** The first interface: the shutdown reason is the argument itself. */
export function schedOpCompat(call: Call, [command, argument]: readonly number[]): number {
  if (command === SCHEDOP_shutdown) {
    shutdownDomain(call.hv, call.domain, argument!);
    return 0;
  }
  return command === SCHEDOP_yield || command === SCHEDOP_block ? schedOp(call, [command, 0]) : -errno.ENOSYS;
}

function block({ hv, vcpu }: Call): number {
  vcpu.isUpcallMasked = false;
  if (!vcpu.hasDeliverableEvent) hv.schedule.block(vcpu.unit);
  return 0;
}

/** Waits until a listed port is pending, masked or not, or an event can be delivered, or the time has come. */
function poll({ hv, domain, vcpu }: Call, argument: number): number {
  const request = domain.space.struct(argument, 16);
  const ports = request.getUint32(0, true);
  const count = request.getUint32(4, true);
  const timeout = request.getBigUint64(8, true);
  if (count > MAX_POLLED_PORTS) throw new XenError('EINVAL', `${count} ports`);
  const list: Port[] = [];
  for (let i = 0; i < count; i++) {
    const port = domain.space.u32(ports + 4 * i);
    if (port >= NR_EVENT_CHANNELS) throw new XenError('EINVAL', `port ${port}`);
    if (domain.sharedInfo.isPending(port)) return 0;
    list.push(port as Port);
  }
  if (vcpu.hasDeliverableEvent) return 0;
  if (timeout !== 0n && timeout <= BigInt(hv.clock.nowNs)) return 0;
  vcpu.polling = { port: list.length === 1 ? list[0]! : 'any' };
  if (timeout !== 0n && timeout < BigInt(Number.MAX_SAFE_INTEGER)) {
    vcpu.pollTimer = hv.clock.at(Number(timeout), () => vcpu.wake());
  }
  hv.schedule.block(vcpu.unit);
  return 0;
}

export function setTimerOp({ hv, domain, vcpu }: Call, [low, high]: readonly number[]): number {
  const timeNs = BigInt.asIntN(64, BigInt(low!) | (BigInt(high!) << 32n));
  if (!setSingleshot(hv.clock, vcpu, timeNs)) {
    hv.console.printGuest(`Warning: setting timer of d${domain.domid}v${vcpu.id} to an absurd time`, 'info');
  }
  return 0;
}
