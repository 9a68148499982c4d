/** Matches tcp and udp: ports, and of TCP the flags. */
import type { PortMatches, PortRange, TcpMatch, UdpMatch } from '../../../netfilter';
import type { Sys } from '../../../sys';
import { Complaint } from './complaint';
import { bare, type Extension, type Given, required } from './extension';
import { parsePort, serviceName } from './names';

const ALL_PORTS: PortRange = [0, 65535];
const PORT_OPTIONS = ['source-port', 'sport', 'destination-port', 'dport'].map(required);

const FLAGS: readonly (readonly [string, number])[] = [
  ['FIN', 1],
  ['SYN', 2],
  ['RST', 4],
  ['PSH', 8],
  ['ACK', 16],
  ['URG', 32],
];

const noPorts: PortMatches = {
  sourcePorts: ALL_PORTS,
  isSourceInverted: false,
  destinationPorts: ALL_PORTS,
  isDestinationInverted: false,
};

/** `8002`, `1024:`, `:1023`, `6000:6063`, names of services. */
function range(sys: Sys, text: string, protocol: string): PortRange {
  const colon = text.indexOf(':');
  if (colon < 0) {
    const port = parsePort(sys, text, protocol);
    return [port, port];
  }
  const [first, last] = [text.slice(0, colon), text.slice(colon + 1)];
  const ends: PortRange = [
    first === '' ? 0 : parsePort(sys, first, protocol),
    last === '' ? 65535 : parsePort(sys, last, protocol),
  ];
  if (ends[0] > ends[1]) throw new Complaint('invalid portrange (min > max)');
  return ends;
}

function takePorts<T extends PortMatches>(so: T, given: Given, seen: ReadonlySet<string>, protocol: string): T {
  const isSource = given.name.startsWith('s');
  const names = isSource ? ['source-port', 'sport'] : ['destination-port', 'dport'];
  given.once(
    names.some((name) => seen.has(name)),
    `Only one \`--${names[0]}' allowed`,
  );
  const ports = range(given.sys, given.value(), protocol);
  return isSource
    ? { ...so, sourcePorts: ports, isSourceInverted: given.isInverted }
    : { ...so, destinationPorts: ports, isDestinationInverted: given.isInverted };
}

function portText(sys: Sys, port: number, protocol: string, isNumeric: boolean): string {
  return (isNumeric ? undefined : serviceName(sys, port, protocol)) ?? String(port);
}

function printPorts(match: PortMatches, sys: Sys, protocol: string, isNumeric: boolean): string {
  const one = (label: string, [first, last]: PortRange, isInverted: boolean) => {
    if (first === 0 && last === 65535 && !isInverted) return '';
    const text = (port: number) => portText(sys, port, protocol, isNumeric);
    const not = isInverted ? '!' : '';
    return first === last ? `${label}:${not}${text(first)} ` : `${label}s:${not}${text(first)}:${text(last)} `;
  };
  return `${one('spt', match.sourcePorts, match.isSourceInverted)}${one('dpt', match.destinationPorts, match.isDestinationInverted)}`;
}

function savePorts(match: PortMatches): string {
  const one = (option: string, [first, last]: PortRange, isInverted: boolean) => {
    if (first === 0 && last === 65535) return '';
    return `${option} ${isInverted ? '! ' : ''}${first === last ? first : `${first}:${last}`} `;
  };
  return `${one('--sport', match.sourcePorts, match.isSourceInverted)}${one('--dport', match.destinationPorts, match.isDestinationInverted)}`;
}

const PORT_HELP = ` --source-port [!] port[:port]
 --sport ...
				match source port(s)
 --destination-port [!] port[:port]
 --dport ...
				match destination port(s)
`;

export const udp: Extension<UdpMatch> = {
  name: 'udp',
  options: PORT_OPTIONS,
  help: `UDP v1.3.5 options:\n${PORT_HELP}`,
  begin: () => ({ name: 'udp', ...noPorts }),
  take: (so, given, seen) => takePorts(so, given, seen, 'udp'),
  print: (match, sys, isNumeric) => `udp ${printPorts(match, sys, 'udp', isNumeric)}`,
  save: savePorts,
};

export const tcp: Extension<TcpMatch> = {
  name: 'tcp',
  options: [...PORT_OPTIONS, bare('syn'), required('tcp-flags')],
  help: `TCP v1.3.5 options:
 --tcp-flags [!] mask comp	match when TCP flags & mask == comp
				(Flags: SYN ACK FIN RST URG PSH ALL NONE)
[!] --syn			match when only SYN flag set
				(equivalent to --tcp-flags SYN,RST,ACK,FIN SYN)
${PORT_HELP}`,
  begin: () => ({ name: 'tcp', ...noPorts, flagMask: 0, flags: 0, isFlagsInverted: false }),
  take(so, given, seen) {
    if (given.name !== 'syn' && given.name !== 'tcp-flags') return takePorts(so, given, seen, 'tcp');
    given.once(seen.has('syn') || seen.has('tcp-flags'), "Only one of `--syn' or `--tcp-flags'  allowed");
    if (given.name === 'syn')
      return {
        ...so,
        flagMask: parseFlags('SYN,RST,ACK,FIN'),
        flags: parseFlags('SYN'),
        isFlagsInverted: given.isInverted,
      };
    const mask = given.value();
    const set = given.words.takePlain();
    if (set === undefined) throw new Complaint('--tcp-flags requires two args.');
    return { ...so, flagMask: parseFlags(mask), flags: parseFlags(set), isFlagsInverted: given.isInverted };
  },
  print(match, sys, isNumeric) {
    const ports = `tcp ${printPorts(match, sys, 'tcp', isNumeric)}`;
    if (match.flagMask === 0 && !match.isFlagsInverted) return ports;
    const text = (flags: number) =>
      isNumeric ? `0x${flags.toString(16).toUpperCase().padStart(2, '0')}` : flagText(flags);
    return `${ports}flags:${match.isFlagsInverted ? '!' : ''}${text(match.flagMask)}/${text(match.flags)} `;
  },
  save(match) {
    const ports = savePorts(match);
    if (match.flagMask === 0 && !match.isFlagsInverted) return ports;
    return `${ports}--tcp-flags ${match.isFlagsInverted ? '! ' : ''}${flagText(match.flagMask)} ${flagText(match.flags)} `;
  },
};

function parseFlags(text: string): number {
  let flags = 0;
  for (const name of text.toUpperCase().split(',')) {
    const bit = name === 'ALL' ? 63 : name === 'NONE' ? 0 : FLAGS.find(([flag]) => flag === name)?.[1];
    if (bit === undefined) throw new Complaint(`Unknown TCP flag \`${text}'`);
    flags |= bit;
  }
  return flags;
}

function flagText(flags: number): string {
  const names = FLAGS.filter(([, bit]) => flags & bit).map(([name]) => name);
  return names.join(',') || 'NONE';
}
