import { expect, it } from 'vitest';
import {
  ACM_GETBY_domainid,
  ACM_GETBY_ssidref,
  ACMHOOK_authorization,
  ACMHOOK_conflictset,
  ACMHOOK_sharing,
  ACMOP_chgpolicy,
  ACMOP_dumpstats,
  ACMOP_getdecision,
  ACMOP_getpolicy,
  ACMOP_getssid,
  ACMOP_relabeldoms,
  ACMOP_setpolicy,
} from '../abi/acm';
import { XEN_DOMCTL_createdomain, XEN_DOMCTL_getdomaininfo } from '../abi/domctl';
import { EVTCHNOP_alloc_unbound, EVTCHNOP_bind_interdomain } from '../abi/eventChannel';
import {
  GNTST_okay,
  GNTST_permission_denied,
  GNTTABOP_copy,
  GNTTABOP_map_grant_ref,
  GNTTABOP_setup_table,
} from '../abi/grantTable';
import { DOMID_SELF, type Domid, type Gref, hypercall } from '../abi/xen';
import { failure, ok, type TestGuest, TestHypervisor } from '../hypervisor/testing';
import { seeded } from '../lib/random';
import { AcmHooks, parseSsidref } from './acmHooks';
import { orchard } from './orchard.testkind';
import { compilePolicy, decodePolicy } from './policyBinary';
import { writePolicy } from './policyWriter';
import { readPolicy } from './policyXml';
import { buffer, fillBuffers, words, xsmOp } from './xsmOp.testkind';

const KERNEL = new Uint8Array(4);
const BINARY = compilePolicy(readPolicy(writePolicy(orchard)));
const ref = { system: 0x0001_0001, apple: 0x0002_0002, press: 0x0003_0003, pear: 0x0004_0004 };

function machine(modules: readonly Uint8Array[] = [KERNEL, BINARY], ssidrefOption?: string) {
  const hooks = new AcmHooks({ modules, ssidrefOption });
  return { hooks, host: new TestHypervisor({ hooks }) };
}

it('boots with the policy module, and says so', () => {
  const { host } = machine();
  expect(host.serial).toContain('ACM-XSM:  Initializing.');
  expect(host.serial).toContain('acm_set_policy_reference: Activating policy orchard');
  expect(host.serial).toContain('acm_init: Enforcing CHINESE WALL AND SIMPLE TYPE ENFORCEMENT boot policy.');
  const info = ok(host.dom0.domctl(XEN_DOMCTL_getdomaininfo, 0));
  expect(info.union.getUint32(48, true)).toBe(ref.system);
});

it('ssidref on the boot line labels Domain-0 and names the only policy it takes', () => {
  expect(parseSsidref('0x00020002:ACM:orchard:apple')).toEqual({ ssidref: ref.apple, policyName: 'orchard' });
  expect(parseSsidref('0x01000000')).toEqual({ ssidref: ref.system, policyName: undefined });
  expect(machine([KERNEL, BINARY], '0x00020002:ACM:orchard:apple').hooks.ssidrefOf(0)).toBe(ref.apple);
  const other = machine([KERNEL, BINARY], '0x00020002:ACM:vineyard:apple');
  expect(other.host.serial).toContain("Policy's name 'orchard' is not the expected one 'vineyard'.");
  expect(other.hooks.state.policy.name).toBe('DEFAULT');
  expect(other.hooks.ssidrefOf(0)).toBe(ref.system);
});

it.each([
  ['no module', [KERNEL]],
  ['a cut policy', [KERNEL, BINARY.slice(0, 100)]],
  ['a policy in the place of the kernel', [BINARY]],
])('with %s it enforces the default policy', (_what, modules) => {
  const { host, hooks } = machine(modules);
  expect(host.serial).toContain('acm_init: Loading default policy (CHINESE WALL AND SIMPLE TYPE ENFORCEMENT).');
  expect(hooks.state.policy.name).toBe('DEFAULT');
});

/** Two labelled guests that exist without running. */
function guests(host: TestHypervisor, ...refs: readonly number[]): readonly TestGuest[] {
  return refs.map((ssidref) => host.createGuest({ ssidref }));
}

