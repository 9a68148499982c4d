/**
 * nbd-client: connects to an nbd-server, hears how large the volume is, and gives the connection to /dev/nbdN (nbd 2.9). It
 * stays in the background as long as the device has it.
 */
import { strerror } from '../../../../lib/errno';
import type { NbdSettings } from '../../../block/nbdDevice';
import {
  decodeGreeting,
  NBD_FLAG_HAS_FLAGS,
  NBD_FLAG_READ_ONLY,
  NBD_FLAG_SEND_FLUSH,
  NBD_GREETING_BYTES,
} from '../../../block/nbdWire';
import { again, exit, type Program, type Step, type Sys, SysError, wait } from '../../../sys';
import { syslog } from './syslog';

interface ClientState {
  phase: 'ended' | 'connecting' | 'greeting' | 'serving' | 'waiting';
  status: number;
  readonly host: string;
  readonly port: number;
  readonly device: string;
  readonly blockSize: number;
  readonly timeoutNs: number;
  /** A connection that is lost is made again. */
  readonly isPersistent: boolean;
  readonly staysInFront: boolean;
  /** It is the process in the background: what it has to say goes to the log. */
  isDaemon: boolean;
  address: string;
  socket: number;
  greeting: Uint8Array;
  /** When the connection must have come about and the server have said its greeting. */
  deadlineNs: number;
  retryNs: number;
}

const USAGE = `nbd-client version 2.9.11
Usage: nbd-client [bs=blocksize] [timeout=sec] host port nbd_device [-swap] [-persist] [-nofork]
Or   : nbd-client -d nbd_device
Or   : nbd-client -c nbd_device
Default value for blocksize is 1024 (recommended for ethernet)
Allowed values for blocksize are 512,1024,2048,4096
Note, that kernel 2.4.2 and older ones do not work correctly with
blocksizes other than 1024 without patches
`;
const BLOCK_SIZES = [512, 1024, 2048, 4096];
const RETRY_NS = 1e9;
/** A script that imports a volume must not wait for ever for a server that says nothing. */
const PATIENCE_NS = 30e9;

/** What ends it, or with -persist only this attempt. */
class ClientError extends Error {
  override readonly name = 'ClientError';
}

export const nbdClient: Program<ClientState> = {
  name: 'nbd-client',
  start(sys) {
    const state = begin(sys);
    return typeof state === 'number' ? { ...blank, phase: 'ended', status: state } : state;
  },
  step(sys, state) {
    try {
      return goOn(sys, state);
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      return failed(sys, state, error.message);
    }
  },
};

const blank: ClientState = {
  phase: 'connecting', status: 0, host: '', port: 0, device: '', blockSize: 1024, timeoutNs: 0, isPersistent: false, staysInFront: false,
  isDaemon: false, address: '', socket: -1, greeting: new Uint8Array(0), deadlineNs: 0, retryNs: 0,
}; // biome-ignore format: a record

/** A number: what it was asked for is done, with this status. */
function begin(sys: Sys): ClientState | number {
  const [first, second] = sys.argv.slice(1);
  if ((first === '-d' || first === '-c') && second !== undefined && sys.argv.length === 3)
    return first === '-d' ? disconnect(sys, second) : check(sys, second);
  const settings = new Map<string, string>();
  const flags = new Set<string>();
  const words: string[] = [];
  for (const word of sys.argv.slice(1)) {
    const pair = /^(bs|timeout)=(\d+)$/.exec(word);
    if (pair) settings.set(pair[1]!, pair[2]!);
    else if (/^-(swap|persist|nofork)$/.test(word)) flags.add(word);
    else words.push(word);
  }
  const [host, port, device] = words;
  const blockSize = Number(settings.get('bs') ?? 1024);
  const isFine = words.length === 3 && !words.some((word) => word.startsWith('-')) && BLOCK_SIZES.includes(blockSize);
  if (!isFine || !/^\d+$/.test(port!) || Number(port) < 1 || Number(port) > 65535) {
    sys.eprint(USAGE);
    return 1;
  }
  return {
    ...blank,
    host: host!,
    port: Number(port),
    device: device!,
    blockSize,
    timeoutNs: Number(settings.get('timeout') ?? 0) * 1e9,
    isPersistent: flags.has('-persist'),
    staysInFront: flags.has('-nofork'),
  };
}

function complain(sys: Sys, text: string): number {
  sys.eprint(`Error: ${text}\nExiting.\n`);
  return 1;
}

function openFailure(error: unknown): string {
  if (!(error instanceof SysError)) throw error;
  return `Cannot open NBD: ${strerror[error.code]}\nPlease ensure the 'nbd' module is loaded.`;
}

function disconnect(sys: Sys, device: string): number {
  try {
    sys.nbdDisconnect(device);
  } catch (error) {
    if (error instanceof SysError && error.code === 'ENOTCONN')
      return complain(sys, `Ioctl failed: ${strerror.ENOTCONN}\n`);
    return complain(sys, openFailure(error));
  }
  sys.print('Disconnecting: que, disconnect, sock, done\n');
  return 0;
}

