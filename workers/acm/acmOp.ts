/** xsm_op of ACM: what the policy tools in Domain-0 ask of the hypervisor (xen/xsm/acm/acm_ops.c, Xen 3.4). */
import {
  ACM_ACCESS_DENIED,
  ACM_ACCESS_PERMITTED,
  ACM_ARRAY_LIMIT,
  ACM_CHINESE_WALL_POLICY,
  ACM_ERROR,
  ACM_ERROR_PAIRS,
  ACM_GETBY_domainid,
  ACM_GETBY_ssidref,
  ACM_INTERFACE_VERSION,
  ACM_MAGIC,
  ACM_OP_FIELDS,
  ACM_OP_SIZE,
  ACM_SIMPLE_TYPE_ENFORCEMENT_POLICY,
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
import type { Call } from '../hypervisor/hypercalls';
import { ControlRequest } from '../hypervisor/ops/controlRequest';
import { errno, XenError } from '../lib/errno';
import type { AcmHooks } from './acmHooks';
import type { Channels, ErrorPair, KnownParty } from './acmState';
import { chwallRowOf, steRowOf } from './numbering';
import { BinaryPolicyError, decodePolicy, encodePolicy, encodeReference } from './policyBinary';

const MAX_POLICY_BYTES = 1 << 20;

type Operation = (hooks: AcmHooks, request: ControlRequest) => number;

const operations: Readonly<Record<number, Operation>> = {
  [ACMOP_setpolicy]: (hooks, request) => {
    if (hooks.isPolicyLoaded) throw new XenError('EFAULT', 'a policy is loaded');
    return answer(request, undefined, change(hooks, request, request.u64(0), request.u32(8), [], []));
  },
  [ACMOP_getpolicy]: ({ state }, request) =>
    put(request, request.u64(0), request.u32(8), encodePolicy(state.policy, state.wall)),
  [ACMOP_dumpstats]: ({ state }, request) => put(request, request.u64(0), request.u32(8), statistics(state.statistics)),
  [ACMOP_getssid]: (hooks, request) => {
    const bytes = ssidInfo(hooks, reference(hooks, request.u32(0), request.u32(4)));
    return put(request, request.u64(8), request.u32(16), bytes);
  },
  [ACMOP_getdecision]: (hooks, request) => {
    const first = party(hooks, request.u32(0), request.u32(8));
    // A question about one label leaves the other empty.
    const hook = request.u32(16);
    const isAllowed =
      hook === ACMHOOK_conflictset
        ? decideWall(hooks, first)
        : decide(hooks, hook, first, party(hooks, request.u32(4), request.u32(12)));
    request.put32(20, isAllowed ? ACM_ACCESS_PERMITTED : ACM_ACCESS_DENIED >>> 0);
    return 0;
  },
  [ACMOP_chgpolicy]: (hooks, request) => {
    const deletions = words(request, 16, 24);
    const pairs = words(request, 32, 40);
    if (deletions === undefined || pairs === undefined || request.u32(56) > ACM_ARRAY_LIMIT) return ACM_ERROR;
    const errors = change(hooks, request, request.u64(0), request.u32(8), deletions, couples(pairs));
    return answer(request, { buffer: request.u64(48), bytes: request.u32(56) }, errors);
  },
  [ACMOP_relabeldoms]: ({ state }, request) => {
    const map = words(request, 0, 8);
    if (map === undefined || request.u32(24) > ACM_ARRAY_LIMIT) return ACM_ERROR;
    const errors = state.relabel(couples(map), channelsOf(request.call));
    return answer(request, { buffer: request.u64(16), bytes: request.u32(24) }, errors);
  },
};

/** Throws XenError EPERM (not privileged), EACCES (interface version), ESRCH (no such domain), EFAULT. */
export function acmOp(hooks: AcmHooks, call: Call, va: number): number {
  if (!call.domain.isPrivileged) throw new XenError('EPERM', 'xsm_op');
  const request = new ControlRequest(call, va, ACM_OP_FIELDS, ACM_OP_SIZE);
  if (request.header(4) !== ACM_INTERFACE_VERSION) throw new XenError('EACCES', 'interface version');
  return operations[request.header(0)]?.(hooks, request) ?? -errno.ENOSYS;
}

function change(
  hooks: AcmHooks,
  { call }: ControlRequest,
  buffer: number,
  size: number,
  deletions: readonly number[],
  changes: readonly (readonly [number, number])[],
): readonly ErrorPair[] {
  if (size > MAX_POLICY_BYTES) throw new XenError('EFAULT', `a policy of ${size} bytes`);
  const policy = decode(call.domain.space.read(buffer, size));
  const errors = hooks.state.change(policy, deletions, changes, channelsOf(call));
  if (errors.length > 0) call.hv.console.print('New policy conflicts with running domains. Policy load aborted.');
  else hooks.activate(policy);
  return errors;
}

function decode(bytes: Uint8Array) {
  try {
    return decodePolicy(bytes);
  } catch (error) {
    if (error instanceof BinaryPolicyError) throw new XenError('EFAULT', error.message);
    throw error;
  }
}

/** Tells the caller what stood in the way: big-endian pairs, zero behind the last. */
function answer(
  { call }: ControlRequest,
  errors: { readonly buffer: number; readonly bytes: number } | undefined,
  pairs: readonly ErrorPair[],
): number {
  if (errors && errors.bytes > 0) {
    const bytes = new Uint8Array(errors.bytes);
    const view = new DataView(bytes.buffer);
    pairs.slice(0, Math.min(ACM_ERROR_PAIRS, errors.bytes >> 3)).forEach(([code, data], i) => {
      view.setUint32(8 * i, code);
      view.setUint32(8 * i + 4, data);
    });
    call.domain.space.write(errors.buffer, bytes);
  }
  return pairs.length > 0 ? -errno.EFAULT : 0;
}

/** An array argument: where its address and its length in bytes stand. Undefined: too long. */
function words(request: ControlRequest, buffer: number, bytes: number): readonly number[] | undefined {
  const size = request.u32(bytes);
  if (size > ACM_ARRAY_LIMIT) return undefined;
  const copy = request.call.domain.space.read(request.u64(buffer), size & ~3).slice();
  const view = new DataView(copy.buffer);
  return Array.from({ length: size >> 2 }, (_, i) => view.getUint32(4 * i, true));
}

function couples(list: readonly number[]): readonly (readonly [number, number])[] {
  return Array.from({ length: list.length >> 1 }, (_, i) => [list[2 * i]!, list[2 * i + 1]!] as const);
}

function reference({ state }: AcmHooks, by: number, id: number): number {
  if (by === ACM_GETBY_ssidref) return id;
  const domain = by === ACM_GETBY_domainid ? state.domain(id & 0xffff) : undefined;
  if (!domain) throw new XenError('ESRCH', `label by ${by} of ${id}`);
  return domain.ssidref;
}

function party(hooks: AcmHooks, by: number, id: number): KnownParty {
  return { domid: by === ACM_GETBY_domainid ? id & 0xffff : undefined, ssidref: reference(hooks, by, id) };
}

function decideWall({ state }: AcmHooks, subject: KnownParty): boolean {
  state.report('conflictset', subject);
  return state.conflictset(subject.ssidref);
}

function decide({ state }: AcmHooks, hook: number, a: KnownParty, b: KnownParty): boolean {
  if (hook !== ACMHOOK_sharing && hook !== ACMHOOK_authorization) return false;
  const question = hook === ACMHOOK_sharing ? 'sharing' : 'authorization';
  state.report(question, a, b);
  return state[question](a.ssidref, b.ssidref);
}

function put({ call }: ControlRequest, buffer: number, size: number, bytes: Uint8Array): number {
  if (bytes.length > size) throw new XenError('EFAULT', `${bytes.length} bytes do not fit ${size}`);
  call.domain.space.write(buffer, bytes);
  return 0;
}

function statistics(counts: AcmHooks['state']['statistics']): Uint8Array {
  const HEADER = 24;
  const values = [
    counts.evtchnEvaluated,
    counts.grantEvaluated,
    counts.evtchnDenied,
    counts.grantDenied,
    counts.evtchnCacheHits,
    counts.grantCacheHits,
  ];
  const view = new DataView(new ArrayBuffer(HEADER + 4 * values.length));
  // CHWALL has no counters: its block is empty.
  const header = [
    ACM_MAGIC,
    view.byteLength,
    ACM_CHINESE_WALL_POLICY,
    HEADER,
    ACM_SIMPLE_TYPE_ENFORCEMENT_POLICY,
    HEADER,
  ];
  [...header, ...values].forEach((word, i) => {
    view.setUint32(4 * i, word);
  });
  return new Uint8Array(view.buffer);
}

/** acm_ssid_buffer: native integers, then the policy's name, then a byte per type. */
function ssidInfo({ state }: AcmHooks, ref: number): Uint8Array {
  const HEADER = 36;
  const { policy } = state;
  const chwall = policy.chwallRows[chwallRowOf(ref)];
  const ste = policy.steRows[steRowOf(ref)];
  if (!chwall || !ste) throw new XenError('ESRCH', `reference ${ref}`);
  const name = encodeReference(policy.name);
  const primary = HEADER + name.length;
  const secondary = primary + chwall.length;
  const bytes = new Uint8Array(secondary + ste.length);
  const view = new DataView(bytes.buffer);
  [
    bytes.length,
    ref,
    HEADER,
    ACM_CHINESE_WALL_POLICY,
    chwall.length,
    primary,
    ACM_SIMPLE_TYPE_ENFORCEMENT_POLICY,
    ste.length,
    secondary,
  ].forEach((word, i) => {
    view.setUint32(4 * i, word, true);
  });
  bytes.set(name, HEADER);
  bytes.set(chwall, primary);
  bytes.set(ste, secondary);
  return bytes;
}

/** Who talks to whom on this machine. */
export function channelsOf({ hv }: Pick<Call, 'hv'>): Channels {
  return {
    *evtchnPeers(domid) {
      const table = hv.findDomain(domid as never)?.evtchns;
      for (let port = 1; table && port < table.size; port++) {
        const evtchn = table.at(port);
        if (evtchn.state === 'interdomain') yield evtchn.remoteDomid;
      }
    },
    *grantPeers(domid) {
      const grants = hv.findDomain(domid as never)?.grants;
      for (const [, { domid: owner }] of grants?.tracks() ?? []) yield owner;
    },
  };
}