it('a guest that binds a port or maps a grant by hand against the policy is refused', () => {
  const { host, hooks } = machine();
  const [one, two, spy] = guests(host, ref.apple, ref.apple, ref.press) as [TestGuest, TestGuest, TestGuest];
  const offer = (from: TestGuest, to: Domid) =>
    from.callWith(hypercall.event_channel_op, EVTCHNOP_alloc_unbound, [DOMID_SELF | (to << 16), 0]);
  expect(failure(offer(one, spy.domid).result)).toBe('EACCES');
  expect(failure(offer(spy, one.domid).result)).toBe('EACCES');
  const port = ok(offer(one, two.domid)).words[1]!;
  expect(
    failure(spy.callWith(hypercall.event_channel_op, EVTCHNOP_bind_interdomain, [one.domid, port, 0]).result),
  ).toBe('EINVAL');
  ok(two.callWith(hypercall.event_channel_op, EVTCHNOP_bind_interdomain, [one.domid, port, 0]));

  const grant = (gref: number, to: TestGuest) => {
    const { grants } = one.domain;
    grants.setFrame(gref as Gref, one.domain.space.p2m.get(3)!);
    new DataView(
      host.hv.memory.bytes(grants.frames[0]!).buffer,
      host.hv.memory.bytes(grants.frames[0]!).byteOffset,
    ).setUint16(8 * gref + 2, to.domid, true);
    grants.setFlags(gref as Gref, 1);
  };
  const map = (guest: TestGuest, gref: number) =>
    ok(
      guest.callWith(hypercall.grant_table_op, GNTTABOP_map_grant_ref, [0, 0, 1, gref, one.domid, 0, 0, 0], 1),
    ).view.getInt16(18, true);
  grant(8, spy);
  grant(9, two);
  expect(map(spy, 8)).toBe(GNTST_permission_denied);
  expect(map(two, 9)).not.toBe(GNTST_permission_denied);
  const copy = ok(
    spy.callWith(hypercall.grant_table_op, GNTTABOP_copy, [8, one.domid, 5, DOMID_SELF, 4 | (1 << 16), 0], 1),
  );
  expect(copy.view.getInt16(20, true)).not.toBe(GNTST_okay);
  expect(hooks.state.statistics.grantDenied).toBeGreaterThan(0);
  expect(hooks.state.statistics.evtchnDenied).toBe(2);
  const refusals = hooks.decisions.since(0).filter(({ decision }) => decision?.isPermitted === false);
  expect(refusals[0]).toMatchObject({
    policy: { name: 'orchard', major: 1, minor: 0 },
    decision: {
      hook: 'evtchn',
      subject: { domid: one.domid, ssidref: ref.apple },
      object: { domid: spy.domid, ssidref: ref.press },
      types: [],
    },
  });
  expect(refusals.some(({ decision }) => decision?.hook === 'grant')).toBe(true);
});

it('a port that was offered is not bound once the labels have nothing in common any more', () => {
  const { host, hooks } = machine();
  const [one, two] = guests(host, ref.apple, ref.apple) as [TestGuest, TestGuest];
  const offer = one.callWith(hypercall.event_channel_op, EVTCHNOP_alloc_unbound, [DOMID_SELF | (two.domid << 16), 0]);
  const port = ok(offer).words[1]!;
  const bind = () => two.callWith(hypercall.event_channel_op, EVTCHNOP_bind_interdomain, [one.domid, port, 0]).result;
  // A port that nobody has bound yet stands in the way of no relabelling.
  const errors = host.dom0.alloc(160);
  const relabel = (to: number) =>
    xsmOp(host.dom0, ACMOP_relabeldoms, (fields) =>
      fillBuffers(fields, [buffer(host.dom0, words(two.domid, to)), 8], [errors, 160]),
    ).result;
  expect(relabel(ref.press)).toBe(0);
  expect(failure(bind())).toBe('EACCES');
  expect(hooks.state.statistics.evtchnDenied).toBe(1);
  expect(relabel(ref.apple)).toBe(0);
  expect(bind()).toBe(0);
});

