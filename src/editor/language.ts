/** Which language a file is in, from its path and, where that says nothing, from its text. */

export type LanguageId = 'xmcfg' | 'sxp' | 'shell' | 'xml' | 'plaintext';

export function languageOf(path: string, text: string): LanguageId {
  if (path.endsWith('.xml') || /^\s*<\?xml/.test(text)) return 'xml';
  if (path.endsWith('.sxp')) return 'sxp';
  if (/^#!.*\b(ba|da)?sh\b/.test(text) || path.endsWith('.sh') || path.startsWith('/etc/init.d/')) return 'shell';
  if (path.startsWith('/etc/xen/scripts/') || path.startsWith('/etc/sysconfig/')) return 'shell';
  if (/\.log(\.\d+)?$/.test(path) || path.startsWith('/var/log/')) return 'plaintext';
  if (/^\s*\((vm|domain)\b/.test(text)) return 'sxp';
  if (/^\/etc\/xen\/(auto\/)?[^/]+$/.test(path) && !/\.(conf|bak)$/.test(path)) return 'xmcfg';
  if (looksLikeConfig(text)) return 'xmcfg';
  return 'plaintext';
}

/** Two assignments of a domain's own variables are no coincidence. */
function looksLikeConfig(text: string): boolean {
  const names = text.match(/^(kernel|memory|name|vif|disk|root|vcpus|builder)\s*=/gm) ?? [];
  return new Set(names).size >= 2;
}
