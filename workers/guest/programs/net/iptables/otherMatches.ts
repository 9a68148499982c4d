/** Matches physdev (ports of a bridge) and state (what is known of the connection). */
import { CONNECTION_STATES, type ConnectionState, type PhysdevMatch, type StateMatch } from '../../../netfilter';
import { Complaint } from './complaint';
import { bare, type Extension, required } from './extension';
import { parseDevice } from './names';

export const physdev: Extension<PhysdevMatch> = {
  name: 'physdev',
  options: [
    required('physdev-in'),
    required('physdev-out'),
    bare('physdev-is-in'),
    bare('physdev-is-out'),
    bare('physdev-is-bridged'),
  ],
  help: `physdev v1.3.5 options:
 --physdev-in [!] input name[+]		bridge port name ([+] for wildcard)
 --physdev-out [!] output name[+]	bridge port name ([+] for wildcard)
 [!] --physdev-is-in			arrived on a bridge device
 [!] --physdev-is-out			will leave on a bridge device
 [!] --physdev-is-bridged		it's a bridged packet
`,
  begin: () => ({ name: 'physdev' }),
  take(so, given, seen) {
    given.once(seen.has(given.name), 'multiple use of the same physdev option is not allowed');
    switch (given.name) {
      case 'physdev-in': {
        const name = given.value();
        return { ...so, in: parseDevice(given.sys, name, given.isInverted) };
      }
      case 'physdev-out': {
        const name = given.value();
        return { ...so, out: parseDevice(given.sys, name, given.isInverted) };
      }
      case 'physdev-is-in':
        return { ...so, isIn: !given.isInverted };
      case 'physdev-is-out':
        return { ...so, isOut: !given.isInverted };
      default:
        return { ...so, isBridged: !given.isInverted };
    }
  },
  check(_match, seen) {
    if (seen.size === 0) throw new Complaint('PHYSDEV: no physdev option specified');
  },
  print: (match) => `PHYSDEV match${physdevOptions(match)} `,
  save: (match) => `${physdevOptions(match)} `,
};

function physdevOptions(match: PhysdevMatch): string {
  const not = (isInverted: boolean) => (isInverted ? ' !' : '');
  const is = (wanted: boolean | undefined, option: string) =>
    wanted === undefined ? '' : `${not(!wanted)} --physdev-is-${option}`;
  const device = match.in ? `${not(match.in.isInverted)} --physdev-in ${match.in.name}` : '';
  const out = match.out ? `${not(match.out.isInverted)} --physdev-out ${match.out.name}` : '';
  return `${is(match.isIn, 'in')}${device}${is(match.isOut, 'out')}${out}${is(match.isBridged, 'bridged')}`;
}

export const state: Extension<StateMatch> = {
  name: 'state',
  options: [required('state')],
  help: `state v1.3.5 options:
 [!] --state [INVALID|ESTABLISHED|NEW|RELATED|UNTRACKED][,...]
				State(s) to match

`,
  begin: () => ({ name: 'state', states: [] }),
  take(so, given) {
    const text = given.value();
    const named = text.split(',').map((word) => parseState(word, text));
    const wanted = CONNECTION_STATES.filter((each) => named.includes(each) || so.states.includes(each));
    return { ...so, states: given.isInverted ? CONNECTION_STATES.filter((each) => !wanted.includes(each)) : wanted };
  },
  check(_match, seen) {
    if (!seen.has('state')) throw new Complaint("You must specify `--state'");
  },
  print: ({ states }) => `state ${states.join(',')} `,
  save: ({ states }) => `--state ${states.join(',')} `,
};

/** Names may be cut. */
function parseState(word: string, whole: string): ConnectionState {
  const found = CONNECTION_STATES.find((each) => word !== '' && each.startsWith(word.toUpperCase()));
  if (!found) throw new Complaint(`Bad state \`${whole}'`);
  return found;
}