it('Domain-0 sets up the grant table of a domain only if the policy lets the two share; a domain its own always', () => {
  const { host, hooks } = machine([KERNEL, BINARY], '0x00020002:ACM:orchard:apple');
  const { dom0 } = host;
  const [press, apple] = guests(host, ref.press, ref.apple) as [TestGuest, TestGuest];
  const list = dom0.alloc(4);
  const setUp = (caller: TestGuest, domid: Domid, at = list) =>
    ok(caller.callWith(hypercall.grant_table_op, GNTTABOP_setup_table, [domid, 1, 0, at], 1)).view.getInt16(8, true);
  expect(setUp(dom0, press.domid)).toBe(GNTST_permission_denied);
  expect(dom0.view(list).getUint32(0, true)).toBe(0);
  expect(hooks.state.statistics.grantDenied).toBe(1);
  expect(setUp(dom0, apple.domid)).toBe(GNTST_okay);
  expect(dom0.view(list).getUint32(0, true)).toBe(apple.domain.grants.frames[0]);
  expect(setUp(press, DOMID_SELF, press.alloc(4))).toBe(GNTST_okay);
});

it('a domain whose label is shut out by a running one is not created', () => {
  const { host, hooks } = machine();
  const [apple] = guests(host, ref.apple) as [TestGuest];
  const create = (ssidref: number) =>
    host.dom0.domctl(XEN_DOMCTL_createdomain, 0, (u) => u.setUint32(0, ssidref, true)).result;
  expect(failure(create(ref.pear))).toBe('ENOMEM');
  expect(failure(create(0x0009_0009))).toBe('ENOMEM');
  expect(host.serial).toContain('CHINESE WALL CONFLICT in type 04.');
  expect(hooks.state.domains().map(({ domid }) => domid)).toEqual([0, apple.domid]);
});

it('only a privileged domain may use the hypercall, with the right version', () => {
  const { host } = machine();
  const [guest] = guests(host, ref.apple) as [TestGuest];
  expect(failure(xsmOp(guest, ACMOP_getpolicy, () => {}).result)).toBe('EPERM');
  expect(failure(xsmOp(host.dom0, ACMOP_getpolicy, () => {}, 1).result)).toBe('EACCES');
  expect(failure(xsmOp(host.dom0, 99, () => {}).result)).toBe('ENOSYS');
  expect(failure(new TestHypervisor().dom0.call(hypercall.xsm_op, 0))).toBe('ENOSYS');
});

it('gives out its policy with live counts, its statistics and labels', () => {
  const { host } = machine();
  const { dom0 } = host;
  const [press] = guests(host, ref.press) as [TestGuest];
  const out = dom0.alloc(4096);
  const ask = (command: number, fill: (fields: DataView) => void) => ok(xsmOp(dom0, command, fill));
  const view = () => dom0.view(out);
  ask(ACMOP_getpolicy, (f) => {
    f.setBigUint64(0, BigInt(out), true);
    f.setUint32(8, 4096, true);
  });
  const bytes = new Uint8Array(view().buffer, view().byteOffset, view().getUint32(8));
  const policy = decodePolicy(bytes);
  expect(policy.name).toBe('orchard');
  expect([...(policy.counts!.running as Uint16Array)]).toEqual([1, 0, 1, 1, 0]);
  expect(failure(xsmOp(dom0, ACMOP_getpolicy, (f) => f.setUint32(8, 10, true)).result)).toBe('EFAULT');
  ask(ACMOP_dumpstats, (f) => {
    f.setBigUint64(0, BigInt(out), true);
    f.setUint32(8, 4096, true);
  });
  expect(view().getUint32(4)).toBe(48);
  ask(ACMOP_getssid, (f) => {
    f.setUint32(0, ACM_GETBY_domainid, true);
    f.setUint16(4, press.domid, true);
    f.setBigUint64(8, BigInt(out), true);
    f.setUint32(16, 4096, true);
  });
  expect(view().getUint32(4, true)).toBe(ref.press);
  const primary = view().getUint32(20, true);
  expect([0, 1, 2, 3, 4].map((i) => view().getUint8(primary + i))).toEqual([0, 0, 1, 1, 0]);
});

it('decides about labels and domains that are named', () => {
  const { host } = machine();
  const [press] = guests(host, ref.press) as [TestGuest];
  const decide = (hook: number, a: number, byA: number, b: number, byB: number) =>
    ok(
      xsmOp(host.dom0, ACMOP_getdecision, (f) => {
        [byA, byB, a, b, hook].forEach((word, i) => {
          f.setUint32(4 * i, word, true);
        });
      }),
    ).fields.getInt32(20, true);
  const [REF, DOM] = [ACM_GETBY_ssidref, ACM_GETBY_domainid];
  expect(decide(ACMHOOK_sharing, press.domid, DOM, 0x0007_0000, REF)).toBe(0);
  expect(decide(ACMHOOK_sharing, press.domid, DOM, 0x0006_0000, REF)).toBe(-111);
  expect(decide(ACMHOOK_authorization, 0, DOM, ref.pear, REF)).toBe(0);
  expect(decide(ACMHOOK_conflictset, ref.pear, REF, 0, 0)).toBe(-111);
  expect(decide(ACMHOOK_conflictset, ref.apple, REF, 0, 0)).toBe(0);
  expect(decide(77, ref.apple, REF, ref.apple, REF)).toBe(-111);
});

