/** Match icmp: by type and code, with their names. */
import type { IcmpMatch } from '../../../netfilter';
import { Complaint } from './complaint';
import { type Extension, required } from './extension';
import { parseNumber } from './names';

/** Name, type, first and last code; aliases stand behind the name that is printed. */
const TYPES: readonly (readonly [string, number, number, number])[] = [
  ['any', 255, 0, 255],
  ['echo-reply', 0, 0, 255],
  ['pong', 0, 0, 255],
  ['destination-unreachable', 3, 0, 255],
  ['network-unreachable', 3, 0, 0],
  ['host-unreachable', 3, 1, 1],
  ['protocol-unreachable', 3, 2, 2],
  ['port-unreachable', 3, 3, 3],
  ['fragmentation-needed', 3, 4, 4],
  ['source-route-failed', 3, 5, 5],
  ['network-unknown', 3, 6, 6],
  ['host-unknown', 3, 7, 7],
  ['network-prohibited', 3, 9, 9],
  ['host-prohibited', 3, 10, 10],
  ['TOS-network-unreachable', 3, 11, 11],
  ['TOS-host-unreachable', 3, 12, 12],
  ['communication-prohibited', 3, 13, 13],
  ['host-precedence-violation', 3, 14, 14],
  ['precedence-cutoff', 3, 15, 15],
  ['source-quench', 4, 0, 255],
  ['redirect', 5, 0, 255],
  ['network-redirect', 5, 0, 0],
  ['host-redirect', 5, 1, 1],
  ['TOS-network-redirect', 5, 2, 2],
  ['TOS-host-redirect', 5, 3, 3],
  ['echo-request', 8, 0, 255],
  ['ping', 8, 0, 255],
  ['router-advertisement', 9, 0, 255],
  ['router-solicitation', 10, 0, 255],
  ['time-exceeded', 11, 0, 255],
  ['ttl-exceeded', 11, 0, 255],
  ['ttl-zero-during-transit', 11, 0, 0],
  ['ttl-zero-during-reassembly', 11, 1, 1],
  ['parameter-problem', 12, 0, 255],
  ['ip-header-bad', 12, 0, 0],
  ['required-option-missing', 12, 1, 1],
  ['timestamp-request', 13, 0, 255],
  ['timestamp-reply', 14, 0, 255],
  ['address-mask-request', 17, 0, 255],
  ['address-mask-reply', 18, 0, 255],
];

export const icmp: Extension<IcmpMatch> = {
  name: 'icmp',
  options: [required('icmp-type')],
  help: `ICMP v1.3.5 options:
 --icmp-type [!] typename	match icmp type
				(or numeric type or type/code)

Valid ICMP Types:
${typeList()}
`,
  begin: () => ({ name: 'icmp', type: 255, codes: [0, 255], isInverted: false }),
  take(_so, given, seen) {
    given.once(seen.has('icmp-type'), 'icmp match: only use --icmp-type once!');
    const [type, first, last] = parseType(given.value());
    return { name: 'icmp', type, codes: [first, last], isInverted: given.isInverted };
  },
  print({ type, codes: [first, last], isInverted }, _sys, isNumeric) {
    const not = isInverted ? '!' : '';
    const named = TYPES.find((each) => each[1] === type && each[2] === first && each[3] === last);
    if (named && !isNumeric) return `icmp ${not}${named[0]} `;
    const codes = first === 0 && last === 255 ? '' : ` code ${first}`;
    return `icmp ${not}type ${type}${codes} `;
  },
  save({ type, codes: [first, last], isInverted }) {
    const code = first === 0 && last === 255 ? '' : `/${first}`;
    return `--icmp-type ${isInverted ? '! ' : ''}${type === 255 ? 'any' : `${type}${code}`} `;
  },
};

function parseType(text: string): readonly [number, number, number] {
  // A name may be cut, but then it must be the only one that begins so.
  const named = TYPES.filter(([name]) => name.toLowerCase().startsWith(text.toLowerCase()));
  if (named.length > 1)
    throw new Complaint(`Ambiguous ICMP type \`${text}': \`${named[0]![0]}' or \`${named[1]![0]}'?`);
  if (named[0]) return [named[0][1], named[0][2], named[0][3]];
  const [typeText = '', codeText] = text.split('/');
  const type = parseNumber(typeText, 0, 255);
  if (type === undefined) throw new Complaint(`Invalid ICMP type \`${typeText}'\n`);
  if (codeText === undefined) return [type, 0, 255];
  const code = parseNumber(codeText, 0, 255);
  if (code === undefined) throw new Complaint(`Invalid ICMP code \`${codeText}'\n`);
  return [type, code, code];
}

/** Codes are set in below their type; aliases stand in brackets. */
function typeList(): string {
  return TYPES.map(([name, type, first, last], n) => {
    const before = TYPES[n - 1];
    if (before?.[1] !== type) return `${n > 0 ? '\n' : ''}${name}`;
    return before[2] === first && before[3] === last ? ` (${name})` : `\n   ${name}`;
  }).join('');
}
