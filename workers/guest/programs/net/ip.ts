/** ip: links, addresses, routes and neighbours (iproute2 of 2006, the parts that scripts and administrators use). */
import { parseIp, parseMac } from '../../../lib/packet/addresses';
import { type InterfaceInfo, type Program, type RouteInfo, type Sys, SysError } from '../../sys';
import { command } from '../adapters';
import { ipAddresses, ipLink, ipRouteLine } from './show';

/** A complaint that ends the command with status 1 (wrong words) or 2 (the kernel refused). */
class Refusal extends Error {
  override readonly name = 'Refusal';
  constructor(
    message: string,
    readonly status: number,
  ) {
    super(message);
  }
}

const OBJECTS = ['link', 'addr', 'address', 'route', 'neigh', 'neighbour'] as const;

const USAGE = `Usage: ip [ OPTIONS ] OBJECT { COMMAND | help }
where  OBJECT := { link | addr | route | neigh }
       OPTIONS := { -o[neline] | -4 }
`;

export const ip: Program = command('ip', (sys, args) => {
  const options = args.filter((word) => /^-[a-z0-9]+$/.test(word) && args.indexOf(word) < firstWord(args));
  const words = args.slice(options.length);
  const oneLine = options.some((option) => option === '-o' || option === '-oneline');
  const only4 = options.includes('-4');
  const given = words[0];
  if (given === undefined || given === 'help') {
    sys.eprint(USAGE);
    return 255;
  }
  const object = OBJECTS.find((name) => name.startsWith(given));
  const rest = words.slice(1);
  try {
    switch (object) {
      case 'link':
        return link(sys, rest, oneLine);
      case 'addr':
      case 'address':
        return address(sys, rest, oneLine, only4);
      case 'route':
        return route(sys, rest);
      case 'neigh':
      case 'neighbour':
        return neighbours(sys);
      default:
        throw new Refusal(`Object "${given}" is unknown, try "ip help".`, 255);
    }
  } catch (error) {
    if (error instanceof Refusal) {
      sys.eprint(`${error.message}\n`);
      return error.status;
    }
    if (!(error instanceof SysError)) throw error;
    sys.eprint(
      `RTNETLINK answers: ${error.code === 'ESRCH' ? 'No such process' : error.code === 'EEXIST' ? 'File exists' : error.message.replace(/^.*: /, '')}\n`,
    );
    return 2;
  }
});

function firstWord(args: readonly string[]): number {
  const index = args.findIndex((word) => !word.startsWith('-'));
  return index < 0 ? args.length : index;
}

/** `dev NAME` or a bare name among the words. */
function deviceName(words: readonly string[]): string | undefined {
  const index = words.indexOf('dev');
  return index >= 0 ? words[index + 1] : words.find((word) => word !== '');
}

function deviceNamed(sys: Sys, name: string): InterfaceInfo {
  const device = sys.net.interfaces().find((candidate) => candidate.name === name);
  if (!device) throw new Refusal(`Device "${name}" does not exist.`, 1);
  return device;
}

function chosen(sys: Sys, words: readonly string[]): readonly InterfaceInfo[] {
  const name = deviceName(words);
  return name === undefined ? sys.net.interfaces() : [deviceNamed(sys, name)];
}

function link(sys: Sys, words: readonly string[], oneLine: boolean): number {
  const [action = 'show', ...rest] = words;
  if ('show'.startsWith(action) || 'list'.startsWith(action)) {
    for (const device of chosen(sys, rest))
      sys.print(oneLine ? ipLink(device).replace('\n  ', '\\  ') : ipLink(device));
    return 0;
  }
  if (action !== 'set') throw new Refusal(`Command "${action}" is unknown, try "ip link help".`, 255);
  const changes = rest[0] === 'dev' ? rest.slice(1) : [...rest];
  const name = changes.shift();
  if (name === undefined) throw new Refusal('Not enough of information: "dev" argument is required.', 255);
  const device = sys.net.interfaces().find((candidate) => candidate.name === name);
  if (!device) throw new Refusal('SIOCGIFFLAGS: No such device', 1);
  let current = name;
  while (changes.length > 0) {
    const word = changes.shift()!;
    if (word === 'up') sys.net.setUp(current, true);
    else if (word === 'down') sys.net.setUp(current, false);
    else if (word === 'arp') sys.net.setArp(current, changes.shift() === 'on');
    else if (word === 'multicast') changes.shift();
    else if (word === 'promisc') sys.net.setPromiscuous(current, changes.shift() === 'on');
    else if (word === 'mtu') sys.net.setMtu(current, Number(changes.shift()));
    else if (word === 'name') {
      const to = changes.shift() ?? '';
      sys.net.rename(current, to);
      current = to;
    } else if (word === 'address' || word === 'addr') {
      const mac = changes.shift() ?? '';
      if (!parseMac(mac)) throw new Refusal(`"${mac}" is invalid lladdr.`, 255);
      sys.net.setMac(current, mac);
    } else throw new Refusal(`Error: either "dev" is duplicate, or "${word}" is a garbage.`, 255);
  }
  return 0;
}

