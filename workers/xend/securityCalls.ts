import type { LabelKind, PolicyMap } from '../acm/policyMap';
import { INACCESSIBLE, UNLABELED } from '../acm/policyModel';
import { fullLabel, parseFullLabel } from '../acm/policyUpdate';
import { findResource, normalResource, type ResourceEntry, ResourceNameError } from '../acm/resourceLabels';
import { type XserrName, xserrText } from '../acm/xserr';
import { SysError } from '../guest/sys';
import { sxpText } from '../lib/sxp';
import { BootPolicy } from './bootPolicy';
import type { DeviceConfig } from './domainConfig';
import type { XendDomainInfo } from './domainInfo';
import type { XendDomain } from './domains';
import { XendError, XendInvalidDomain, XsmError, XsmFault } from './errors';
import { OlderPolicy } from './olderPolicy';
import type { XendSecurity } from './security';
import type { DryRun, PolicyState, XendSecurityApi } from './securityApi';
import { dom0Word, isActive, isDisk, pairsDetails, pairsText, withVifLabel } from './securityChange';
import { commitChange } from './securityCommit';
import { lookup } from './securityDevices';
import { refusable, reportRefusal } from './securityVerdicts';

const SCRIPTS = '/etc/xen/scripts';

/** An error in the words of its command. */
type Failed = (code: XserrName, details?: readonly string[], more?: string) => XsmError;

/** What goes wrong here goes wrong in xend, not in xm: that shows in what the operator reads. */
function asFault<T>(body: () => T): T {
  try {
    return body();
  } catch (error) {
    throw error instanceof XsmError ? new XsmFault(error.text, error.details) : error;
  }
}

/** A file that cannot be written is the command's error, with the reason on a line of its own. */
function fileErrors(failed: Failed, body: () => void): void {
  try {
    body();
  } catch (error) {
    if (error instanceof SysError) throw failed('FILE_ERROR', [error.message]);
    throw error;
  }
}

export class SecurityCalls implements XendSecurityApi {
  constructor(readonly domains: XendDomain) {}

