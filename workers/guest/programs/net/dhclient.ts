/** dhclient: asks the network for an address and sets the interface up with it (ISC dhclient's messages). */
import { ipText, macText, parseIp, parseMac, prefixOf } from '../../../lib/packet/addresses';
import { DHCP_CLIENT_PORT, DHCP_SERVER_PORT, type DhcpMessage, decodeDhcp, encodeDhcp } from '../../../lib/packet/dhcp';
import { exit, type Program, type Step, type Sys, SysError, wait } from '../../sys';

interface DhclientState {
  readonly device: string;
  readonly mac: string;
  readonly isQuiet: boolean;
  socket: number;
  readonly transaction: number;
  phase: 'discover' | 'request' | 'failed';
  offered: number;
  server: number;
  tries: number;
  untilNs: number;
}

const TRIES = 3;
const EVERYBODY = '255.255.255.255';

export const dhclient: Program<DhclientState> = {
  name: 'dhclient',
  start(sys) {
    const words = sys.argv.slice(1);
    const device = words.find((word) => !word.startsWith('-')) ?? 'eth0';
    const found = sys.net.interfaces().find((each) => each.name === device);
    const failed: DhclientState = {
      device,
      mac: '',
      isQuiet: true,
      socket: -1,
      transaction: 0,
      phase: 'failed',
      offered: 0,
      server: 0,
      tries: 0,
      untilNs: 0,
    };
    if (!found || !parseMac(found.mac)) {
      sys.eprint(`${device}: unknown hardware address type\n`);
      return failed;
    }
    sys.net.setUp(device, true);
    const socket = sys.net.socket('udp');
    sys.net.bind(socket, '0.0.0.0', DHCP_CLIENT_PORT, device);
    const mac = macText(parseMac(found.mac)!);
    const state: DhclientState = {
      ...failed,
      mac,
      isQuiet: words.includes('-q'),
      socket,
      transaction: sys.random(0x1_0000_0000),
      phase: 'discover',
    };
    return state;
  },
  step(sys, state) {
    if (state.phase === 'failed') return exit(1);
    for (let got = sys.net.receiveFrom(state.socket); got; got = sys.net.receiveFrom(state.socket)) {
      const message = decodeDhcp(got.bytes);
      if (message && message.transaction === state.transaction && message.clientMac === state.mac) {
        const end = take(sys, state, message);
        if (end) return end;
      }
    }
    if (sys.nowNs >= state.untilNs) {
      if (state.tries++ >= TRIES) {
        sys.eprint('No DHCPOFFERS received.\nNo working leases in persistent database - sleeping.\n');
        return exit(2);
      }
      ask(sys, state);
    }
    return wait({ readable: state.socket }, { untilNs: state.untilNs });
  },
};

function ask(sys: Sys, state: DhclientState): void {
  const waitNs = Math.min(2 ** state.tries, 16) * 1e9;
  state.untilNs = sys.nowNs + waitNs;
  const { nodename } = sys.uname();
  const request: DhcpMessage = {
    type: state.phase === 'request' ? 'request' : 'discover',
    transaction: state.transaction,
    clientMac: state.mac,
    yourAddress: 0,
    ...(state.phase === 'request' ? { requestedAddress: state.offered, serverAddress: state.server } : {}),
    ...(nodename && nodename !== 'localhost' ? { hostName: nodename } : {}),
  };
  if (!state.isQuiet) {
    sys.print(
      state.phase === 'request'
        ? `DHCPREQUEST on ${state.device} to ${EVERYBODY} port ${DHCP_SERVER_PORT}\n`
        : `DHCPDISCOVER on ${state.device} to ${EVERYBODY} port ${DHCP_SERVER_PORT} interval ${waitNs / 1e9}\n`,
    );
  }
  try {
    sys.net.sendTo(state.socket, encodeDhcp(request), EVERYBODY, DHCP_SERVER_PORT);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    sys.eprint(`send_packet: ${error.message}\n`);
  }
}

function take(sys: Sys, state: DhclientState, message: DhcpMessage): Step | undefined {
  if (message.type === 'offer' && state.phase === 'discover') {
    if (!state.isQuiet) sys.print(`DHCPOFFER from ${ipText(message.serverAddress ?? 0)}\n`);
    state.phase = 'request';
    state.offered = message.yourAddress;
    state.server = message.serverAddress ?? 0;
    state.tries = 0;
    state.untilNs = 0;
  } else if (message.type === 'nak' && state.phase === 'request') {
    state.phase = 'discover';
    state.untilNs = 0;
  } else if (message.type === 'ack' && state.phase === 'request') {
    configure(sys, state, message);
    return exit(0);
  }
  return undefined;
}

function configure(sys: Sys, state: DhclientState, message: DhcpMessage): void {
  const address = ipText(message.yourAddress);
  const server = ipText(message.serverAddress ?? 0);
  sys.net.setAddress(state.device, address, prefixOf(message.subnetMask ?? parseIp('255.255.255.0')!) ?? 24);
  if (message.router !== undefined) {
    for (const route of sys.net.routes().filter((each) => each.prefixLength === 0)) sys.net.deleteRoute(route);
    sys.net.addRoute({
      destination: '0.0.0.0',
      prefixLength: 0,
      gateway: ipText(message.router),
      device: state.device,
      metric: 0,
    });
  }
  if (message.nameServer !== undefined) sys.writeFile('/etc/resolv.conf', `nameserver ${ipText(message.nameServer)}\n`);
  if (state.isQuiet) return;
  const renewal = Math.floor((message.leaseSeconds ?? 86400) / 2);
  sys.print(`DHCPACK from ${server}\nbound to ${address} -- renewal in ${renewal} seconds.\n`);
}
