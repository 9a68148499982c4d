/** Ethernet and IPv4 addresses as text, numbers and bytes. */

/** `aa:bb:cc:dd:ee:ff` → 6 bytes; undefined when it is not such an address. */
export function parseMac(text: string): Uint8Array | undefined {
  const parts = text.split(':');
  if (parts.length !== 6 || !parts.every((part) => /^[0-9a-fA-F]{1,2}$/.test(part))) return undefined;
  return Uint8Array.from(parts, (part) => Number.parseInt(part, 16));
}

export function macText(bytes: Uint8Array, at = 0): string {
  let text = '';
  for (let i = 0; i < 6; i++) text += (i ? ':' : '') + (bytes[at + i]! + 0x100).toString(16).slice(1);
  return text;
}

export const BROADCAST_MAC = 'ff:ff:ff:ff:ff:ff';

/** `192.0.2.1` → 32-bit number; undefined when it is not such an address. */
export function parseIp(text: string): number | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  let value = 0;
  for (const part of parts) {
    if (!/^\d{1,3}$/.test(part) || Number(part) > 255) return undefined;
    value = value * 256 + Number(part);
  }
  return value;
}

export function ipText(value: number): string {
  return `${(value >>> 24) & 255}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`;
}

/** The netmask of a prefix length: 24 → 0xffffff00. */
export function maskOf(prefixLength: number): number {
  return prefixLength === 0 ? 0 : (0xffff_ffff << (32 - prefixLength)) >>> 0;
}

/** 255.255.255.0 → 24; undefined when the mask has holes. */
export function prefixOf(mask: number): number | undefined {
  for (let length = 0; length <= 32; length++) if (maskOf(length) === mask >>> 0) return length;
  return undefined;
}

export function networkOf(address: number, prefixLength: number): number {
  return (address & maskOf(prefixLength)) >>> 0;
}

export function broadcastOf(address: number, prefixLength: number): number {
  return (address | ~maskOf(prefixLength)) >>> 0;
}
