/** DHCP messages (RFC 2131, 2132), as far as a client and a small server need them. */
import { macText, parseMac } from './addresses';

export const DHCP_SERVER_PORT = 67;
export const DHCP_CLIENT_PORT = 68;

export type DhcpType = 'discover' | 'offer' | 'request' | 'ack' | 'nak' | 'release';

export interface DhcpMessage {
  readonly type: DhcpType;
  readonly transaction: number;
  readonly clientMac: string;
  /** Address that the server gives (offer, ack); 0 elsewhere. */
  readonly yourAddress: number;
  readonly serverAddress?: number;
  readonly requestedAddress?: number;
  readonly subnetMask?: number;
  readonly router?: number;
  readonly nameServer?: number;
  readonly leaseSeconds?: number;
  readonly hostName?: string;
}

const TYPES: readonly (DhcpType | undefined)[] = [
  undefined,
  'discover',
  'offer',
  'request',
  undefined,
  'ack',
  'nak',
  'release',
];
const COOKIE = 0x6382_5363;
const HEADER = 236;

export function encodeDhcp(message: DhcpMessage): Uint8Array {
  const options: number[] = [];
  const u32 = (value: number) => [(value >>> 24) & 255, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
  const add = (code: number, bytes: readonly number[]) => options.push(code, bytes.length, ...bytes);
  const address = (code: number, value: number | undefined) => value !== undefined && add(code, u32(value));
  add(53, [TYPES.indexOf(message.type)]);
  address(54, message.serverAddress);
  address(50, message.requestedAddress);
  address(1, message.subnetMask);
  address(3, message.router);
  address(6, message.nameServer);
  address(51, message.leaseSeconds);
  if (message.hostName) add(12, [...new TextEncoder().encode(message.hostName.slice(0, 255))]);
  options.push(255);

  const bytes = new Uint8Array(Math.max(300, HEADER + 4 + options.length));
  const view = new DataView(bytes.buffer);
  const isReply = message.type === 'offer' || message.type === 'ack' || message.type === 'nak';
  bytes[0] = isReply ? 2 : 1;
  bytes[1] = 1;
  bytes[2] = 6;
  view.setUint32(4, message.transaction);
  view.setUint16(10, 0x8000);
  view.setUint32(16, message.yourAddress);
  if (isReply && message.serverAddress !== undefined) view.setUint32(20, message.serverAddress);
  bytes.set(parseMac(message.clientMac)!, 28);
  view.setUint32(HEADER, COOKIE);
  bytes.set(options, HEADER + 4);
  return bytes;
}

export function decodeDhcp(bytes: Uint8Array): DhcpMessage | undefined {
  if (bytes.length < HEADER + 4) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(HEADER) !== COOKIE) return undefined;
  const options = readOptions(bytes.subarray(HEADER + 4));
  const type = TYPES[options.get(53)?.[0] ?? 0];
  if (!type) return undefined;
  const u32 = (code: number) => {
    const value = options.get(code);
    return value && value.length >= 4 ? new DataView(value.buffer, value.byteOffset).getUint32(0) : undefined;
  };
  const name = options.get(12);
  return {
    type,
    transaction: view.getUint32(4),
    clientMac: macText(bytes, 28),
    yourAddress: view.getUint32(16),
    ...given('serverAddress', u32(54)),
    ...given('requestedAddress', u32(50)),
    ...given('subnetMask', u32(1)),
    ...given('router', u32(3)),
    ...given('nameServer', u32(6)),
    ...given('leaseSeconds', u32(51)),
    ...(name ? { hostName: new TextDecoder().decode(name) } : {}),
  };
}

function given<K extends string>(key: K, value: number | undefined): Partial<Record<K, number>> {
  return value === undefined ? {} : ({ [key]: value } as Record<K, number>);
}

function readOptions(bytes: Uint8Array): Map<number, Uint8Array> {
  const options = new Map<number, Uint8Array>();
  for (let at = 0; at < bytes.length && bytes[at] !== 255; ) {
    if (bytes[at] === 0) {
      at++;
      continue;
    }
    const length = bytes[at + 1] ?? 0;
    options.set(bytes[at]!, bytes.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return options;
}
