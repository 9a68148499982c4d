/** Addresses as the system calls take them. */
import { parseIp } from '../../lib/packet/addresses';
import { SysError } from '../sys';

/** SysError EINVAL for text that is no address. */
export function toIp(text: string): number {
  const value = parseIp(text);
  if (value === undefined) throw new SysError('EINVAL', text);
  return value;
}

/** The prefix that ifconfig assumes when none is given: by address class. */
export function classPrefix(address: number): number {
  const first = address >>> 24;
  return first < 128 ? 8 : first < 192 ? 16 : 24;
}
