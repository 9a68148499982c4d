/** Where policies and labels stand in Domain-0's file system (tools/python/xen/util/acmpolicy.py, Xen 3.4). */

import { compilePolicy } from '../acm/policyBinary';
import { type MapFiles, PolicyMap, writeMap } from '../acm/policyMap';
import { PolicyError, type PolicyFile, readPolicy } from '../acm/policyXml';
import { type ResourceEntry, readResourceLabels, writeResourceLabels } from '../acm/resourceLabels';
import { xmlText } from '../acm/xmlTree';
import { sha1 } from '../lib/digest';
import type { XendFiles } from './environment';

/** What administrators write. */
export const POLICY_SOURCES = '/etc/xen/acm-security/policies';
const SECURITY = '/var/lib/xend/security';
const SUFFIX = '-security_policy.xml';

export class SecurityFiles {
  /** xend's own copies: what is in force, ready for look-ups. */
  readonly saved: string;

  constructor(
    readonly files: XendFiles,
    readonly securityPath: string | undefined,
  ) {
    this.saved = `${securityPath ?? SECURITY}/policies`;
  }

  /** The same places in other files, on trial for instance. */
  in(files: XendFiles): SecurityFiles {
    return new SecurityFiles(files, this.securityPath);
  }

  /** `a.b` is the policy a/b. */
  path(name: string, suffix: '.map' | '.bin' | typeof SUFFIX, directory = this.saved): string {
    return `${directory}/${name.replaceAll('.', '/')}${suffix}`;
  }

  #text(path: string): string | undefined {
    const bytes = this.files.read(path);
    return bytes && new TextDecoder().decode(bytes);
  }

  /** An administrator's file; undefined: there is none. */
  source(name: string): Uint8Array | undefined {
    return this.files.read(this.path(name, SUFFIX, POLICY_SOURCES));
  }

  binary(name: string, directory = this.saved): Uint8Array | undefined {
    return this.files.read(this.path(name, '.bin', directory));
  }

  /** xend's copy. Throws PolicyError when it is damaged. */
  savedPolicy(name: string): PolicyFile | undefined {
    const bytes = this.files.read(this.path(name, SUFFIX));
    return bytes && readPolicy(bytes);
  }

  /** The same when it is what a policy in force was made of. */
  savedWithHash(name: string, hash: Uint8Array): PolicyFile | undefined {
    try {
      const saved = this.savedPolicy(name);
      const ours = saved && sha1(new TextEncoder().encode(xmlText(saved.document)));
      return ours?.every((byte, i) => byte === hash[i]) ? saved : undefined;
    } catch (error) {
      if (!(error instanceof PolicyError)) throw error;
      return undefined;
    }
  }

  /** The map of a policy that was compiled once; undefined: it never was. Throws LookupError. */
  map(name: string): PolicyMap | undefined {
    const text = this.#text(this.path(name, '.map')) ?? this.#text(this.path(name, '.map', POLICY_SOURCES));
    return text === undefined ? undefined : new PolicyMap(text);
  }

  /** Writes XML, map and binary where xend looks for them, and the latter two beside the administrator's file. */
  save(file: PolicyFile, alsoBesideSource: boolean): void {
    const { name } = file.policy;
    const binary = compilePolicy(file);
    this.files.write(this.path(name, SUFFIX), xmlText(file.document));
    for (const directory of alsoBesideSource ? [this.saved, POLICY_SOURCES] : [this.saved]) {
      this.files.write(this.path(name, '.bin', directory), binary);
      this.files.write(this.path(name, '.map', directory), writeMap(file.policy, this.mapFiles(name, directory)));
    }
  }

  mapFiles(name: string, directory = this.saved): MapFiles {
    const binary = this.path(name, '.bin', directory);
    const at = binary.lastIndexOf('/');
    // The original writes the last separator twice.
    return { policy: this.path(name, SUFFIX, directory), binary: `${binary.slice(0, at)}/${binary.slice(at)}` };
  }

  get #resourceFile(): string {
    return `${this.saved}/resource_labels`;
  }

  get hasResourceFile(): boolean {
    return this.files.exists(this.#resourceFile);
  }

  resources(): readonly ResourceEntry[] {
    return readResourceLabels(this.#text(this.#resourceFile) ?? '');
  }

  writeResources(entries: readonly ResourceEntry[]): void {
    this.files.write(this.#resourceFile, writeResourceLabels(entries));
  }
}
