/** ifconfig, route and arp (net-tools 1.60). */
import { macText, parseIp, parseMac, prefixOf } from '../../../lib/packet/addresses';
import { type InterfaceInfo, type Program, type RouteInfo, type Sys, SysError } from '../../sys';
import { command } from '../adapters';
import { ifconfigBlock, routeTable } from './show';

const find = (sys: Sys, name: string): InterfaceInfo | undefined =>
  sys.net.interfaces().find((device) => device.name === name);

export const ifconfig: Program = command('ifconfig', (sys, args) => {
  const all = args.includes('-a');
  const [name, ...words] = args.filter((word) => word !== '-a');
  if (name === undefined) {
    const devices = [...sys.net.interfaces()].sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const device of devices) if (all || device.up) sys.print(ifconfigBlock(device));
    return 0;
  }
  if (name.startsWith('-')) {
    sys.eprint(`ifconfig: option \`${name}' not recognised.\nifconfig: \`--help' gives usage information.\n`);
    return 1;
  }
  const device = find(sys, name);
  if (!device) {
    sys.eprint(
      words.length === 0
        ? `${name}: error fetching interface information: Device not found\n`
        : `${name}: ERROR while getting interface flags: No such device\n`,
    );
    return 1;
  }
  if (words.length === 0) {
    sys.print(ifconfigBlock(device));
    return 0;
  }
  return configure(sys, device, words);
});

function configure(sys: Sys, device: InterfaceInfo, words: readonly string[]): number {
  const { name } = device;
  let address = device.address;
  let prefix: number | undefined;
  let setAddress = false;
  let up: boolean | undefined;
  const rest = [...words];
  try {
    while (rest.length > 0) {
      const word = rest.shift()!;
      switch (word) {
        case 'up':
          up = true;
          break;
        case 'down':
          up = false;
          break;
        case 'arp':
          sys.net.setArp(name, true);
          break;
        case '-arp':
          sys.net.setArp(name, false);
          break;
        case 'promisc':
          sys.net.setPromiscuous(name, true);
          break;
        case '-promisc':
          sys.net.setPromiscuous(name, false);
          break;
        case 'mtu':
          sys.net.setMtu(name, Number(rest.shift()));
          break;
        case 'broadcast':
          rest.shift(); // follows from the netmask here
          break;
        case 'netmask': {
          const mask = parseIp(rest.shift() ?? '');
          prefix = mask === undefined ? undefined : prefixOf(mask);
          if (prefix === undefined) return complain(sys, `SIOCSIFNETMASK: Invalid argument`);
          setAddress = true;
          break;
        }
        case 'hw': {
          const [kind, mac] = [rest.shift(), rest.shift() ?? ''];
          if (kind !== 'ether' || !parseMac(mac)) return complain(sys, `${mac}: invalid ether address.`);
          if (find(sys, name)!.up) return complain(sys, 'SIOCSIFHWADDR: Device or resource busy');
          sys.net.setMac(name, macText(parseMac(mac)!));
          break;
        }
        default: {
          const [text, bits] = word.split('/');
          const resolved = sys.net.resolve(text!);
          if (resolved === undefined)
            return complain(sys, `${word}: Unknown host\nifconfig: \`--help' gives usage information.`);
          address = resolved;
          if (bits !== undefined) prefix = Number(bits);
          setAddress = true;
          up ??= true;
        }
      }
    }
    if (setAddress && address !== undefined) sys.net.setAddress(name, address, prefix);
    if (up !== undefined) sys.net.setUp(name, up);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    return complain(sys, `SIOCSIFFLAGS: ${error.code === 'EPERM' ? 'Permission denied' : error.message}`);
  }
  return 0;
}

function complain(sys: Sys, text: string): number {
  sys.eprint(`${text}\n`);
  return 1;
}

export const route: Program = command('route', (sys, args) => {
  const words = args.filter((word) => !/^-[ne]+$/.test(word));
  if (words.length === 0) {
    sys.print(routeTable(sys.net.routes()));
    return 0;
  }
  const [action, ...rest] = words;
  if (action !== 'add' && action !== 'del')
    return complain(
      sys,
      'Usage: route [-n] | route {add|del} [-net|-host] TARGET [netmask MASK] [gw GATEWAY] [dev DEVICE]',
    );
  const wanted = parseRoute(rest);
  if (typeof wanted === 'string') return complain(sys, wanted);
  try {
    if (action === 'add') sys.net.addRoute(wanted);
    else sys.net.deleteRoute({ ...wanted, device: wanted.device || undefined } as RouteInfo);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    const text = { ESRCH: 'No such process', EPERM: 'Operation not permitted' }[error.code as string];
    return complain(sys, `SIOC${action === 'add' ? 'ADD' : 'DEL'}RT: ${text ?? error.message}`);
  }
  return 0;
});

/** The words after `add` or `del`; a text is a complaint. */
function parseRoute(words: readonly string[]): RouteInfo | string {
  const rest = [...words];
  let isHost = false;
  if (rest[0] === '-net' || rest[0] === '-host') isHost = rest.shift() === '-host';
  const target = rest.shift() ?? '';
  const [text, bits] = target === 'default' ? ['0.0.0.0', '0'] : (target.split('/') as [string, string?]);
  if (parseIp(text) === undefined) return `${target}: Unknown host`;
  let prefix = bits === undefined ? (isHost || text !== '0.0.0.0' ? 32 : 0) : Number(bits);
  let gateway: string | undefined;
  let device = '';
  let metric = 0;
  while (rest.length > 0) {
    const word = rest.shift()!;
    if (word === 'netmask') prefix = prefixOf(parseIp(rest.shift() ?? '') ?? 0) ?? -1;
    else if (word === 'gw') gateway = rest.shift();
    else if (word === 'dev') device = rest.shift() ?? '';
    else if (word === 'metric') metric = Number(rest.shift());
    else device = word;
  }
  if (prefix < 0) return 'route: bogus netmask';
  if (gateway !== undefined && parseIp(gateway) === undefined) return `${gateway}: Unknown host`;
  return { destination: text, prefixLength: prefix, ...(gateway === undefined ? {} : { gateway }), device, metric };
}

export const arp: Program = command('arp', (sys, args) => {
  const [option, host] = args;
  if (option === '-d' && host !== undefined) {
    try {
      sys.net.deleteArp(sys.net.resolve(host) ?? host);
      return 0;
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      return complain(sys, `SIOCDARP(priv): ${error.code === 'ENXIO' ? 'No such file or directory' : error.message}`);
    }
  }
  const entries = sys.net.arpTable();
  if (option === '-a') {
    for (const entry of entries) {
      const mac = entry.complete ? `${entry.mac.toUpperCase()} [ether]` : '<incomplete>';
      sys.print(`? (${entry.address}) at ${mac}  on ${entry.device}\n`);
    }
    return 0;
  }
  if (entries.length > 0)
    sys.print('Address                  HWtype  HWaddress           Flags Mask            Iface\n');
  for (const entry of entries) {
    const middle = entry.complete
      ? `${'ether'.padEnd(8)}${entry.mac.toUpperCase().padEnd(20)}${'C'.padEnd(22)}`
      : `${''.padEnd(8)}${'(incomplete)'.padEnd(42)}`;
    sys.print(`${entry.address.padEnd(25)}${middle}${entry.device}\n`);
  }
  return 0;
});
