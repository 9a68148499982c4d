/** Targets with options of their own: REJECT and LOG. */
import {
  type FilterTarget,
  LOG_IP_OPTIONS,
  LOG_TCP_OPTIONS,
  LOG_TCP_SEQUENCE,
  type LogTarget,
  REJECT_TYPES,
  type RejectType,
} from '../../../netfilter';
import { Complaint } from './complaint';
import { bare, type Extension, required } from './extension';
import { parseNumber } from './names';

type RejectTarget = Extract<FilterTarget, { kind: 'REJECT' }>;

const ALIASES: Readonly<Record<RejectType, readonly [string, string]>> = {
  'icmp-net-unreachable': ['net-unreach', 'ICMP network unreachable'],
  'icmp-host-unreachable': ['host-unreach', 'ICMP host unreachable'],
  'icmp-proto-unreachable': ['proto-unreach', 'ICMP protocol unreachable'],
  'icmp-port-unreachable': ['port-unreach', 'ICMP port unreachable (default)'],
  'icmp-net-prohibited': ['net-prohib', 'ICMP network prohibited'],
  'icmp-host-prohibited': ['host-prohib', 'ICMP host prohibited'],
  'tcp-reset': ['tcp-rst', 'TCP RST packet'],
  'icmp-admin-prohibited': ['admin-prohib', 'ICMP administratively prohibited (*)'],
};

const reject: Extension<RejectTarget> = {
  name: 'REJECT',
  options: [required('reject-with')],
  help: `REJECT options:
--reject-with type              drop input packet and send back
                                a reply packet according to type:
Valid reject types:
${REJECT_TYPES.map((type) => `    ${type.padEnd(25)}\t${ALIASES[type][1]}\n    ${ALIASES[type][0].padEnd(25)}\talias\n`).join('')}
(*) See man page or read the INCOMPATIBILITES file for compatibility issues.
`,
  begin: () => ({ kind: 'REJECT', with: 'icmp-port-unreachable' }),
  take(_so, given) {
    const text = given.plainValue().toLowerCase();
    const type = REJECT_TYPES.find((each) => each.startsWith(text) || ALIASES[each][0].startsWith(text));
    if (!type) throw new Complaint(`unknown reject type \`${given.plainValue()}'`);
    return { kind: 'REJECT', with: type };
  },
  print: (target) => `reject-with ${target.with} `,
  save: (target) => `--reject-with ${target.with} `,
};

const LEVELS: readonly (readonly [string, number])[] = [
  ['alert', 1],
  ['crit', 2],
  ['debug', 7],
  ['emerg', 0],
  ['error', 3],
  ['info', 6],
  ['notice', 5],
  ['panic', 0],
  ['warning', 4],
];

const WARNING = 4;
const PREFIX_LENGTH = 29;

const LOG_FLAGS: readonly (readonly [string, number])[] = [
  ['tcp-sequence', LOG_TCP_SEQUENCE],
  ['tcp-options', LOG_TCP_OPTIONS],
  ['ip-options', LOG_IP_OPTIONS],
];

const log: Extension<LogTarget> = {
  name: 'LOG',
  options: [required('log-level'), required('log-prefix'), ...LOG_FLAGS.map(([name]) => bare(`log-${name}`))],
  help: `LOG v1.3.5 options:
 --log-level level		Level of logging (numeric or see syslog.conf)
 --log-prefix prefix		Prefix log messages with this prefix.

 --log-tcp-sequence		Log TCP sequence numbers.

 --log-tcp-options		Log TCP options.

 --log-ip-options		Log IP options.

`,
  begin: () => ({ kind: 'LOG', level: WARNING, prefix: '', flags: 0 }),
  take(so, given, seen) {
    given.once(seen.has(given.name), `Can't specify --${given.name} twice`);
    if (given.name === 'log-level') return { ...so, level: parseLevel(given.plainValue()) };
    if (given.name === 'log-prefix') {
      const prefix = given.plainValue();
      if (prefix.length > PREFIX_LENGTH) throw new Complaint(`Maximum prefix length ${PREFIX_LENGTH} for --log-prefix`);
      return { ...so, prefix };
    }
    return { ...so, flags: so.flags | LOG_FLAGS.find(([name]) => given.name === `log-${name}`)![1] };
  },
  print({ level, prefix, flags }, _sys, isNumeric) {
    const named = LEVELS.find(([, number]) => number === level)?.[0];
    const words = LOG_FLAGS.filter(([, bit]) => flags & bit).map(([name]) => `${name} `);
    const how = isNumeric ? `flags ${flags} level ${level} ` : `level ${named} ${words.join('')}`;
    return `LOG ${how}${prefix === '' ? '' : `prefix \`${prefix}' `}`;
  },
  save({ level, prefix, flags }) {
    const words = LOG_FLAGS.filter(([, bit]) => flags & bit).map(([name]) => `--log-${name} `);
    return `${prefix === '' ? '' : `--log-prefix "${prefix}" `}${level === WARNING ? '' : `--log-level ${level} `}${words.join('')}`;
  },
};

function parseLevel(text: string): number {
  const number = parseNumber(text, 0, 7);
  if (number !== undefined) return number;
  const named = LEVELS.filter(([name]) => name.startsWith(text.toLowerCase()));
  if (named.length > 1) throw new Complaint(`log-level \`${text}' ambiguous`);
  if (!named[0]) throw new Complaint(`log-level \`${text}' unknown`);
  return named[0][1];
}

// biome-ignore lint/suspicious/noExplicitAny: a registry holds targets of every kind
export const targets: readonly Extension<any>[] = [reject, log];
