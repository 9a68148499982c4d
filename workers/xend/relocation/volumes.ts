/**
 * Which disks may migrate: those on a volume that the destination sees as well. A migration does not copy storage
 * (Users' Manual, *Migration*): the configuration goes over as it is, so the same words must mean the same volume there.
 *
 * Differs from Xen 3.4, where the manual warns and nothing checks.
 */

import { type Sxp, sxpChildren, sxpText } from '../../lib/sxp';
import type { XendDomainInfo } from '../domainInfo';
import type { XendEnvironment } from '../environment';
import { XendError } from '../errors';

/** Of network block devices. */
const NBD_MAJOR = 43;
/** What the configuration says besides: `(volumes (volume (uname UNAME) (server ADDRESS:PORT)) …)`. */
const SECTION = 'volumes';

/** Throws XendError for a disk that the destination cannot see. */
export function volumesOf(domain: XendDomainInfo): Sxp {
  const { environment, controllers } = domain.host;
  const volumes: Sxp[] = [];
  for (const { class: className, sxp } of domain.config.devices) {
    const uname = className === 'vbd' || className === 'tap' ? sxpText(sxp, 'uname') : undefined;
    if (uname === undefined) continue;
    const controller = controllers.find(({ device }) => device.class === className)!;
    const devid = controller.resolveId(domain, sxpText(sxp, 'dev') ?? '');
    const backend = controller.backendPath(domain, devid);
    const number = physicalDevice(environment.store.read(`${backend}/physical-device`));
    const server = number === undefined ? undefined : environment.volumeServer(number);
    if (server === undefined && number !== undefined && number >> 8 === NBD_MAJOR)
      throw new XendError(`Device of type '${className}' refuses migration: ${uname} has lost its server.`);
    // A server on the loopback interface is another one on every host.
    if (server === undefined || server.startsWith('127.'))
      throw new XendError(`Device of type '${className}' refuses migration: ${uname} is a disk of this host alone.`);
    volumes.push(['volume', ['uname', uname], ['server', server]]);
  }
  return [SECTION, ...volumes];
}

/** `2b:0` → 43 · 256 + 0. */
function physicalDevice(text: string | undefined): number | undefined {
  const [, major, minor] = /^([0-9a-f]+):([0-9a-f]+)$/i.exec(text ?? '') ?? [];
  return major === undefined ? undefined : Number.parseInt(major, 16) * 256 + Number.parseInt(minor!, 16);
}

/** At the destination, before anything else arrives: throws XendError when the words mean something else here. */
export function checkVolumes(environment: XendEnvironment, config: Sxp): void {
  for (const section of sxpChildren(config, SECTION)) {
    for (const volume of sxpChildren(section, 'volume')) {
      const uname = sxpText(volume, 'uname') ?? '';
      const here = serverHere(environment, uname);
      const there = sxpText(volume, 'server');
      if (here !== there)
        throw new XendError(`${uname} is another volume here: it is at ${here}, the domain's is at ${there}.`);
    }
  }
}

function serverHere(environment: XendEnvironment, uname: string): string {
  const [, host, port] = /^nbd:(\S+) (\d+)$/.exec(uname) ?? [];
  if (host !== undefined) {
    const address = environment.network.resolve(host);
    if (address === undefined) throw new XendError(`${uname}: host ${host} is not known here.`);
    return `${address}:${port}`;
  }
  const name = uname.replace(/^phy:/, '');
  const path = name.startsWith('/') ? name : `/dev/${name}`;
  const number = environment.files.deviceNumber(path);
  if (number === undefined) throw new XendError(`Device ${path} does not exist.`);
  const server = environment.volumeServer(number);
  if (server === undefined) throw new XendError(`${path} is not connected to a server.`);
  return server;
}