function address(sys: Sys, words: readonly string[], oneLine: boolean, only4: boolean): number {
  const [action = 'show', ...rest] = words;
  if ('show'.startsWith(action) || 'list'.startsWith(action)) {
    for (const device of chosen(sys, rest)) {
      if (!oneLine && !(only4 && device.addresses.length === 0)) sys.print(ipLink(device));
      sys.print(ipAddresses(device, oneLine));
    }
    return 0;
  }
  if (action === 'flush') {
    const device = deviceNamed(sys, deviceName(rest) ?? '');
    for (const own of device.addresses) sys.net.removeAddress(device.name, own.address);
    return 0;
  }
  if (action !== 'add' && action !== 'del')
    throw new Refusal(`Command "${action}" is unknown, try "ip address help".`, 255);
  const index = rest.indexOf('dev');
  const name = index < 0 ? undefined : rest[index + 1];
  if (name === undefined) throw new Refusal('Not enough information: "dev" argument is required.', 255);
  const [text = '', bits = '32'] = (rest[0] ?? '').split('/');
  if (parseIp(text) === undefined || !/^\d+$/.test(bits) || Number(bits) > 32) {
    throw new Refusal(`Error: an inet prefix is expected rather than "${rest[0] ?? ''}".`, 1);
  }
  const device = sys.net.interfaces().find((candidate) => candidate.name === name);
  if (!device) throw new Refusal(`Cannot find device "${name}"`, 1);
  if (action === 'add') sys.net.addAddress(name, text, Number(bits));
  else sys.net.removeAddress(name, text);
  return 0;
}

function route(sys: Sys, words: readonly string[]): number {
  const [action = 'list', ...rest] = words;
  if ('list'.startsWith(action) || 'show'.startsWith(action)) {
    const only = rest[0] === 'default' ? 0 : undefined;
    for (const each of sys.net.routes())
      if (only === undefined || each.prefixLength === only) sys.print(ipRouteLine(each));
    return 0;
  }
  if (action !== 'add' && action !== 'del' && action !== 'delete') {
    throw new Refusal(`Command "${action}" is unknown, try "ip route help".`, 255);
  }
  const wanted = parseRoute(rest);
  if (action === 'add') sys.net.addRoute(wanted);
  else sys.net.deleteRoute({ ...wanted, ...(wanted.device ? {} : { device: undefined }) } as RouteInfo);
  return 0;
}

function parseRoute(words: readonly string[]): RouteInfo {
  const [target = '', ...rest] = words;
  const [text, bits] = target === 'default' ? ['0.0.0.0', '0'] : (target.split('/') as [string, string?]);
  if (parseIp(text) === undefined) throw new Refusal(`Error: an inet prefix is expected rather than "${target}".`, 1);
  const value = (word: string) => (rest.includes(word) ? rest[rest.indexOf(word) + 1] : undefined);
  const gateway = value('via');
  const source = value('src');
  if (gateway !== undefined && parseIp(gateway) === undefined) {
    throw new Refusal(`Error: an inet address is expected rather than "${gateway}".`, 1);
  }
  return {
    destination: text,
    prefixLength: bits === undefined ? 32 : Number(bits),
    ...(gateway === undefined ? {} : { gateway }),
    ...(source === undefined ? {} : { source }),
    device: value('dev') ?? '',
    metric: Number(value('metric') ?? 0),
  };
}

function neighbours(sys: Sys): number {
  for (const entry of sys.net.arpTable()) {
    sys.print(
      entry.complete
        ? `${entry.address} dev ${entry.device} lladdr ${entry.mac} REACHABLE\n`
        : `${entry.address} dev ${entry.device}  INCOMPLETE\n`,
    );
  }
  return 0;
}
