/**
 * Policies and labels in xend: what is in force, whether a domain may start and use its devices, and changes that happen
 * wholly or not at all (XendXSPolicyAdmin.py, util/acmpolicy.py and util/xsm/acm/acm.py in Xen 3.4).
 */
import { defaultPolicy } from '../acm/defaultPolicy';
import { chwallRowOf } from '../acm/numbering';
import { compilePolicy, decodePolicy, loadProblem } from '../acm/policyBinary';
import { PolicyMap, writeMap } from '../acm/policyMap';
import { DEFAULT_POLICY_NAME, UNLABELED } from '../acm/policyModel';
import {
  type FullLabel,
  fullLabel,
  parseFullLabel,
  planUpdate,
  type UpdatePlan,
  updatedLabel,
} from '../acm/policyUpdate';
import { writePolicy } from '../acm/policyWriter';
import { type PolicyFile, readPolicy } from '../acm/policyXml';
import { findResource, type ResourceEntry, ResourceNameError } from '../acm/resourceLabels';
import { prettyXml } from '../acm/xmlTree';
import { XsError } from '../acm/xserr';
import { SysError } from '../guest/sys';
import { sxpText } from '../lib/sxp';
import { BootPolicy } from './bootPolicy';
import type { DeviceConfig, DomainConfig } from './domainConfig';
import type { XendEnvironment, XendFiles } from './environment';
import { VmError, type XendError, XsmError } from './errors';
import type { XendLog } from './log';
import type { XendOptions } from './options';
import type { PolicyState } from './securityApi';
import {
  checkAuthority,
  checkResources,
  dom0Word,
  HypervisorRefusal,
  isActive,
  isDisk,
  labelName,
  movedReference,
  readForUpdate,
  setPolicyError,
  updatedVif,
} from './securityChange';
import { commitChange, type Labelling } from './securityCommit';
import { checkDisk, checkVif, type DevicePolicy, diskDecision, lookup } from './securityDevices';
import { SecurityFiles } from './securityFiles';
import { judged, reportRefusal } from './securityVerdicts';
import { XcAcm } from './xcAcm';

export const INACTIVE = 'INACTIVE';

/** A domain as far as labels go. */
export interface LabelledDomain {
  /** -1: dormant. */
  readonly domid: number;
  readonly name: string;
  readonly powerState: string;
  readonly config: DomainConfig;
  readonly info: { readonly ssidref: number } | undefined;
  /** Writes the label, and the configuration where it is kept, if it is. */
  storeLabel(files: XendFiles): void;
}

export interface SecurityHost {
  readonly environment: XendEnvironment;
  readonly log: XendLog;
  readonly options: XendOptions;
  /** Those with an id and dormant ones. */
  labelledDomains(): readonly LabelledDomain[];
}

/** What a view from outside may look at. */
export interface SecurityView {
  readonly security: XendSecurity;
  /** As xend last heard of them. */
  readonly domains: readonly LabelledDomain[];
}

interface Current {
  readonly file: PolicyFile;
  readonly map: PolicyMap;
}

export class XendSecurity {
  readonly files: SecurityFiles;
  readonly boot: BootPolicy;
  readonly acm: XcAcm;
  #current: Current | undefined;

  constructor(readonly host: SecurityHost) {
    const { files, privcmd } = host.environment;
    this.files = new SecurityFiles(files, host.options.text('xend-security-path'));
    this.boot = new BootPolicy(files);
    this.acm = new XcAcm(privcmd);
  }

  get moduleName(): string {
    return this.host.options.text('xsm_module_name') ?? 'dummy';
  }

  /** xend uses ACM and the hypervisor has it. */
  get isOn(): boolean {
    return this.#current !== undefined;
  }

  get policyName(): string {
    return this.#current?.file.policy.name ?? INACTIVE;
  }

  get policy(): PolicyFile | undefined {
    return this.#current?.file;
  }

