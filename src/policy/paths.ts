/** Where policies stand in Domain-0; a dot in a policy's name is a directory. */
import type { LabApi } from '../../workers/contract';

export const POLICIES = '/etc/xen/acm-security/policies';
const SUFFIX = '-security_policy.xml';

export function sourcePath(name: string): string {
  return `${POLICIES}/${name.replaceAll('.', '/')}${SUFFIX}`;
}

/** As `xm setpolicy ACM` takes it. */
export function policyName(path: string): string {
  const below = path.startsWith(`${POLICIES}/`)
    ? path.slice(POLICIES.length + 1)
    : path.slice(path.lastIndexOf('/') + 1);
  return below.replace(SUFFIX, '').replaceAll('/', '.');
}

export function assertionsPath(path: string): string {
  return path.endsWith(SUFFIX) ? `${path.slice(0, -SUFFIX.length)}-assertions.txt` : `${path}.assertions`;
}

const MAX_DEPTH = 4;

/** Paths of the policies that an administrator has written. */
export async function listPolicies(api: LabApi, directory = POLICIES, depth = 0): Promise<readonly string[]> {
  const result = await api.listFiles(directory);
  if (!result.ok || depth > MAX_DEPTH) return [];
  const found = await Promise.all(
    result.value.map(async ({ name, kind }): Promise<readonly string[]> => {
      if (kind === 'dir') return listPolicies(api, `${directory}/${name}`, depth + 1);
      return name.endsWith(SUFFIX) ? [`${directory}/${name}`] : [];
    }),
  );
  return found.flat().sort();
}
