/**
 * xend's own options: s-expressions at the top level of /etc/xen/xend-config.sxp (xend/XendOptions.py in Xen 3.4).
 */
import { parseSxp, printSxp, type Sxp, SxpError, sxpName } from '../lib/sxp';
import { XendError } from './errors';

export const XEND_CONFIG = '/etc/xen/xend-config.sxp';

type OptionType = 'text' | 'bool' | 'int';

/** Options with their built-in defaults, in alphabetical order. */
const KNOWN: readonly (readonly [name: string, type: OptionType, fallback: string])[] = [
  ['console-limit', 'int', '1024'],
  ['dom0-cpus', 'int', '0'],
  ['dom0-min-mem', 'int', '0'],
  ['enable-dom0-ballooning', 'bool', ''],
  ['enable-dump', 'bool', 'no'],
  ['external-migration-tool', 'text', ''],
  ['keymap', 'text', ''],
  ['logfile', 'text', '/var/log/xen/xend.log'],
  ['loglevel', 'text', 'DEBUG'],
  ['network-script', 'text', ''],
  ['qemu-dm-logrotate-count', 'int', '10'],
  ['resource-label-change-script', 'text', ''],
  ['vif-script', 'text', 'vif-bridge'],
  ['vnc-listen', 'text', '127.0.0.1'],
  ['vncpasswd', 'text', ''],
  ['xend-address', 'text', ''],
  ['xend-domains-path', 'text', '/var/lib/xend/domains'],
  ['xend-http-server', 'bool', 'no'],
  ['xend-port', 'int', '8000'],
  ['xend-relocation-address', 'text', ''],
  ['xend-relocation-hosts-allow', 'text', ''],
  ['xend-relocation-port', 'int', '8002'],
  ['xend-relocation-server', 'bool', 'no'],
  ['xend-state-path', 'text', '/var/lib/xend/state'],
  ['xend-tcp-xmlrpc-server', 'bool', 'no'],
  ['xend-unix-path', 'text', '/var/lib/xend/xend-socket'],
  ['xend-unix-server', 'bool', 'no'],
  ['xend-unix-xmlrpc-server', 'bool', 'yes'],
  ['xsm_module_name', 'text', 'dummy'],
];

export class XendOptions {
  readonly #values = new Map<string, string>();

  /** `text`: the file's content. Throws XendError when it is not s-expressions. */
  constructor(text = '') {
    let expressions: readonly Sxp[];
    try {
      expressions = parseSxp(text);
    } catch (error) {
      if (!(error instanceof SxpError)) throw error;
      throw new XendError(`invalid xend config: line ${error.line}: ${error.message}`);
    }
    for (const sxp of expressions) {
      const name = sxpName(sxp);
      if (name === undefined || this.#values.has(name)) continue;
      const value = sxp[1];
      this.#values.set(name, value === undefined ? '' : typeof value === 'string' ? value : printSxp(value));
    }
    for (const [name, type] of KNOWN) {
      if (type === 'bool' && this.#values.has(name)) this.bool(name);
      if (type === 'int' && this.#values.has(name)) this.int(name);
    }
  }

  /** The value as text, or the built-in default; undefined for an option that is neither set nor known. */
  text(name: string): string | undefined {
    return this.#values.get(name) ?? KNOWN.find(([known]) => known === name)?.[2];
  }

  bool(name: string): boolean {
    const value = (this.text(name) ?? '').toLowerCase();
    if (['yes', 'y', '1', 'on', 'true', 't'].includes(value)) return true;
    if (['no', 'n', '0', 'off', 'false', 'f', ''].includes(value)) return false;
    throw new XendError(`invalid xend config ${name}: expected bool: ${this.text(name)}`);
  }

  int(name: string): number {
    const value = this.text(name) ?? '';
    if (!/^\s*[+-]?\d+\s*$/.test(value)) throw new XendError(`invalid xend config ${name}: expected int: ${value}`);
    return Number(value);
  }

  /** Domain-0 may shrink for new domains: as set, else yes when a floor is given. */
  get dom0Ballooning(): boolean {
    return this.#values.has('enable-dom0-ballooning') ? this.bool('enable-dom0-ballooning') : this.dom0MinMemMiB > 0;
  }

  get dom0MinMemMiB(): number {
    return this.int('dom0-min-mem');
  }

  /** Every known option with its value in effect, by name. */
  entries(): readonly (readonly [string, string])[] {
    return KNOWN.map(([name]) => [
      name,
      name === 'enable-dom0-ballooning' ? (this.dom0Ballooning ? 'yes' : 'no') : this.text(name)!,
    ]);
  }
}
