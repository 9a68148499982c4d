/** event_channel_op: the ABI of event channels (do_event_channel_op in xen/common/event_channel.c, Xen 3.4). */
import {
  EVTCHNOP_alloc_unbound,
  EVTCHNOP_bind_interdomain,
  EVTCHNOP_bind_ipi,
  EVTCHNOP_bind_pirq,
  EVTCHNOP_bind_vcpu,
  EVTCHNOP_bind_virq,
  EVTCHNOP_close,
  EVTCHNOP_reset,
  EVTCHNOP_send,
  EVTCHNOP_status,
  EVTCHNOP_unmask,
  EVTCHNSTAT_closed,
  EVTCHNSTAT_interdomain,
  EVTCHNSTAT_ipi,
  EVTCHNSTAT_unbound,
  EVTCHNSTAT_virq,
} from '../../abi/eventChannel';
import { NR_EVENT_CHANNELS } from '../../abi/sharedInfo';
import { DOMID_SELF, type Domid, type Port } from '../../abi/xen';
import { errno, XenError } from '../../lib/errno';
import type { Domain } from '../domain';
import {
  allocUnbound,
  bindInterdomain,
  bindIpi,
  bindVcpu,
  bindVirq,
  closeAll,
  closePort,
  type Evtchn,
  sendEvent,
  unmask,
} from '../evtchn';
import type { Call } from '../hypercalls';

export function eventChannelOp({ hv, domain }: Call, [command, argument]: readonly number[]): number {
  const { space } = domain;
  const u16 = (offset: number) => space.u16(argument! + offset);
  const u32 = (offset: number) => space.u32(argument! + offset);
  /** Checks the answer's place first, so that nothing is bound that the guest cannot hear of. */
  const answer = (offset: number, bind: () => Port) => {
    space.checkWritable(argument! + offset, 4);
    space.putU32(argument! + offset, bind());
    return 0;
  };
  switch (command) {
    case EVTCHNOP_bind_interdomain:
      return answer(8, () => bindInterdomain(hv, domain, u16(0) as Domid, u32(4) as Port));
    case EVTCHNOP_bind_virq:
      return answer(8, () => bindVirq(domain, u32(0), u32(4)));
    case EVTCHNOP_bind_pirq:
      // No domain has been given a physical interrupt: devices are not passed through.
      throw new XenError('EPERM', `pirq ${u32(0)}`);
    case EVTCHNOP_close:
      closePort(hv, domain, u32(0) as Port);
      return 0;
    case EVTCHNOP_send:
      sendEvent(hv, domain, u32(0) as Port);
      return 0;
    case EVTCHNOP_status: {
      space.checkWritable(argument!, 24);
      const target = named(hv.domain.bind(hv), domain, u16(0) as Domid);
      const port = u32(4);
      if (port >= NR_EVENT_CHANNELS) throw new XenError('EINVAL', `port ${port}`);
      space.write(argument! + 8, encodeStatus(target.evtchns.at(port)));
      return 0;
    }
    case EVTCHNOP_alloc_unbound:
      return answer(4, () => allocUnbound(hv, domain, u16(0) as Domid, u16(2) as Domid));
    case EVTCHNOP_bind_ipi:
      return answer(4, () => bindIpi(domain, u32(0)));
    case EVTCHNOP_bind_vcpu:
      bindVcpu(domain, u32(0) as Port, u32(4));
      return 0;
    case EVTCHNOP_unmask:
      unmask(domain, u32(0) as Port);
      return 0;
    case EVTCHNOP_reset:
      closeAll(hv, named(hv.domain.bind(hv), domain, u16(0) as Domid));
      return 0;
    default:
      return -errno.ENOSYS;
  }
}

/** The first interface: one structure with the command in it. */
export function eventChannelOpCompat(call: Call, [argument]: readonly number[]): number {
  return eventChannelOp(call, [call.domain.space.u32(argument!), argument! + 4]);
}

function named(find: (domid: Domid) => Domain, caller: Domain, domid: Domid): Domain {
  if (domid === DOMID_SELF) return caller;
  const target = find(domid);
  if (target !== caller && !caller.isPrivilegedFor(target)) throw new XenError('EPERM', `domain ${domid}`);
  return target;
}

/** status, vcpu and the union of evtchn_status. */
function encodeStatus(evtchn: Evtchn): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  if ('notifyVcpu' in evtchn) view.setUint32(4, evtchn.notifyVcpu, true);
  switch (evtchn.state) {
    case 'unbound':
      view.setUint32(0, EVTCHNSTAT_unbound, true);
      view.setUint16(8, evtchn.remoteDomid, true);
      break;
    case 'interdomain':
      view.setUint32(0, EVTCHNSTAT_interdomain, true);
      view.setUint16(8, evtchn.remoteDomid, true);
      view.setUint32(12, evtchn.remotePort, true);
      break;
    case 'virq':
      view.setUint32(0, EVTCHNSTAT_virq, true);
      view.setUint32(8, evtchn.virq, true);
      break;
    case 'ipi':
      view.setUint32(0, EVTCHNSTAT_ipi, true);
      break;
    default:
      view.setUint32(0, EVTCHNSTAT_closed, true);
  }
  return bytes;
}
