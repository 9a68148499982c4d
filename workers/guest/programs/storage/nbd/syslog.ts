/** What daemons say when nobody looks: a line in /var/log/messages. */

import type { Sys } from '../../../sys';
import { formatDate } from '../../dates';
import { quietly } from '../../options';

export function syslog(sys: Sys, tag: string, text: string): void {
  const host = sys.uname().nodename.split('.')[0];
  const line = `${formatDate('%b %e %H:%M:%S', sys.wallClock)} ${host} ${tag}[${sys.pid}]: ${text}\n`;
  // A full disk is no reason to stop serving.
  quietly(() => sys.writeFile('/var/log/messages', line, { append: true, mode: 0o600 }));
}