  get #security(): XendSecurity {
    return this.domains.security;
  }

  get #files() {
    return this.domains.environment.files;
  }

  async activePolicy(): Promise<string> {
    return this.#security.policyName;
  }

  async isOn(): Promise<boolean> {
    return this.#security.isOn;
  }

  async getPolicy(): Promise<PolicyState | undefined> {
    return this.#security.state();
  }

  async setPolicy(xml: Uint8Array): Promise<PolicyState> {
    return this.#security.setPolicy(xml);
  }

  async resetPolicy(): Promise<{ readonly wasBoot: boolean }> {
    return this.#security.resetPolicy();
  }

  async dumpPolicy(): Promise<{ readonly binary: Uint8Array; readonly dom0: number } | undefined> {
    const binary = this.#security.isOn ? this.#security.acm.policy() : undefined;
    return binary && { binary, dom0: this.domains.lookup('0').info?.ssidref ?? 0 };
  }

  // --- labels

  async labels(policy: string, kind: LabelKind): Promise<readonly string[]> {
    return asFault(() => lookup(() => this.#map(policy).labels(kind)));
  }

  async checkLabel(policy: string, label: string, kind: 'dom' | 'res'): Promise<void> {
    this.#requireLabel(policy, label, kind, 'a configuration file');
  }

  /** `who`: what it is for. */
  #requireLabel(policy: string, label: string, kind: 'dom' | 'res', who: string): number {
    const what = kind === 'dom' ? 'VM' : 'resource';
    const reason = `Policy ${policy} has no ${what} label ${label}.`;
    return refusable(this.domains.environment, { asked: 'relabel', who, reason }, () =>
      this.#findLabel(policy, label, kind),
    );
  }

  #findLabel(policy: string, label: string, kind: 'dom' | 'res'): number {
    return lookup(() => this.#map(policy).ssidref(label, kind));
  }

  #map(policy: string): PolicyMap {
    const { files } = this.#security;
    const map = files.map(policy);
    if (map) return map;
    const missing = files.files.exists(files.path(policy, '-security_policy.xml')) ? 'Mapping' : 'Policy';
    const path = files.path(policy, missing === 'Mapping' ? '.map' : '-security_policy.xml');
    throw new XsmError(`${missing} file '${path}' not found.`);
  }

  // --- resources

  async resources(): Promise<readonly ResourceEntry[]> {
    return this.#security.files.resources();
  }

  async resourceLabel(resource: string): Promise<string | undefined> {
    const entry = asFault(() =>
      this.#named(() => findResource(this.#security.files.resources(), resource, this.#files)),
    );
    return entry && fullLabel(entry);
  }

  async setResourceLabel(resource: string, policy: string, label: string): Promise<void> {
    const { files } = this.#security;
    this.#security.requireCurrent();
    const failed: Failed = (code, details) =>
      new XsmError(`An error occurred labeling the resource: ${xserrText(code)}`, details);
    const name = asFault(() => this.#named(() => normalResource(resource, this.#files)));
    if (label !== INACCESSIBLE) asFault(() => this.#requireLabel(policy, label, 'res', resource));
    const entries = files.resources();
    const old = findResource(entries, resource, this.#files);
    if (old) throw new XsmError(`'${resource}' is already labeled with '${fullLabel(old)}'.`);
    this.#requireUnused(name, resource, failed);
    const isVlan = name.startsWith('vlan:');
    if (
      isVlan &&
      entries.some((each) => each.name.startsWith('vlan:') && each.policy === policy && each.label === label)
    )
      throw failed('BAD_LABEL');
    const entry = { name, type: 'ACM', policy: label === INACCESSIBLE ? '*' : policy, label };
    await this.#changeScript('add', entry);
    fileErrors(failed, () => files.writeResources([...files.resources(), entry]));
  }

  /** Works without a policy in force too: it repairs a machine whose labels nobody understands any more. */
  async removeResourceLabel(resource: string): Promise<void> {
    const { files } = this.#security;
    const failed: Failed = (code, details) =>
      new XsmError(`An error occurred removing the label: ${xserrText(code)}`, details);
    const old = asFault(() => this.#named(() => findResource(files.resources(), resource, this.#files)));
    if (!old) throw new XsmError('Resource not labeled');
    this.#requireUnused(old.name, resource, failed);
    await this.#changeScript('remove', old);
    fileErrors(failed, () => files.writeResources(files.resources().filter(({ name }) => name !== old.name)));
  }

  #named<T>(body: () => T): T {
    try {
      return body();
    } catch (error) {
      if (error instanceof ResourceNameError) throw new XsmError(error.message);
      throw error;
    }
  }

  /** Throws when a running domain uses it; a paused one does not count. */
  #requireUnused(name: string, resource: string, failed: Failed): void {
    const user = this.domains
      .all()
      .find(
        (domain) =>
          domain.powerState === 'running' &&
          domain.config.devices.some(
            (device) => isDisk(device) && this.#normal(sxpText(device.sxp, 'uname') ?? '') === name,
          ),
      );
    if (!user) return;
    const question = { asked: 'relabel', who: resource, reason: `${user.name} uses it.` } as const;
    throw reportRefusal(this.domains.environment, question, failed('RESOURCE_IN_USE'));
  }

  #normal(uname: string): string | undefined {
    try {
      return normalResource(uname, this.#files);
    } catch (error) {
      if (error instanceof ResourceNameError) return undefined;
      throw error;
    }
  }

  async #changeScript(command: 'add' | 'remove', entry: ResourceEntry): Promise<void> {
    const { environment, options } = this.domains;
    const [script, ...args] = (options.text('resource-label-change-script') ?? '')
      .split(/\s+/)
      .filter((word) => word !== '');
    if (script === undefined) return;
    const path = script.startsWith('/') ? script : `${SCRIPTS}/${script}`;
    await environment.runScript(path, args, { label: fullLabel(entry), command, resource: entry.name });
  }

  // --- labels of domains

  #domain(key: string): XendDomainInfo {
    return this.#find(key, () => new XsmFault('Domain not found.'));
  }

  #vm(key: string): XendDomainInfo {
    return this.#find(key, () => new XendError(`A VM with the name ${key} does not exist.`));
  }

  #find(key: string, missing: () => XendError): XendDomainInfo {
    try {
      return this.domains.lookup(key);
    } catch (error) {
      throw error instanceof XendInvalidDomain ? missing() : error;
    }
  }

  async domainLabel(key: string): Promise<string | undefined> {
    const label = this.#security.labelOf(this.#domain(key));
    return label === undefined || parseFullLabel(label)?.label === UNLABELED ? undefined : label;
  }

  async setDomainLabel(key: string, policy: string, label: string): Promise<{ readonly isDormant: boolean }> {
    const domain = this.#domain(key);
    return refusable(this.domains.environment, { asked: 'relabel', who: domain.name }, () =>
      this.#setDomainLabel(domain, policy, label),
    );
  }

  #setDomainLabel(domain: XendDomainInfo, policy: string, label: string): { readonly isDormant: boolean } {
    const failed: Failed = (code, details, more = '') =>
      new XsmError(`An error occurred relabeling the domain: ${xserrText(code)}${more}`, details);
    this.#security.requireCurrent();
    if (!isActive(domain) && domain.powerState !== 'halted' && domain.powerState !== 'suspended')
      throw failed('VM_WRONG_STATE');
    const text = fullLabel({ type: 'ACM', policy, label });
    const files = this.#files;
    if (!isActive(domain)) {
      fileErrors(failed, () => commitChange({ files, labellings: [{ domain, label: text }] }));
      return { isDormant: true };
    }
    if (policy !== this.#security.policyName) throw failed('POLICY_NOT_LOADED');
    const { map } = this.#security.requireCurrent();
    if (!map.hasVmLabel(label)) throw failed('BAD_LABEL');
    const ssidref = map.ssidref(label, 'dom');
    if (domain.isPrivileged) this.#checkDom0(ssidref, failed);
    else this.#checkRelabel(domain, text, ssidref, failed);
    fileErrors(failed, () =>
      commitChange({
        files,
        labellings: domain.isPrivileged ? [] : [{ domain, label: text }],
        stage: (staged) => {
          if (domain.isPrivileged) new BootPolicy(staged).setSsidref(dom0Word(ssidref, text));
        },
        enforce: () => {
          const before = domain.info?.ssidref ?? 0;
          const { acm } = this.#security;
          const refusal = acm.relabel([[domain.domid, ssidref]]);
          if (refusal)
            throw failed('HV_OP_FAILED', pairsDetails(refusal), `. Hypervisor reported errors:${pairsText(refusal)}`);
          return () => void acm.relabel([[domain.domid, before]]);
        },
      }),
    );
    this.domains.refresh();
    return { isDormant: ssidref === 0 };
  }

  /** The new label must hold every type of the domains that run (Users' Manual, §10.2.7). */
  #checkDom0(ssidref: number, failed: Failed): void {
    const running = this.domains.list().filter(({ domid }) => domid !== 0);
    if (!running.every(({ info }) => this.#security.acm.authorization(ssidref, info?.ssidref ?? 0)))
      throw failed('HV_OP_FAILED');
  }

  /** Everything that the domain uses must stay within its reach, and Domain-0 authorised to run it. */
  #checkRelabel(domain: XendDomainInfo, label: string, ssidref: number, failed: Failed): void {
    const dom0 = this.domains.lookup('0').info?.ssidref ?? 0;
    if (!this.#security.acm.authorization(dom0, ssidref)) throw failed('VM_NOT_AUTHORIZED');
    if (!this.#security.files.hasResourceFile) return;
    try {
      for (const device of domain.config.devices) {
        if (isDisk(device)) this.#security.checkDevice({ ...domain.config, securityLabel: label }, device);
        else if (device.class === 'vif' && sxpText(device.sxp, 'security_label') !== undefined)
          this.#security.checkDevice({ ...domain.config, securityLabel: label }, device);
      }
    } catch (error) {
      if (error instanceof XendError) throw failed('BAD_LABEL');
      throw error;
    }
  }

  async removeDomainLabel(key: string): Promise<boolean> {
    const domain = this.#domain(key);
    if (domain.config.securityLabel === undefined && !domain.isPrivileged) return false;
    // A running domain keeps its label, though the tools say otherwise.
    if (!isActive(domain)) commitChange({ files: this.#files, labellings: [{ domain, label: undefined }] });
    return true;
  }

  async vifLabel(key: string, index: number): Promise<string | undefined> {
    return sxpText(this.#vif(this.#vm(key), index).sxp, 'security_label');
  }

  async setVifLabel(
    key: string,
    index: number,
    label: { readonly policy: string; readonly label: string } | undefined,
  ) {
    const domain = this.#vm(key);
    const vif = this.#vif(domain, index);
    if (isActive(domain)) {
      const question = {
        asked: 'relabel',
        who: `vif ${index} of ${domain.name}`,
        reason: `${domain.name} runs.`,
      } as const;
      throw reportRefusal(this.domains.environment, question, new XsmError(xserrText('RESOURCE_IN_USE')));
    }
    if (label) asFault(() => this.#requireLabel(label.policy, label.label, 'res', `vif ${index} of ${domain.name}`));
    const changed = withVifLabel(vif, label && fullLabel({ type: 'ACM', ...label }));
    const devices = domain.config.devices.map((device) => (device === vif ? changed : device));
    commitChange({ files: this.#files, labellings: [{ domain, label: domain.config.securityLabel, devices }] });
  }

  #vif(domain: XendDomainInfo, index: number): DeviceConfig {
    const vif = domain.config.devices.filter((device) => device.class === 'vif')[index];
    if (!vif) throw new XendError('Bad VIF index.');
    return vif;
  }

  async dryRun(name: string, label: string | undefined, unames: readonly string[]): Promise<DryRun> {
    if (!this.#security.isOn)
      return { domainProblem: label === undefined ? undefined : 'Security off, but domain labeled', resources: [] };
    const { map, file } = this.#security.requireCurrent();
    const isUnlabeledFine = file.policy.vmLabels.some(({ name }) => name === UNLABELED);
    if (label === undefined && !isUnlabeledFine) {
      const domainProblem = 'Domain not labeled';
      // As the two lines that xm prints of it.
      const text = `${name}: DENIED\n${domainProblem}`;
      this.domains.environment.onVerdict?.({ asked: 'start', who: name, isPermitted: false, text });
      return { domainProblem, resources: [] };
    }
    const ssidref = lookup(() => map.ssidref(parseFullLabel(label ?? '')?.label ?? UNLABELED, 'dom'));
    const resources = unames.map((uname) => {
      this.#named(() => normalResource(uname, this.#files, true));
      const { isPermitted, label: counts, policy } = this.#security.diskDecision(ssidref, uname);
      const verdict = { asked: 'disk', who: `a domain labelled ${label ?? UNLABELED}`, resource: uname } as const;
      const text = isPermitted ? undefined : `${uname}: DENIED`;
      this.domains.environment.onVerdict?.({ ...verdict, isPermitted, text });
      return { resource: uname, isPermitted, label: counts, policy };
    });
    return { domainProblem: undefined, resources };
  }

  // --- the older generation's commands

  get #older(): OlderPolicy {
    return new OlderPolicy(this.#security);
  }

  async makePolicy(name: string): Promise<void> {
    this.#older.make(name);
  }

  async loadPolicy(name: string): Promise<void> {
    this.#older.load(name);
  }

  async configureBootPolicy(name: string, title: string | undefined): Promise<string> {
    return this.#older.configureBoot(name, title);
  }

  async activatePolicy(): Promise<void> {
    this.#older.activate();
  }
}
