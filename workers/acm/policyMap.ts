/**
 * The map file of a policy: which number stands for which name. The tools look labels up in it, not in the XML
 * (tools/python/xen/util/xsm/acm/acm.py, Xen 3.4).
 */
import { numberPolicy, ssidref as pair } from './numbering';
import { componentsOf } from './policyBinary';
import { type AcmPolicy, byCodePoint, NULL_LABEL, UNLABELED } from './policyModel';
import { XsError } from './xserr';

export interface MapFiles {
  /** Path of the XML. */
  readonly policy: string;
  readonly binary: string;
}

const hex8 = (value: number) => value.toString(16).padStart(8, '0');
const heading = (name: string, value: string) => `${name.padEnd(23)}${value}\n`;

export function writeMap(policy: AcmPolicy, files: MapFiles): string {
  const numbered = numberPolicy(policy);
  const components = componentsOf(policy);
  const { vmLabels, resourceLabels, chwallTypes, steTypes } = numbered;
  const steRows = vmLabels.length + resourceLabels.length;
  const isDefined = policy.vmLabels.some(({ name }) => name === UNLABELED);
  const vms = [isDefined ? UNLABELED : NULL_LABEL, ...vmLabels.slice(1)];

  let out = heading('POLICYREFERENCENAME', policy.name) + heading('MAGIC', '0001debc');
  out += heading('POLICFILE', files.policy) + heading('BINARYFILE', files.binary);
  out += heading('MAX-CHWALL-TYPES', hex8(chwallTypes.length)) + heading('MAX-CHWALL-SSIDS', hex8(vmLabels.length));
  out += heading('MAX-CHWALL-LABELS', hex8(vmLabels.length)) + heading('MAX-STE-TYPES', hex8(steTypes.length));
  out += `${heading('MAX-STE-SSIDS', hex8(steRows)) + heading('MAX-STE-LABELS', hex8(steRows))}\n`;
  if (components === 'both') out += `${heading('PRIMARY', 'CHWALL')}${heading('SECONDARY', 'STE')}\n`;
  else out += `${heading('PRIMARY', components === 'ste' ? 'STE' : 'CHWALL')}SECONDARY             NULL\n\n`;

  const label = (kind: string, part: string, name: string, index: string) =>
    `LABEL->SSID ${kind} ${part.padEnd(6)} ${name.padEnd(20)} ${index}\n`;
  if (components !== 'ste') {
    vms.forEach((name, row) => {
      out += label(row === 0 ? 'ANY' : 'VM ', 'CHWALL', name, row.toString(16));
    });
    out += '\n';
  }
  if (components !== 'chwall') {
    vms.forEach((name, row) => {
      out += label(row === 0 ? 'ANY' : 'VM ', 'STE', name, row === 0 ? hex8(0) : row.toString(16));
    });
    resourceLabels.forEach((name, i) => {
      out += label('RES', 'STE', name, (vmLabels.length + i).toString(16));
    });
    out += '\n';
  }
  const byName = new Map(policy.vmLabels.map((each) => [each.name, each]));
  const types = (part: string, row: number, names: readonly string[]) =>
    `SSID->TYPE ${part.padEnd(11)} ${hex8(row)}${names.map((name) => ` ${name}`).join('')}\n`;
  if (components !== 'ste') {
    // Row 0 lists no types, whatever it holds.
    vmLabels.forEach((name, row) => {
      out += types('CHWALL', row, row === 0 ? [] : (byName.get(name)?.chwall ?? []));
    });
    out += '\n';
  }
  if (components !== 'chwall') {
    const resources = new Map(policy.resourceLabels.map((each) => [each.name, each]));
    vmLabels.forEach((name, row) => {
      out += types('STE', row, row === 0 ? [] : (byName.get(name)?.ste ?? []));
    });
    resourceLabels.forEach((name, i) => {
      out += types('STE', vmLabels.length + i, [resources.get(name)!.ste]);
    });
    out += '\n';
  }
  const columns = (part: string, names: readonly string[]) =>
    `${names.map((name, column) => `TYPE ${part.padEnd(18)}${name.padEnd(20)} ${column}\n`).join('')}\n`;
  if (components !== 'ste') out += columns('CHWALL', chwallTypes);
  if (components !== 'chwall') out += columns('STE', steTypes);
  return `${out}\n`;
}