/** Prints who keeps the connection; status 1 when there is none. */
function check(sys: Sys, device: string): number {
  try {
    const pid = sys.nbdClient(device);
    if (pid !== undefined) sys.print(`${pid}\n`);
    return pid === undefined ? 1 : 0;
  } catch (error) {
    return complain(sys, openFailure(error));
  }
}

function goOn(sys: Sys, state: ClientState): Step {
  switch (state.phase) {
    case 'ended':
      return exit(state.status);
    case 'connecting':
      return connect(sys, state);
    case 'greeting':
      return hearGreeting(sys, state);
    case 'serving':
      return keep(sys, state);
    case 'waiting':
      if (sys.nowNs < state.retryNs) return wait({ untilNs: state.retryNs });
      state.phase = 'connecting';
      return again();
  }
}

function connect(sys: Sys, state: ClientState): Step {
  if (state.socket < 0) {
    if (!state.isDaemon) requireDevice(sys, state.device);
    const address = sys.net.resolve(state.host);
    if (address === undefined) throw new ClientError('Gethostname failed: Unknown host');
    state.address = address;
    state.deadlineNs = sys.nowNs + PATIENCE_NS;
    state.socket = sys.net.socket('tcp');
    try {
      sys.net.connect(state.socket, address, state.port);
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      throw new ClientError(`Connect: ${strerror[error.code]}`);
    }
  }
  const error = sys.net.socketError(state.socket);
  if (error === 'pending') {
    if (sys.nowNs >= state.deadlineNs) throw new ClientError(`Connect: ${strerror.ETIMEDOUT}`);
    return wait({ writable: state.socket }, { untilNs: state.deadlineNs });
  }
  if (error !== undefined) throw new ClientError(`Connect: ${strerror[error]}`);
  sys.net.keepAlive(state.socket);
  if (!state.isDaemon) sys.print('Negotiation: ');
  state.greeting = new Uint8Array(0);
  state.phase = 'greeting';
  return again();
}

function requireDevice(sys: Sys, device: string): void {
  try {
    sys.nbdClient(device);
  } catch (error) {
    throw new ClientError(openFailure(error));
  }
}

function hearGreeting(sys: Sys, state: ClientState): Step {
  let bytes: Uint8Array | undefined;
  try {
    bytes = sys.read(state.socket, NBD_GREETING_BYTES - state.greeting.length);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    throw new ClientError(`Failed/1: ${strerror[error.code]}`);
  }
  if (!bytes) {
    if (sys.nowNs >= state.deadlineNs) throw new ClientError(`Failed/1: ${strerror.ETIMEDOUT}`);
    return wait({ readable: state.socket }, { untilNs: state.deadlineNs });
  }
  if (bytes.length === 0) throw new ClientError('Server closed connection');
  const all = new Uint8Array(state.greeting.length + bytes.length);
  all.set(state.greeting);
  all.set(bytes, state.greeting.length);
  state.greeting = all;
  return all.length < NBD_GREETING_BYTES ? again() : handOver(sys, state);
}

function handOver(sys: Sys, state: ClientState): Step {
  const greeting = decodeGreeting(state.greeting);
  if (typeof greeting === 'string') throw new ClientError(greeting);
  const { bytes, flags } = greeting;
  const has = (flag: number) => (flags & NBD_FLAG_HAS_FLAGS) !== 0 && (flags & flag) !== 0;
  const usable = bytes - (bytes % state.blockSize);
  const settings: NbdSettings = {
    sectors: usable / 512,
    readonly: has(NBD_FLAG_READ_ONLY),
    canFlush: has(NBD_FLAG_SEND_FLUSH),
    timeoutNs: state.timeoutNs,
    server: { address: state.address, port: state.port },
  };
  try {
    sys.nbdConnect(state.device, state.socket, settings);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    throw new ClientError(`Ioctl NBD_SET_SOCK failed: ${strerror[error.code]}\n`);
  }
  sys.close(state.socket);
  state.socket = -1;
  state.phase = 'serving';
  if (state.isDaemon) return again();
  sys.print(`..size = ${Math.floor(bytes / 1024)}KB\n`);
  sys.eprint(`bs=${state.blockSize}, sz=${usable} bytes\n`);
  return state.staysInFront ? again() : daemonise(sys, state);
}

function daemonise(sys: Sys, state: ClientState): Step {
  const nowhere = sys.open('/dev/null', { read: true, write: true });
  sys.spawn({
    argv: sys.argv,
    fork: { program: 'nbd-client', state: { ...state, isDaemon: true } },
    fds: { 0: nowhere, 1: nowhere, 2: nowhere },
    newSession: true,
    cwd: '/',
  });
  return exit(0);
}

/** Waits in the kernel until the connection is over (NBD_DO_IT). */
function keep(sys: Sys, state: ClientState): Step {
  try {
    sys.nbdDoIt(state.device);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    throw new ClientError(`Kernel call returned: ${strerror[error.code]}`);
  }
  return exit(0);
}

function failed(sys: Sys, state: ClientState, text: string): Step {
  if (state.isDaemon) syslog(sys, 'nbd_client', text);
  else complain(sys, text);
  if (!state.isDaemon || !state.isPersistent) return exit(1);
  if (state.socket >= 0) sys.close(state.socket);
  state.socket = -1;
  state.retryNs = sys.nowNs + RETRY_NS;
  state.phase = 'waiting';
  return again();
}