  /** xend starts: takes over the policy in force, or puts DEFAULT in its place when its file is not the one it was made of. */
  open(): void {
    if (this.moduleName !== 'acm') return;
    const enforced = this.acm.policy();
    if (!enforced) return;
    const { name, sha1: hash } = decodePolicy(enforced);
    const saved = name === DEFAULT_POLICY_NAME ? undefined : this.files.savedWithHash(name, hash);
    if (saved) this.#become(saved);
    else this.#forceDefault();
  }

  #forceDefault(): void {
    const file = readPolicy(writePolicy(defaultPolicy()));
    const row = (this.#dom0()?.info?.ssidref ?? 1) & 0xffff;
    const refusal = this.acm.changePolicy(compilePolicy(file), [], row === 1 ? [] : [[row, 1]]);
    if (refusal) this.host.log.error('XendXSPolicyAdmin:180', 'Could not put the DEFAULT policy in force.');
    try {
      this.files.save(file, false);
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      this.host.log.error('XendXSPolicyAdmin:184', `Could not write the DEFAULT policy: ${error.message}`);
    }
    this.#become(file);
  }

  #become(file: PolicyFile): void {
    this.#current = { file, map: new PolicyMap(writeMap(file.policy, this.files.mapFiles(file.policy.name))) };
  }

  #dom0(): LabelledDomain | undefined {
    return this.host.labelledDomains().find(({ domid }) => domid === 0);
  }

  /** The policy in force. Throws XsmError without one. */
  requireCurrent(what = 'XSM'): Current {
    if (this.#current) return this.#current;
    if (this.moduleName !== 'acm')
      throw new XsmError(`Command not supported under ${what} '${this.moduleName}' module.`);
    throw new XsmError('ACM policy type not supported.');
  }

  state(): PolicyState | undefined {
    const file = this.#current?.file;
    return (
      file && {
        name: file.policy.name,
        version: file.policy.version,
        isLoaded: true,
        isBoot: this.boot.name === file.policy.name,
        xml: prettyXml(file.document),
      }
    );
  }

  // --- labels of domains

  /** As shown: Domain-0's is the hypervisor's, others' is the configured one. Undefined without a policy in force. */
  labelOf(domain: LabelledDomain): string | undefined {
    if (!this.#current) return undefined;
    const { policyName } = this;
    const stored = domain.config.securityLabel;
    if (domain.domid !== 0 && stored !== undefined) return stored;
    return fullLabel({
      type: 'ACM',
      policy: policyName,
      label: labelName(this.#current.map, domain.info?.ssidref ?? 0),
    });
  }

  /**
   * May a domain of this configuration start? Answers the reference that it gets. Throws VmError or XsmError in the words
   * of the documents; without a policy in force labels mean nothing.
   */
  authorise(config: DomainConfig): number {
    if (!this.#current) return 0;
    const { map, file } = this.#current;
    return judged(this.host.environment, { asked: 'start', who: config.name }, () =>
      this.#authorise(config, map, file),
    );
  }

  #authorise(config: DomainConfig, map: PolicyMap, file: PolicyFile): number {
    if (config.securityLabel === undefined && !file.policy.vmLabels.some(({ name }) => name === UNLABELED))
      throw new XsmError('Domain not labeled');
    config.securityLabel ??= fullLabel({ type: 'ACM', policy: this.policyName, label: UNLABELED });
    const text = config.securityLabel;
    const full = parseFullLabel(text);
    if (!full) throw new VmError(`VM label '${text}' in wrong format.`);
    if (full.type !== 'ACM') throw new VmError(`Policy type '${full.type}' must be changed.`);
    if (full.policy !== this.policyName)
      throw new VmError(`Active policy '${this.policyName}' different than what in VM's label ('${full.policy}').`);
    const ssidref = lookup(() => map.ssidref(full.label, 'dom'));
    if (!this.acm.authorization(this.#dom0()?.info?.ssidref ?? 0, ssidref))
      throw new VmError('VM is not authorized to run.');
    return ssidref;
  }

  /** A domain was not made: because of others that run, or for lack of memory, which the hypervisor answers alike. */
  creationRefused(ssidref: number, name: string): XendError | undefined {
    if (!this.#current || this.acm.conflictset(ssidref)) return undefined;
    const refusal = new XsmError('Domain in conflict set with running domains');
    reportRefusal(this.host.environment, { asked: 'start', who: name }, refusal);
    return refusal;
  }

  // --- devices

  /** Throws VmError or XsmError when the domain may not use the device. */
  checkDevice(config: DomainConfig, device: DeviceConfig): void {
    const uname = isDisk(device) ? (sxpText(device.sxp, 'uname') ?? '') : undefined;
    if (!this.#current) {
      if (uname && this.files.hasResourceFile && this.#entryOf(uname))
        throw new XsmError(`Security is off, but '${uname}' is labeled`);
      return;
    }
    const rules = this.#devicePolicy();
    if (uname !== undefined)
      judged(this.host.environment, { asked: 'disk', who: config.name, resource: uname }, () =>
        checkDisk(rules, config, uname),
      );
    else if (device.class === 'vif') {
      const resource = sxpText(device.sxp, 'mac') ?? 'vif';
      judged(this.host.environment, { asked: 'vif', who: config.name, resource }, () =>
        checkVif(rules, config, device),
      );
    }
  }

  /** Whether a domain with this reference may use the disk, and the disk's label as it counts. */
  diskDecision(ssidref: number, uname: string): FullLabel & { readonly isPermitted: boolean } {
    return diskDecision(this.#devicePolicy(), ssidref, uname);
  }

  #devicePolicy(): DevicePolicy {
    const { map, file } = this.requireCurrent();
    return { policy: file.policy, map, acm: this.acm, entryOf: (uname) => this.#entryOf(uname) };
  }

  #entryOf(uname: string): ResourceEntry | undefined {
    try {
      return findResource(this.files.resources(), uname, this.host.environment.files);
    } catch (error) {
      if (error instanceof ResourceNameError) return undefined;
      throw error;
    }
  }

  // --- changes of the policy

  /** Puts a policy in force. Throws XsmError; then the policy before is in force and nothing has changed. */
  setPolicy(
    source: Uint8Array,
    options: { readonly isReload?: boolean; readonly forBoot?: boolean } = {},
  ): PolicyState {
    this.requireCurrent('xsm');
    return judged(this.host.environment, { asked: 'policy', who: this.policyName }, () => {
      try {
        this.#update(readForUpdate(source), options);
      } catch (error) {
        throw setPolicyError(error);
      }
      return this.state()!;
    });
  }

  /** Puts DEFAULT in force. */
  resetPolicy(): { readonly wasBoot: boolean } {
    const { file } = this.requireCurrent();
    const wasBoot = this.boot.name === file.policy.name;
    const running = this.host.labelledDomains().filter(({ domid }) => domid > 0);
    const reason =
      running.length > 0
        ? `DEFAULT lets nothing run but Domain-0: ${running.map(({ name }) => name).join(', ')}.`
        : undefined;
    judged(this.host.environment, { asked: 'policy', who: this.policyName, reason }, () => {
      if (running.length > 0) throw resetFailure();
      this.#resetPolicy();
    });
    return { wasBoot };
  }

  #resetPolicy(): void {
    const dom0 = this.#dom0();
    const label = dom0 && parseFullLabel(this.labelOf(dom0) ?? '')?.label;
    try {
      this.#update(readPolicy(writePolicy(defaultPolicy(label === UNLABELED ? undefined : label))), {});
    } catch (error) {
      if (error instanceof XsError) throw resetFailure();
      if (error instanceof SysError) throw resetFailure(error.message);
      throw error;
    }
  }

  #update(file: PolicyFile, { isReload = false, forBoot = true }: { isReload?: boolean; forBoot?: boolean }): void {
    const current = this.requireCurrent();
    const old = current.file.policy;
    const next = file.policy;
    const plan =
      isReload && old.name === next.name
        ? planUpdate({ ...old, name: DEFAULT_POLICY_NAME }, next)
        : planUpdate(old, next);
    const binary = compilePolicy(file);
    const map = new PolicyMap(writeMap(next, this.files.mapFiles(next.name)));
    const entries = this.files.resources().map((entry) => ({
      ...entry,
      ...updatedLabel(entry, old, next, plan.resourceLabelNow),
    }));
    const { files } = this.host.environment;
    const domains = this.host.labelledDomains();
    const labels = new Map(domains.map((domain) => [domain, this.#labelAfter(domain, plan, file)]));
    for (const domain of domains)
      if (isActive(domain) && domain.domid !== 0)
        checkResources(domain, labels.get(domain), { entries, old: current.file, next: file, map, plan, files });
    const dom0 = this.#dom0();
    const dom0Before = dom0 && this.labelOf(dom0);
    const dom0Ref = movedReference(dom0?.info?.ssidref ?? 0, plan);
    const dom0Label = fullLabel({ type: 'ACM', policy: next.name, label: labelName(map, dom0Ref) });
    checkAuthority(file, dom0Ref, this.#staying(domains, plan));

    commitChange({
      files,
      labellings: domains
        .filter(({ domid }) => domid !== 0)
        .map(
          (domain): Labelling => ({
            domain,
            label: labels.get(domain),
            devices: domain.config.devices.map((device) => updatedVif(device, old, next, plan)),
          }),
        ),
      stage: (staged) => {
        const inFiles = this.files.in(staged);
        const boot = new BootPolicy(staged);
        inFiles.writeResources(entries);
        boot.remove();
        inFiles.save(file, next.name !== DEFAULT_POLICY_NAME);
        if (dom0 && dom0Label !== dom0Before) boot.setSsidref(dom0Word(dom0Ref, dom0Label));
        if (next.name !== DEFAULT_POLICY_NAME && forBoot) boot.install(next.name, binary);
      },
      enforce: () => this.#enforce(binary, plan),
    });
    this.#become(file);
  }

  /** User domains that run, with the references that they will have; labels that go are the hypervisor's to refuse. */
  #staying(domains: readonly LabelledDomain[], plan: UpdatePlan) {
    return domains.flatMap(({ domid, name, info }) => {
      if (domid <= 0 || !info || plan.deletions.includes(chwallRowOf(info.ssidref))) return [];
      return [{ name, ssidref: movedReference(info.ssidref, plan) }];
    });
  }

  /** Throws HypervisorRefusal. Answers how to go back. */
  #enforce(binary: Uint8Array, plan: UpdatePlan): () => void {
    const before = this.acm.policy()!;
    const refs = this.host
      .labelledDomains()
      .flatMap(({ domid, info }) => (info ? [[domid, info.ssidref] as const] : []));
    const refusal = this.acm.changePolicy(binary, plan.deletions, plan.changes);
    if (refusal) throw new HypervisorRefusal(refusal, loadProblem(binary));
    return () => {
      const back = this.acm.changePolicy(
        before,
        [],
        plan.changes.map(([old, now]) => [now, old]),
      );
      // Two labels that became one are told apart again.
      if (back ?? this.acm.relabel(refs))
        this.host.log.error('XendXSPolicyAdmin:201', 'Could not go back to the policy before.');
    };
  }

  #labelAfter(domain: LabelledDomain, plan: UpdatePlan, file: PolicyFile): string | undefined {
    const full = parseFullLabel(domain.config.securityLabel ?? '');
    if (!full) return domain.config.securityLabel;
    const old = this.requireCurrent().file.policy;
    const next = file.policy;
    // DEFAULT takes Domain-0's label over from whatever it was; for the others that label is gone.
    const isKept = next.name !== DEFAULT_POLICY_NAME || next.vmLabels.some(({ name }) => name === full.label);
    return fullLabel(updatedLabel(full, old, next, isKept ? plan.vmLabelNow : () => undefined));
  }
}

function resetFailure(...details: readonly string[]): XsmError {
  return new XsmError("Could not reset the system's policy. Try to halt all guests.", details);
}
