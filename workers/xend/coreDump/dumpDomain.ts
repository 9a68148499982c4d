/** The core file of a domain: where it stands, and what is said when it cannot be written. */
import { SysError } from '../../guest/sys';
import { errno, strerror, XenError } from '../../lib/errno';
import { withSink } from '../checkpoint/stateFile';
import type { XendDomainInfo } from '../domainInfo';
import { XendError, xcText } from '../errors';
import { dumpCore } from './dumpCore';

/** Writes processors and memory into a core file; one that cannot be finished keeps what there is of it beside. */
export async function dumpDomain(domain: XendDomainInfo, path = coreName(domain)): Promise<void> {
  const { environment, log, xc } = domain.host;
  const { files, store } = environment;
  if (files.list(path) !== undefined) throw new XendError(`Cannot dump core in a directory: ${path}`);
  const progress = `${domain.vmPath}/xend/dumpcore_in_progress`;
  store.write(progress, 'True');
  try {
    const warn = (lost: number) => log.warning('XendDomainInfo:1650', `exceeded nr_pages (${lost}) losing pages`);
    await withSink(environment, path, (sink) => dumpCore(xc, domain.domid, sink, warn));
  } catch (error) {
    const reason = coreFailure(error);
    if (files.kindOf(path) === 'file') files.rename(path, `${path}-incomplete`);
    log.error('XendDomainInfo:1660', `core dump failed: id = ${domain.domid} name = ${domain.name}: ${reason}`);
    throw new XendError(`Failed to dump core: ${reason}`, { cause: error });
  } finally {
    store.remove(progress);
  }
}

function coreName(domain: XendDomainInfo): string {
  const now = new Date(Math.floor(domain.host.environment.nowUnix()) * 1000).toISOString();
  const [year, month, day, hour, minute, second] = now.split(/\D/);
  return `/var/xen/dump/${year}-${month}${day}-${hour}${minute}.${second}-${domain.name}.${domain.domid}.core`;
}

/** Why a core file could not be finished, as Python shows libxc's error. Anything but a refusal goes on. */
function coreFailure(error: unknown): string {
  if (error instanceof XenError) return xcText(error);
  if (error instanceof SysError) return `(${errno[error.code]}, '${strerror[error.code]}')`;
  if (error instanceof XendError) return `(1, 'Internal error', '${error.message}')`;
  throw error;
}
