/** The files that Domain-0 is installed from, read from the project's own folder. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { InstallFile } from '../../machine/install';

const shared = join(dirname(fileURLToPath(import.meta.url)), '../../../public');
const root = join(shared, 'dom0');

export function readDom0Files(): InstallFile[] {
  return [...filesBelow(root), ...policies()];
}

/** The example policies: `a.b.xml` is the policy a.b, whose file is a/b-security_policy.xml. */
function policies(folder = join(shared, 'policies')): InstallFile[] {
  return readdirSync(folder).map((name) => ({
    path: `/etc/xen/acm-security/policies/${name.replace(/\.xml$/, '').replaceAll('.', '/')}-security_policy.xml`,
    mode: 0o644,
    text: readFileSync(join(folder, name), 'utf8'),
  }));
}

function filesBelow(folder: string): InstallFile[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry): InstallFile[] => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return filesBelow(path);
    const isExecutable = (statSync(path).mode & 0o100) !== 0;
    return [{ path: `/${relative(root, path)}`, mode: isExecutable ? 0o755 : 0o644, text: readFileSync(path, 'utf8') }];
  });
}
