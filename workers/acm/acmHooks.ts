/**
 * ACM as the hypervisor sees it: the answers to its security questions, the policy that it boots with, and the hypercall
 * of the policy tools (xen/xsm/acm/acm_xsm_hooks.c and acm_core.c, Xen 3.4).
 */
import { ACM_BOOTSTRAP_SSIDREF } from '../abi/acm';
import { DOM0 } from '../abi/xen';
import type { Call } from '../hypervisor/hypercalls';
import type { SecurityHooks, SecurityHost } from '../hypervisor/xsm/hooks';
import { acmOp } from './acmOp';
import { AcmState } from './acmState';
import { DecisionLog, type Verdict } from './decisionLog';
import { isStartUpPolicy } from './defaultPolicy';
import { chwallRowOf, ssidref, steRowOf } from './numbering';
import { type BinaryPolicy, BinaryPolicyError, decodePolicy, isBinaryPolicy } from './policyBinary';

export interface AcmBoot {
  /** What the boot loader left in memory, Domain-0's kernel first. */
  readonly modules: readonly Uint8Array[];
  /** Xen's option `ssidref=`. */
  readonly ssidrefOption: string | undefined;
}

const MODEL = 'CHINESE WALL AND SIMPLE TYPE ENFORCEMENT';

export class AcmHooks implements SecurityHooks {
  readonly state: AcmState;
  readonly decisions = new DecisionLog();
  /** A policy other than the one at start has been in force: a plain setpolicy is refused then. */
  isPolicyLoaded = false;
  #host: SecurityHost | undefined;

  constructor(readonly boot: AcmBoot) {
    this.state = new AcmState((line) => this.#host?.print(line));
    this.state.onDecision = (decision) =>
      this.decisions.add(decision, this.#host?.nowNs ?? 0, this.state.policy, () => this.state.domains());
  }

  /** The toolstack says what it made of a decision; for the log alone. */
  judge(verdict: Verdict): void {
    this.decisions.judge(verdict, this.#host?.nowNs ?? 0, this.state.policy);
  }

  start(host: SecurityHost): void {
    this.#host = host;
    host.print('ACM-XSM:  Initializing.');
    const option = parseSsidref(this.boot.ssidrefOption);
    this.state.dom0Ssidref = option.ssidref;
    const module = this.boot.modules.slice(1).filter(isBinaryPolicy).at(-1);
    if (module && this.#loadBootPolicy(module, option.policyName)) return;
    this.state.dom0Ssidref = ACM_BOOTSTRAP_SSIDREF;
    host.print(`acm_init: Loading default policy (${MODEL}).`);
  }

  #loadBootPolicy(bytes: Uint8Array, expectedName: string | undefined): boolean {
    const { state } = this;
    try {
      const policy = decodePolicy(bytes);
      if (expectedName !== undefined && expectedName !== policy.name) {
        this.#host?.print(`Policy's name '${policy.name}' is not the expected one '${expectedName}'.`);
        throw new BinaryPolicyError('name');
      }
      const ref = state.dom0Ssidref;
      if (chwallRowOf(ref) >= policy.chwallRows.length || steRowOf(ref) >= policy.steRows.length)
        throw new BinaryPolicyError('rows');
      this.activate(policy);
      state.install(policy);
    } catch (error) {
      if (!(error instanceof BinaryPolicyError)) throw error;
      this.#host?.print('Invalid policy.');
      return false;
    }
    this.#host?.print(`acm_init: Enforcing ${MODEL} boot policy.`);
    return true;
  }

  /** Says which policy is in force from now on. */
  activate(policy: BinaryPolicy): void {
    this.#host?.print(`acm_set_policy_reference: Activating policy ${policy.name}`);
    this.isPolicyLoaded ||= !isStartUpPolicy(policy);
  }

  domainCreate(domid: number, ref: number): boolean {
    return this.state.create(domid, domid === DOM0 ? this.state.dom0Ssidref : ref);
  }

  domainDestroy(domid: number): void {
    this.state.destroy(domid);
  }

  evtchnUnbound(domid: number, remote: number): boolean {
    return this.state.shareEvtchn(domid, remote);
  }

  evtchnInterdomain(domid: number, remote: number): boolean {
    return this.state.shareEvtchn(domid, remote);
  }

  grantMap(mapper: number, granter: number): boolean {
    return this.state.shareGrant(mapper, granter);
  }

  /** A domain's own table is its own business. */
  grantSetup(caller: number, domid: number): boolean {
    return caller === domid || this.state.shareGrant(caller, domid);
  }

  ssidrefOf(domid: number): number {
    return this.state.domain(domid)?.ssidref ?? 0;
  }

  xsmOp(call: Call, argument: number): number {
    return acmOp(this, call, argument);
  }
}

/**
 * `NUMBER:ACM:POLICY[:LABEL]`: Domain-0's two rows, each kept at 1 unless it lies in 1 to 255, and the only policy that
 * may be loaded at boot.
 */
export function parseSsidref(text: string | undefined): {
  readonly ssidref: number;
  readonly policyName: string | undefined;
} {
  const match = /^(0x[0-9a-f]+|\d+)/i.exec(text ?? '');
  if (!text || !match) return { ssidref: ACM_BOOTSTRAP_SSIDREF, policyName: undefined };
  const number = Number(match[1]);
  const half = (row: number) => (row >= 1 && row <= 255 ? row : 1);
  const [, policyName] = /^[^:]*:ACM:([^:\s]+)/.exec(text) ?? [];
  return { ssidref: ssidref(half(number >>> 16), half(number & 0xffff)), policyName };
}
