/** Disk strings of a configuration: `BACK,FRONT,MODE[,DOM[,PROTOCOL]]`. */
import type { Sxp } from '../lib/sxp';
import { XmError } from './command';

/** xmdomain.cfg(5) and xm(1) also write `ro` and `rw`. */
export function normalMode(mode: string): string {
  return mode === 'ro' ? 'r' : mode === 'rw' ? 'w' : mode;
}

/** Throws XmError when there are too few or too many fields; what they mean is xend's business. */
export function diskSxp(text: string): Sxp {
  const fields = text.split(',');
  if (fields.length < 3 || fields.length > 5) throw new XmError(`Invalid disk specifier: ${text}`, { usage: false });
  const [back, front, mode, backend, protocol] = fields;
  const device: Sxp[] = [
    back!.startsWith('tap:') ? 'tap' : 'vbd',
    ['uname', back!],
    ['dev', front!],
    ['mode', normalMode(mode!)],
  ];
  if (backend) device.push(['backend', backend]);
  if (protocol) device.push(['protocol', protocol]);
  return device;
}
