import { expect, it } from 'vitest';
import { EVTCHNOP_alloc_unbound, EVTCHNOP_bind_interdomain } from '../../abi/eventChannel';
import { GNTST_permission_denied, GNTTABOP_map_grant_ref } from '../../abi/grantTable';
import { DOMID_SELF, type Domid, hypercall } from '../../abi/xen';
import { failure, ok, TestHypervisor } from '../testing';
import { nullHooks } from './nullHooks';

it('a policy decides about event channels and grants between two domains', () => {
  const asked: string[] = [];
  const refuse = (what: string) => (a: Domid, b: Domid) => {
    asked.push(`${what} ${a} ${b}`);
    return a === 0 || b === 0;
  };
  const hooks = {
    ...nullHooks(),
    evtchnUnbound: refuse('unbound'),
    evtchnInterdomain: refuse('interdomain'),
    grantMap: refuse('grant'),
  };
  const host = new TestHypervisor({ hooks });
  const [one, two] = [host.createGuest(), host.createGuest()];
  const offer = (remote: Domid) =>
    one.callWith(hypercall.event_channel_op, EVTCHNOP_alloc_unbound, [DOMID_SELF | (remote << 16), 0]);
  expect(failure(offer(two.domid).result)).toBe('EACCES');
  const port = ok(offer(0 as Domid)).words[1]!;
  ok(host.dom0.callWith(hypercall.event_channel_op, EVTCHNOP_bind_interdomain, [one.domid, port, 0]));
  const words = [0x0050_0000, 0, 2, 8, one.domid, 0, 0, 0];
  const { view } = ok(two.callWith(hypercall.grant_table_op, GNTTABOP_map_grant_ref, words, 1));
  expect(view.getInt16(18, true)).toBe(GNTST_permission_denied);
  expect(asked).toEqual(['unbound 1 2', 'unbound 1 0', 'interdomain 0 1', 'grant 2 1']);
});
