/** Assertions inside a policy file: a comment behind the root element, in which two hyphens may not stand. */

const MARK = 'policy assertions';

export function embed(xml: string, assertions: string): string {
  const bare = extract(xml).xml.trimEnd();
  if (assertions.trim() === '') return `${bare}\n`;
  const body = assertions
    .trim()
    .replaceAll('\\', '\\\\')
    .replace(/-(?=-)|-$/gm, '-\\');
  return `${bare}\n<!-- ${MARK}\n${body}\n-->\n`;
}

/** A policy file taken apart again. */
export function extract(xml: string): { readonly xml: string; readonly assertions: string } {
  const match = new RegExp(`\\n?<!-- ${MARK}\\n([\\s\\S]*?)\\n-->\\n?`).exec(xml);
  if (!match) return { xml, assertions: '' };
  const assertions = match[1]!.replace(/\\(\\?)/g, '$1');
  return { xml: `${xml.slice(0, match.index)}\n${xml.slice(match.index + match[0].length)}`, assertions };
}
