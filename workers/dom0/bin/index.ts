/** What only Domain-0 has installed. */
import type { Program } from '../../guest/sys';
import { daemonProgram, operationProgram } from './operationProgram';
import { xenconsole } from './xenconsole';
import { type ConnectStore, xenstorePrograms } from './xenstore';

/** Where these are installed, unless it is /usr/sbin. */
export const TOOL_PATHS: Readonly<Record<string, string>> = {
  xenconsole: '/usr/lib/xen/bin/xenconsole',
  xend_daemon: '/usr/lib/xen/bin/xend_daemon',
  make: '/usr/bin/make',
  xenlink: '/usr/bin/xenlink',
};

/** `connect`: a connection to xenstored, when it runs. */
export function dom0Programs(connect: ConnectStore): readonly Program[] {
  return [
    operationProgram('xm', 'xm'),
    operationProgram('xend', 'xend'),
    operationProgram('make', 'make'),
    operationProgram('xenlink', 'xenlink'),
    operationProgram('xensec_ezpolicy', 'xensec_ezpolicy'),
    operationProgram('xensec_gen', 'xensec_gen'),
    daemonProgram('xend_daemon', 'xend_daemon'),
    daemonProgram('xenstored', 'xenstored'),
    daemonProgram('xenconsoled', 'xenconsoled'),
    xenconsole(connect),
    ...xenstorePrograms(connect),
  ];
}