it('loads, changes and relabels, or says what stands in the way', () => {
  const { host, hooks } = machine([KERNEL]);
  const { dom0 } = host;
  const policy = buffer(dom0, BINARY);
  const set = () =>
    xsmOp(dom0, ACMOP_setpolicy, (f) => {
      f.setBigUint64(0, BigInt(policy), true);
      f.setUint32(8, BINARY.length, true);
    }).result;
  expect(set()).toBe(0);
  expect(hooks.state.policy.name).toBe('orchard');
  expect(failure(set())).toBe('EFAULT');

  const [apple] = guests(host, ref.apple) as [TestGuest];
  const errors = dom0.alloc(160);
  const change = (deletions: readonly number[], changes: readonly number[]) =>
    xsmOp(dom0, ACMOP_chgpolicy, (f) => {
      f.setBigUint64(0, BigInt(policy), true);
      f.setUint32(8, BINARY.length, true);
      f.setBigUint64(16, BigInt(buffer(dom0, words(...deletions, 0))), true);
      f.setUint32(24, 4 * deletions.length, true);
      f.setBigUint64(32, BigInt(buffer(dom0, words(...changes, 0))), true);
      f.setUint32(40, 4 * changes.length, true);
      f.setBigUint64(48, BigInt(errors), true);
      f.setUint32(56, 160, true);
    }).result;
  expect(failure(change([2], []))).toBe('EFAULT');
  expect([dom0.view(errors).getUint32(0), dom0.view(errors).getUint32(4)]).toEqual([0x104, 2]);
  expect(host.serial).toContain('New policy conflicts with running domains. Policy load aborted.');
  expect(change([], [2, 4])).toBe(0);
  expect(hooks.ssidrefOf(apple.domid)).toBe(ref.pear);

  const relabel = (domid: number, to: number) =>
    xsmOp(dom0, ACMOP_relabeldoms, (f) => {
      f.setBigUint64(0, BigInt(buffer(dom0, words(domid, to))), true);
      f.setUint32(8, 8, true);
      f.setBigUint64(16, BigInt(errors), true);
      f.setUint32(24, 160, true);
    }).result;
  expect(relabel(apple.domid, ref.apple)).toBe(0);
  expect(failure(relabel(0, ref.pear))).toBe('EFAULT');
  expect(dom0.view(errors).getUint32(0)).toBe(0x103);
  expect(failure(relabel(77, ref.apple))).toBe('EFAULT');
  expect(dom0.view(errors).getUint32(0)).toBe(0x102);
});

it('takes any bytes for an operation and for a policy, and goes on', () => {
  const { host, hooks } = machine();
  const { dom0 } = host;
  const random = seeded(3);
  const va = dom0.alloc(4096);
  for (let n = 0; n < 2000; n++) {
    const bytes = BINARY.slice();
    for (let k = random.below(4); k >= 0; k--) bytes[random.below(bytes.length)] = random.below(256);
    new Uint8Array(dom0.view(va).buffer, dom0.view(va).byteOffset, bytes.length).set(bytes);
    const pick = () => [0, 1, 4, 284, 4096, 5000, va, 0xffff_ffff, random.u32()][random.below(9)]!;
    const { result } = xsmOp(dom0, 1 + random.below(8), (f) => {
      for (let at = 0; at < 64; at += 4) f.setUint32(at, at % 8 === 4 && random.below(4) > 0 ? 0 : pick(), true);
      if (random.below(2) === 0) f.setBigUint64(0, BigInt(va), true);
      if (random.below(2) === 0) f.setUint32(8, BINARY.length, true);
    });
    expect(Number.isInteger(result)).toBe(true);
  }
  expect(hooks.state.domain(0)).toBeDefined();
  expect([...hooks.state.wall.running].every((count) => count >= 0)).toBe(true);
});
