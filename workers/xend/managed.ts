/**
 * Managed domains: configurations that xend keeps, whether the domain runs or not (`xm new`;
 * tools/python/xen/xend/XendDomain.py in Xen 3.4). Each is a file config.sxp in a directory named by the domain's uuid.
 */
import { parseSxp, prettyPrint, type Sxp, SxpError } from '../lib/sxp';
import { domainSxp } from './configSxp';
import { type ConfigContext, type DomainConfig, parseDomainConfig } from './domainConfig';
import type { XendFiles } from './environment';
import { textOf, XendError } from './errors';
import type { XendLog } from './log';

export class ManagedStore {
  constructor(
    readonly files: XendFiles,
    readonly directory: string,
    readonly context: ConfigContext,
    readonly log: XendLog,
  ) {}

  /** Every configuration; one that cannot be read is left out, with a line in the log. */
  load(): readonly DomainConfig[] {
    return (this.files.list(this.directory) ?? []).flatMap((uuid) => {
      const bytes = this.files.read(`${this.directory}/${uuid}/config.sxp`);
      if (!bytes) return [];
      try {
        const [sxp] = parseSxp(new TextDecoder().decode(bytes));
        return [parseDomainConfig(sxp ?? '', this.context)];
      } catch (error) {
        if (!(error instanceof XendError || error instanceof SxpError)) throw error;
        this.log.error('XendDomain:310', `Unable to open or parse config.sxp: ${uuid}: ${textOf(error)}`);
        return [];
      }
    });
  }

  save(config: DomainConfig, files = this.files): void {
    files.write(`${this.directory}/${config.uuid}/config.sxp`, `${prettyPrint(keptSxp(config))}\n`);
  }

  /** Where a suspended domain's state lies. */
  checkpoint(uuid: string): string {
    return `${this.directory}/${uuid}/checkpoint.chk`;
  }

  remove(uuid: string): void {
    this.files.remove(this.checkpoint(uuid));
    this.files.remove(`${this.directory}/${uuid}/config.sxp`);
    this.files.remove(`${this.directory}/${uuid}`);
  }
}

/** A configuration with everything that a domain is made from again. */
export function keptSxp(config: DomainConfig): readonly Sxp[] {
  return [
    ...domainSxp(config, undefined, 0),
    ['vcpu_avail', String(config.vcpuAvail)],
    ['cpu_weight', String(config.weight)],
    ['cpu_cap', String(config.cap)],
    ...config.backends.map((kind): Sxp => ['backend', [kind]]),
  ];
}