export type LabelKind = 'dom' | 'res' | 'any';

interface MapEntry {
  readonly kind: string;
  readonly part: string;
  readonly name: string;
  readonly index: number;
}

/** A map file's content, for look-ups. */
export class PolicyMap {
  readonly policyName: string;
  readonly primary: string;
  readonly secondary: string;
  readonly #entries: readonly MapEntry[];

  /** Throws XsError GENERAL_FAILURE with the tools' text when the file is damaged. */
  constructor(text: string) {
    const lines = text.split('\n').map((line) => line.split(/\s+/).filter((word) => word !== ''));
    const value = (name: string) => lines.find(([first]) => first === name)?.[1];
    const [name, primary, secondary] = [value('POLICYREFERENCENAME'), value('PRIMARY'), value('SECONDARY')];
    if (name === undefined || primary === undefined || secondary === undefined)
      throw new LookupError('Mapping file inconsistencies found.');
    this.policyName = name;
    this.primary = primary;
    this.secondary = secondary;
    this.#entries = lines.flatMap((words) => {
      const [what, kind, part, label, index] = words;
      if (words.length !== 5 || what !== 'LABEL->SSID') return [];
      return [{ kind: kind!, part: part!, name: label!, index: Number.parseInt(index!, 16) }];
    });
  }

  /** The reference of a domain's or a resource's label. Throws LookupError. */
  ssidref(label: string, kind: 'dom' | 'res'): number {
    const wanted = kind === 'dom' ? ['ANY', 'VM'] : ['ANY', 'RES'];
    const index = (part: string): number => {
      const found = this.#entries.filter(
        (entry) => entry.part === part && entry.name === label && wanted.includes(entry.kind),
      );
      if (found.length > 1) throw new LookupError(`Label '${label}' not unique in policy (policy error)`);
      if (found.length === 1) return found[0]!.index;
      if (kind === 'res' && part === 'CHWALL') return 0;
      throw new LookupError(`Label '${label}' not found.`);
    };
    const primary = index(this.primary);
    if (this.secondary === 'NULL') return primary;
    const secondary = index(this.secondary);
    return this.primary === 'CHWALL' ? pair(secondary, primary) : pair(primary, secondary);
  }

  /** The label of a reference. Throws LookupError. */
  label(ref: number): string {
    if (ref === 0) return UNLABELED;
    const chwall = ref & 0xffff;
    const ste = ref >>> 16;
    const names = (part: string, index: number) =>
      this.#entries.filter((entry) => entry.part === part && entry.index === index).map(({ name }) => name);
    const inSte = names('STE', ste);
    const inChwall = names('CHWALL', chwall);
    const found =
      this.secondary === 'NULL'
        ? this.primary === 'CHWALL'
          ? inChwall
          : inSte
        : chwall === 0 && ste !== 0
          ? inSte
          : inSte.filter((name) => inChwall.includes(name));
    if (found.length !== 1)
      throw new LookupError(`Label for ssidref '${ref}' unknown or not unique in policy '${this.policyName}'`);
    return found[0]!;
  }

  /** Names of the labels, each once, by code point. */
  labels(kind: LabelKind): readonly string[] {
    const wanted = { dom: ['ANY', 'VM'], res: ['RES'], any: ['ANY', 'VM', 'RES'] }[kind];
    const names = this.#entries.filter((entry) => wanted.includes(entry.kind)).map(({ name }) => name);
    return [...new Set(names)].filter((name) => name !== NULL_LABEL).sort(byCodePoint);
  }

  hasVmLabel(label: string): boolean {
    return this.labels('dom').includes(label);
  }
}

/** A name or number that the map does not know; the message is what the operator reads. */
export class LookupError extends XsError {
  constructor(readonly text: string) {
    super('BAD_LABEL', text);
    this.message = text;
  }
}
