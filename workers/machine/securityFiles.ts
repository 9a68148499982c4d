/** What the security tools find on Domain-0's disk before anybody has used them. */
import { schemaText } from '../acm/policySchema';
import { dir, file, type RootTree } from '../guest/rootTree';

const POLICIES = '/etc/xen/acm-security/policies';

/** Directories of the policies, and the language that they are written in. */
export function securityFiles(): RootTree {
  return [
    dir('/etc/xen/acm-security'),
    dir(POLICIES),
    dir('/etc/xen/acm-security/scripts'),
    file(`${POLICIES}/security_policy.xsd`, schemaText()),
    dir('/var/lib/xend/security'),
    dir('/var/lib/xend/security/policies'),
  ];
}

/** xend's options with ACM as the security module. */
export function withAcm(xendConfig: string): string {
  return xendConfig.replace(/^#?\(xsm_module_name \w+\)$/m, '(xsm_module_name acm)');
}
