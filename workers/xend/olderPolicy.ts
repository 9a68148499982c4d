/**
 * How policies were handled before setpolicy, step by step: build the binary, load it, have it loaded at boot
 * (tools/python/xen/xm/makepolicy.py, loadpolicy.py, cfgbootpolicy.py in Xen 3.0.3 to 3.1).
 */
import { BinaryPolicyError, decodePolicy } from '../acm/policyBinary';
import { DEFAULT_POLICY_NAME } from '../acm/policyModel';
import { checkPolicy } from '../acm/policyRules';
import { PolicyError, readPolicy } from '../acm/policyXml';
import { XendError, XsmError } from './errors';
import type { XendSecurity } from './security';
import { refuseReservedName } from './securityChange';
import { commitChange } from './securityCommit';
import { POLICY_SOURCES } from './securityFiles';

export class OlderPolicy {
  constructor(private readonly security: XendSecurity) {}

  /** Compiles a policy without putting it in force. Throws XendError. */
  make(name: string): void {
    const { files, host } = this.security;
    const source = files.source(name);
    if (!source) throw new XendError(`Unknown policy '${name}'`);
    try {
      const file = readPolicy(source);
      refuseReservedName(file);
      checkPolicy(file.policy);
      if (file.policy.name !== name)
        throw new XendError(`Creating policy failed:\nthe policy in the file is named ${file.policy.name}`);
      commitChange({
        files: host.environment.files,
        labellings: [],
        stage: (staged) => files.in(staged).save(file, true),
      });
    } catch (error) {
      if (!(error instanceof PolicyError)) throw error;
      const lines = error.problems.map(({ message, place }) => `line ${place.line}: ${message}`);
      throw new XendError(`Creating policy failed:\n${lines.join('\n')}`);
    }
  }

  /** Puts a compiled policy in force, not for the next boot. Throws XendError. */
  load(name: string): void {
    const { files, policyName: active, host } = this.security;
    if (!files.source(name) && !files.binary(name)) throw new XendError(`Unknown Policy ${name}`);
    const binary = files.binary(name, POLICY_SOURCES);
    if (!binary) throw new XendError('Binary file does not exist.Please use makepolicy to build the policy binary.');
    if (active !== DEFAULT_POLICY_NAME && active !== name)
      throw new XendError(`Active policy '${active}' incompatible with new policy '${name}'`);
    const source = host.environment.files.read(files.path(name, '-security_policy.xml'));
    if (!source) throw new XendError(`Unknown Policy ${name}`);
    try {
      decodePolicy(binary);
      this.security.setPolicy(source, { isReload: true, forBoot: false });
    } catch (error) {
      if (error instanceof BinaryPolicyError) throw new XendError(`Loading policy failed:\n${error.message}`);
      if (error instanceof XsmError) throw new XendError(`Loading policy failed:\n${error.text}`);
      throw error;
    }
  }

  /** Has a boot entry load a compiled policy; answers its title. Throws XendError. */
  configureBoot(name: string, title: string | undefined): string {
    const { files, boot } = this.security;
    if (!/^[A-Za-z0-9_.-]+$/.test(name)) throw new XendError(`Illegal policy name: '${name}'`);
    if (!files.source(name)) throw new XendError(`Unknown policy '${name}'`);
    const binary = files.binary(name, POLICY_SOURCES);
    if (!binary)
      throw new XendError(`Cannot find binary file for policy '${name}'. Please use makepolicy to create binary file.`);
    const found = boot.installInto(title, name, binary);
    if (typeof found === 'string') return found;
    if (found.length === 0) throw new XendError('Boot entry not found. Please specify unique part of the boot title.');
    const list = found.map((each) => `'${each}'`).join(', ');
    throw new XendError(`Following boot entries matched: [${list}]. \nPlease specify unique part of the boot title.`);
  }

  /** The default boot entry loads the policy in force. Throws XsmError. */
  activate(): void {
    const { files, boot } = this.security;
    const { name } = this.security.requireCurrent().file.policy;
    const binary = files.binary(name);
    if (name === DEFAULT_POLICY_NAME || !binary) throw new XsmError(`'${name}' policy. Nothing to activate.`);
    boot.install(name, binary);
  }
}
