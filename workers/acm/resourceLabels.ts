/**
 * The file that says which label a disk, image or VLAN carries, and the names of such resources
 * (tools/python/xen/util/dictio.py and unify_resname in xsm/acm/acm.py, Xen 3.4).
 *
 * The file is the source text of a Python dictionary: name → (type, policy, label), or the older (policy, label).
 */
import type { FullLabel } from './policyUpdate';

export interface ResourceEntry extends FullLabel {
  /** As normalised when it was labelled. */
  readonly name: string;
}

const STRING = String.raw`(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")`;

/** Lines that are no entry are skipped. */
export function readResourceLabels(text: string): readonly ResourceEntry[] {
  const entry = new RegExp(`^\\s*${STRING}\\s*:\\s*\\(\\s*(.*?)\\s*,?\\s*\\)\\s*,?\\s*$`);
  return text.split('\n').flatMap((line) => {
    const match = entry.exec(line);
    if (!match) return [];
    const words = [...match[3]!.matchAll(new RegExp(STRING, 'g'))].map(([, single, double]) =>
      unescaped(single ?? double!),
    );
    const [type, policy, label] = words.length === 2 ? ['ACM', ...words] : words;
    if (type === undefined || policy === undefined || label === undefined) return [];
    return [{ name: unescaped(match[1] ?? match[2]!), type, policy, label }];
  });
}

export function writeResourceLabels(entries: readonly ResourceEntry[]): string {
  const lines = entries.map(
    ({ name, type, policy, label }) => `    ${quoted(name)}: (${quoted(type)}, ${quoted(policy)}, ${quoted(label)}),\n`,
  );
  return `resources = {\n${lines.join('')}}\n`;
}

const unescaped = (text: string) => text.replace(/\\(.)/g, '$1');

/** As Python shows a string: in single quotes, unless only double ones need no backslash. */
export function quoted(text: string): string {
  const escaped = text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
  if (!text.includes("'")) return `'${escaped}'`;
  return text.includes('"') ? `'${escaped.replaceAll("'", "\\'")}'` : `"${escaped}"`;
}

/** What names are checked against. */
export interface ResourceFiles {
  /** Absolute, without links and dots; the path itself, tidied, when there is nothing. */
  realPath(path: string): string;
  /** Undefined: nothing there. */
  kindOf(path: string): 'file' | 'block' | 'other' | undefined;
}

/** A name that no resource can have. */
export class ResourceNameError extends Error {
  override readonly name = 'ResourceNameError';
}

/** The one name of a resource. `mustExist`: there must be such a device or file. Throws ResourceNameError. */
export function normalResource(resource: string, files: ResourceFiles, mustExist = false): string {
  const at = resource.indexOf(':');
  if (at < 0) throw new ResourceNameError(`Resource spec '${resource}' contains no ':' delimiter`);
  const type = resource.slice(0, at);
  const rest = resource.slice(at + 1);
  const exists = (path: string, kind: 'file' | 'block') => {
    if (mustExist && files.kindOf(path) !== kind) throw new ResourceNameError('Invalid resource');
  };
  switch (type) {
    case 'vlan':
      return vlan(rest);
    case 'phy': {
      const path = rest.startsWith('/') ? rest : `/dev/${rest}`;
      if (!mustExist) return `phy:${path}`;
      const real = files.realPath(path);
      exists(real, 'block');
      return `phy:${real}`;
    }
    case 'file': {
      const real = absolute(rest, files);
      exists(real, 'file');
      return `file:${real}`;
    }
    case 'tap': {
      const parts = rest.split(':');
      if (parts.length !== 2) throw new ResourceNameError(`Resource spec '${resource}' contains no tap subtype`);
      const real = absolute(parts[1]!, files);
      exists(real, 'file');
      return `tap:${parts[0]}:${real}`;
    }
    case 'nbd':
      // The server's volume, which only the server can look for.
      if (!/^\S+ \d+$/.test(rest)) throw new ResourceNameError('Invalid resource.');
      return resource;
    default:
      throw new ResourceNameError('Invalid resource.');
  }
}

function vlan(text: string): string {
  if (!/^\d+$/.test(text)) throw new ResourceNameError(`Invalid VLAN : ${text}`);
  const id = Number(text);
  if (id < 1 || id > 4095) throw new ResourceNameError(`VLAN ID ${id} out of range.`);
  return `vlan:${id}`;
}

function absolute(path: string, files: ResourceFiles): string {
  if (!path.startsWith('/')) throw new ResourceNameError('Invalid resource.');
  return files.realPath(path);
}

/** Finds a resource under its own name or one that differs only by links. */
export function findResource(
  entries: readonly ResourceEntry[],
  resource: string,
  files: ResourceFiles,
): ResourceEntry | undefined {
  const wanted = normalResource(resource, files);
  return (
    entries.find(({ name }) => name === wanted) ??
    entries.find(({ name }) => {
      try {
        return normalResource(name, files) === wanted;
      } catch (error) {
        if (error instanceof ResourceNameError) return false;
        throw error;
      }
    })
  );
}
