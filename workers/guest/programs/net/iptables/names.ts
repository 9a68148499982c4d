/** Numbers, addresses, protocols and services as iptables reads and writes them. */
import { ipText, maskOf, parseIp, prefixOf } from '../../../../lib/packet/addresses';
import type { AddressMatch, DeviceMatch } from '../../../netfilter';
import { type Sys, SysError } from '../../../sys';
import { Complaint } from './complaint';

const PROTOCOLS: readonly (readonly [string, number])[] = [
  ['tcp', 6],
  ['udp', 17],
  ['icmp', 1],
  ['esp', 50],
  ['ah', 51],
  ['sctp', 132],
  ['all', 0],
];

/** Decimal, octal with a leading 0, or hexadecimal, as strtoul(3) reads it; undefined when it is none or out of range. */
export function parseNumber(text: string, min: number, max: number): number | undefined {
  const base = /^0x[0-9a-f]+$/i.test(text) ? 16 : /^0[0-7]+$/.test(text) ? 8 : /^\d+$/.test(text) ? 10 : undefined;
  if (base === undefined) return undefined;
  const value = Number.parseInt(text, base);
  return value >= min && value <= max ? value : undefined;
}

export function parseProtocol(text: string): number {
  const value = parseNumber(text, 0, 255) ?? PROTOCOLS.find(([name]) => name === text)?.[1];
  if (value === undefined) throw new Complaint(`unknown protocol \`${text}' specified`);
  return value;
}

export function protocolName(protocol: number): string | undefined {
  return PROTOCOLS.find(([, number]) => number === protocol)?.[0];
}

const INTERFACE_NAME = 15;

export function parseDevice(sys: Sys, text: string, isInverted: boolean): DeviceMatch {
  if (text.length > INTERFACE_NAME)
    throw new Complaint(`interface name \`${text}' must be shorter than IFNAMSIZ (${INTERFACE_NAME})`);
  if (/[:!*]/.test(text) && !text.endsWith('+'))
    sys.print(`Warning: wierd character in interface \`${text}' (No aliases, :, ! or *).\n`);
  return { name: text, isInverted };
}

/** `ADDRESS`, `ADDRESS/BITS`, `ADDRESS/MASK` or a name; without the last bytes it is a network. */
export function parseAddress(sys: Sys, text: string, isInverted: boolean): AddressMatch {
  const slash = text.lastIndexOf('/');
  const mask = slash < 0 ? 0xffff_ffff : parseMask(text.slice(slash + 1));
  const host = slash < 0 ? text : text.slice(0, slash);
  // Any address of a network that is everything.
  const address = mask === 0 ? 0 : addressOf(sys, host);
  return { address: (address & mask) >>> 0, mask, isInverted };
}

function parseMask(text: string): number {
  const dotted = parseIp(text);
  if (dotted !== undefined) return dotted;
  const bits = parseNumber(text, 0, 32);
  if (bits === undefined) throw new Complaint(`invalid mask \`${text}' specified`);
  return maskOf(bits);
}

function addressOf(sys: Sys, host: string): number {
  const parts = host.split('.');
  const full = /^[\d.]+$/.test(host) && parts.length < 4 ? [...parts, '0', '0', '0'].slice(0, 4).join('.') : host;
  const address = parseIp(full) ?? parseIp(sys.net.resolve(host) ?? '');
  if (address === undefined) throw new Complaint(`host/network \`${host}' not found`);
  return address;
}

export function maskText(mask: number): string {
  if (mask === 0xffff_ffff) return '';
  return `/${prefixOf(mask) ?? ipText(mask)}`;
}

const lines = (sys: Sys, path: string): readonly (readonly string[])[] => {
  try {
    const text = sys.readText(path);
    return text.split('\n').map((line) => line.replace(/#.*/, '').trim().split(/\s+/));
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    return [];
  }
};

/** Its name in /etc/hosts. */
export function hostName(sys: Sys, address: number): string | undefined {
  return lines(sys, '/etc/hosts').find(([first = '']) => parseIp(first) === address)?.[1];
}

/** A port by number or by its name in /etc/services. */
export function parsePort(sys: Sys, text: string, protocol: string): number {
  const number = parseNumber(text, 0, 65535);
  if (number !== undefined) return number;
  const service = lines(sys, '/etc/services').find(
    ([name, port = '', ...aliases]) => port.endsWith(`/${protocol}`) && (name === text || aliases.includes(text)),
  );
  if (!service) throw new Complaint(`invalid port/service \`${text}' specified`);
  return Number.parseInt(service[1]!, 10);
}

export function serviceName(sys: Sys, port: number, protocol: string): string | undefined {
  return lines(sys, '/etc/services').find(([, wanted]) => wanted === `${port}/${protocol}`)?.[0];
}
