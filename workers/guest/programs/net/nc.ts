/** nc: one TCP connection or a stream of UDP datagrams between the terminal (or a pipe) and a port (netcat 1.10). */
import { exit, type Program, type Step, type Sys, SysError, wait } from '../../sys';
import { decimal, type ParsedOptions, parseOptions, UsageError } from './options';

interface NcState {
  phase: 'connecting' | 'listening' | 'open' | 'failed';
  socket: number;
  readonly isUdp: boolean;
  readonly isVerbose: boolean;
  readonly isScan: boolean;
  readonly address: string;
  readonly port: number;
  readonly deadlineNs: number;
  /** From standard input, not yet taken by the connection. */
  pending: Uint8Array;
  inputEnded: boolean;
  /** Seconds after the end of input to quit; negative: when the other side closes. */
  readonly quitNs: number;
  inputEndedNs: number;
  readonly status: number;
}

export const nc: Program<NcState> = {
  name: 'nc',
  start(sys) {
    try {
      return begin(sys, parseOptions(sys.argv.slice(1), 'lup:vzw:q:ns:'));
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      sys.eprint(
        error.message ? `nc: ${error.message}\n` : 'usage: nc [-luvz] [-p port] [-w secs] [-q secs] [host] [port]\n',
      );
      return { ...failedState, status: 1 };
    }
  },
  step(sys, state) {
    switch (state.phase) {
      case 'failed':
        return exit(state.status);
      case 'connecting':
        return connecting(sys, state);
      case 'listening':
        return listening(sys, state);
      case 'open':
        return copy(sys, state);
    }
  },
};

const failedState: NcState = {
  phase: 'failed',
  socket: -1,
  isUdp: false,
  isVerbose: false,
  isScan: false,
  address: '',
  port: 0,
  deadlineNs: 0,
  pending: new Uint8Array(0),
  inputEnded: false,
  quitNs: -1,
  inputEndedNs: 0,
  status: 1,
};

function begin(sys: Sys, { options, words }: ParsedOptions): NcState {
  const isUdp = options.has('u');
  const isListening = options.has('l');
  const portText = isListening ? (options.get('p') ?? words.at(-1)) : words[1];
  const host = isListening ? '0.0.0.0' : words[0];
  if (host === undefined || portText === undefined) throw new UsageError('');
  const address = sys.net.resolve(host);
  const port = decimal(portText, `invalid port ${portText}`);
  if (address === undefined) {
    sys.eprint(`${host}: forward host lookup failed: Unknown host\n`);
    return failedState;
  }
  const socket = sys.net.socket(isUdp ? 'udp' : 'tcp');
  const state: NcState = {
    ...failedState,
    socket,
    isUdp,
    isVerbose: options.has('v'),
    isScan: options.has('z'),
    address,
    port,
    deadlineNs: options.has('w') ? sys.nowNs + decimal(options.get('w')!, 'invalid wait-time') * 1e9 : 0,
    quitNs: options.has('q') ? decimal(options.get('q')!, 'invalid wait-time') * 1e9 : -1,
    phase: isListening ? 'listening' : 'connecting',
  };
  if (isListening) {
    sys.net.bind(socket, '0.0.0.0', port);
    if (!isUdp) sys.net.listen(socket);
    if (state.isVerbose) sys.eprint(`listening on [any] ${port} ...\n`);
  } else {
    if (options.has('p')) sys.net.bind(socket, '0.0.0.0', decimal(options.get('p')!, 'invalid port'));
    sys.net.connect(socket, address, port);
  }
  return state;
}

function connecting(sys: Sys, state: NcState): Step {
  const error = sys.net.socketError(state.socket);
  if (error === 'pending') {
    if (state.deadlineNs > 0 && sys.nowNs >= state.deadlineNs) return refused(sys, state, 'Connection timed out');
    return wait({ writable: state.socket }, ...(state.deadlineNs > 0 ? [{ untilNs: state.deadlineNs }] : []));
  }
  if (error !== undefined) return refused(sys, state, new SysError(error).message);
  if (state.isVerbose) sys.eprint(`${state.address} ${state.port} open\n`);
  if (state.isScan) return exit(0);
  state.phase = 'open';
  return copy(sys, state);
}

function refused(sys: Sys, state: NcState, text: string): Step {
  if (state.isVerbose || !state.isScan) sys.eprint(`${state.address} ${state.port} : ${text}\n`);
  return exit(1);
}

function listening(sys: Sys, state: NcState): Step {
  if (state.isUdp) {
    const first = sys.net.receiveFrom(state.socket);
    if (!first) return wait({ readable: state.socket });
    sys.net.connect(state.socket, first.address, first.port);
    sys.print(first.bytes);
    state.phase = 'open';
    return copy(sys, state);
  }
  const connection = sys.net.accept(state.socket);
  if (!connection) return wait({ readable: state.socket });
  if (state.isVerbose) sys.eprint(`connect to port ${state.port} from ${connection.address} ${connection.port}\n`);
  sys.close(state.socket);
  state.socket = connection.fd;
  state.phase = 'open';
  return copy(sys, state);
}

function copy(sys: Sys, state: NcState): Step {
  for (;;) {
    if (state.pending.length === 0 && !state.inputEnded) {
      const data = sys.read(0, 16384);
      if (data?.length === 0) {
        state.inputEnded = true;
        state.inputEndedNs = sys.nowNs;
        if (!state.isUdp) sys.net.shutdownWrite(state.socket);
      } else if (data) state.pending = data;
    }
    if (state.pending.length === 0) break;
    const taken = sys.write(state.socket, state.pending);
    state.pending = state.pending.slice(taken);
    if (taken === 0) break;
  }
  const got = sys.read(state.socket, 65536);
  if (got?.length === 0 && !state.isUdp) return exit(0);
  if (got) {
    sys.print(got);
    return { do: 'again' };
  }
  const quitsAt = state.inputEnded && state.quitNs >= 0 ? state.inputEndedNs + state.quitNs : undefined;
  if (quitsAt !== undefined && sys.nowNs >= quitsAt) return exit(0);
  return wait(
    { readable: state.socket },
    ...(state.pending.length > 0 ? [{ writable: state.socket }] : state.inputEnded ? [] : [{ readable: 0 }]),
    ...(quitsAt === undefined ? [] : [{ untilNs: quitsAt }]),
  );
}
