/** brctl: Ethernet bridges (bridge-utils 1.0; formats and errors as the Users' Manual's examples need them). */
import { type Program, type Sys, SysError } from '../../sys';
import { command } from '../adapters';

const USAGE = `commands:
	addbr     	<bridge>		add bridge
	delbr     	<bridge>		delete bridge
	addif     	<bridge> <device>	add interface to bridge
	delif     	<bridge> <device>	delete interface from bridge
	setfd     	<bridge> <time>		set bridge forward delay
	show      				show a list of bridges
	stp       	<bridge> {on|off}	turn stp on/off
`;

export const brctl: Program = command('brctl', (sys, args) => {
  const [action, bridge = '', device = ''] = args;
  if (action === undefined) {
    sys.eprint(USAGE);
    return 1;
  }
  const wanted: Readonly<Record<string, number>> = { addbr: 1, delbr: 1, addif: 2, delif: 2, setfd: 2, stp: 2 };
  if (action === 'show') return show(sys, args.slice(1));
  const count = wanted[action];
  if (count === undefined) {
    sys.eprint(`never heard of command [${action}]\n${USAGE}`);
    return 1;
  }
  if (args.length - 1 < count) {
    sys.eprint('Incorrect number of arguments for command\n');
    return 1;
  }
  try {
    change(sys, action, bridge, device);
    return 0;
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    sys.eprint(`${complaint(sys, action, bridge, device, error)}\n`);
    return 1;
  }
});

function change(sys: Sys, action: string, bridge: string, argument: string): void {
  if (action === 'addbr') sys.net.addBridge(bridge);
  else if (action === 'delbr') sys.net.deleteBridge(bridge);
  else if (action === 'addif') sys.net.addBridgePort(bridge, argument);
  else if (action === 'delif') sys.net.deleteBridgePort(bridge, argument);
  else if (action === 'setfd') sys.net.setBridgeOption(bridge, { forwardDelay: Number(argument) });
  else sys.net.setBridgeOption(bridge, { stp: argument === 'on' || argument === 'yes' });
}

function complaint(sys: Sys, action: string, bridge: string, device: string, error: SysError): string {
  const isBridge = sys.net.bridges().some((each) => each.name === bridge);
  if (action === 'addbr') {
    return error.code === 'EEXIST'
      ? `device ${bridge} already exists; can't create bridge with the same name`
      : `add bridge failed: ${error.message}`;
  }
  if (!isBridge) return `bridge ${bridge} does not exist!`;
  if (action === 'delbr')
    return error.code === 'EBUSY'
      ? `bridge ${bridge} is still up; can't delete it`
      : `can't delete bridge ${bridge}: ${error.message}`;
  if (error.code === 'ENODEV') return `interface ${device} does not exist!`;
  if (action === 'addif' && error.code === 'EBUSY')
    return `device ${device} is already a member of a bridge; can't enslave it to bridge ${bridge}.`;
  if (action === 'delif') return `device ${device} is not a slave of ${bridge}`;
  return `can't add ${device} to bridge ${bridge}: ${error.message.replace(/^.*: /, '')}`;
}

function show(sys: Sys, names: readonly string[]): number {
  sys.print('bridge name\tbridge id\t\tSTP enabled\tinterfaces\n');
  const all = [...sys.net.bridges()].sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const name of names) {
    if (!all.some((bridge) => bridge.name === name)) sys.eprint(`bridge ${name} does not exist!\n`);
  }
  for (const bridge of all) {
    if (names.length > 0 && !names.includes(bridge.name)) continue;
    const ports = [...bridge.ports].sort();
    sys.print(`${bridge.name}\t\t${bridge.id}\t${bridge.stp ? 'yes' : 'no'}\t\t${ports[0] ?? ''}\n`);
    for (const port of ports.slice(1)) sys.print(`\t\t\t\t\t\t\t${port}\n`);
  }
  return 0;
}
