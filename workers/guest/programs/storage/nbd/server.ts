/**
 * nbd-server: exports files and block devices over TCP (nbd 2.9). It goes into the background once it listens; what it then
 * has to say goes to the system log.
 *
 * Differs from nbd 2.9: one process serves all clients, since they share the reservations (reservations.ts); a block device
 * is opened exclusively, so that nobody mounts it beside.
 */
import { strerror } from '../../../../lib/errno';
import { encodeGreeting, NBD_FLAG_HAS_FLAGS, NBD_FLAG_READ_ONLY, NBD_FLAG_SEND_FLUSH } from '../../../block/nbdWire';
import { again, exit, type Program, type Step, type Sys, SysError, type Wait } from '../../../sys';
import { parseOptions, quietly, UsageError } from '../../options';
import { type Client, serve, type Volume } from './connection';
import type { Reservation } from './reservations';
import { ConfigError, type Export, readCommandLine, readConfig, SERVER_USAGE } from './serverConfig';
import { syslog } from './syslog';

interface ServerState {
  /** Status to end with; −1 while it serves. */
  status: number;
  readonly exports: readonly Export[];
  readonly listeners: readonly number[];
  readonly pidFile: string;
  isDaemon: boolean;
  /** What it exports is its own as long as it runs, with or without clients. */
  hasOpened: boolean;
  clients: Client[];
  nextClient: number;
  /** Of each export. */
  readonly reservations: (readonly Reservation[])[];
}

const TAG = 'nbd_server';
const LONG = {
  'read-only': 'r', 'authorize-file': 'l', 'config-file': 'C', 'pid-file': 'p', 'max-connections': 'M',
}; // biome-ignore format: a table

export const nbdServer: Program<ServerState> = {
  name: 'nbd-server',
  start(sys) {
    try {
      return begin(sys);
    } catch (error) {
      if (error instanceof UsageError)
        sys.eprint(`${error.message === '' ? '' : `nbd-server: ${error.message}\n`}${SERVER_USAGE}`);
      else if (error instanceof ConfigError) sys.eprint(`** (process:${sys.pid}): WARNING **: ${error.message}\n`);
      else if (error instanceof SysError) sys.eprint(`Error: ${error.message}\nExiting.\n`);
      else throw error;
      return { ...blank(), status: 1 };
    }
  },
  step(sys, state) {
    if (state.status >= 0) return exit(state.status);
    return state.isDaemon ? serveAll(sys, state) : daemonise(sys, state);
  },
  signal(sys, state, signal) {
    if (signal !== 'TERM' && signal !== 'INT') return false;
    quietly(() => sys.unlink(state.pidFile));
    return false;
  },
};

function blank(): ServerState {
  return {
    status: -1, exports: [], listeners: [], pidFile: '', isDaemon: false, hasOpened: false, clients: [], nextClient: 1, reservations: [],
  }; // biome-ignore format: a record
}

function begin(sys: Sys): ServerState {
  const options = parseOptions(sys.argv.slice(1), { usage: '', options: 'rl:C:p:M:', long: LONG });
  const line = readCommandLine(options.words, (letter) => options.value(letter));
  const exports = line.export ? [line.export] : readConfig(configText(sys, line.configFile));
  const listeners = exports.map(({ address, port }) => {
    const socket = sys.net.socket('tcp');
    try {
      sys.net.bind(socket, address, port);
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      throw new SysError(error.code, 'bind');
    }
    sys.net.listen(socket);
    return socket;
  });
  for (const each of exports) {
    const file = openExport(sys, each);
    if (file !== undefined) sys.close(file);
  }
  return { ...blank(), exports, listeners, pidFile: line.pidFile, reservations: exports.map(() => []) };
}

/** Undefined when it cannot be opened, which its clients will hear; SysError EBUSY when somebody else has the device. */
function openExport(sys: Sys, { path, isReadonly }: Export): number | undefined {
  try {
    return sys.open(path, { read: true, write: !isReadonly, exclusive: !isReadonly });
  } catch (error) {
    if (!(error instanceof SysError) || error.code === 'EBUSY') throw error;
    return undefined;
  }
}

function configText(sys: Sys, path: string): string {
  const text = quietly(() => sys.readText(path));
  if (text === undefined) throw new ConfigError(`Could not parse config file: Could not open config file ${path}.`);
  return text;
}

/** The listening sockets go on in a child of its own session, and the shell gets its prompt back. */
function daemonise(sys: Sys, state: ServerState): Step {
  const nowhere = sys.open('/dev/null', { read: true, write: true });
  const kept = Object.fromEntries(state.listeners.map((fd) => [fd, fd]));
  const pid = sys.spawn({
    argv: sys.argv,
    fork: { program: 'nbd-server', state: { ...state, isDaemon: true } },
    fds: { ...kept, 0: nowhere, 1: nowhere, 2: nowhere },
    newSession: true,
    cwd: '/',
  });
  sys.writeFile(state.pidFile, `${pid}\n`);
  return exit(0);
}

function serveAll(sys: Sys, state: ServerState): Step {
  if (!state.hasOpened) for (const each of state.exports) openExport(sys, each);
  state.hasOpened = true;
  const waits: Wait[] = state.listeners.map((readable) => ({ readable }));
  state.listeners.forEach((listener, index) => {
    for (let peer = sys.net.accept(listener); peer; peer = sys.net.accept(listener)) welcome(sys, state, index, peer);
  });
  let isBusy = false;
  for (const client of [...state.clients]) {
    const result = served(sys, state, client);
    if (result === 'more') isBusy = true;
    else if ('over' in result) dismiss(sys, state, client, result.over);
    else waits.push(result);
  }
  return isBusy ? again() : { do: 'wait', on: waits };
}

function served(sys: Sys, state: ServerState, client: Client): ReturnType<typeof serve> {
  const volume: Volume = {
    get reservations() {
      return state.reservations[client.export]!;
    },
    set reservations(all) {
      state.reservations[client.export] = all;
    },
    report: () => reportOf(state, client.export),
  };
  try {
    return serve(sys, client, volume);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    return { over: strerror[error.code] };
  }
}

/** A line for each reservation: the domain's uuid, its mode, the host. */
function reportOf(state: ServerState, index: number): string {
  return state.reservations[index]!.map(({ key, mode, client }) => {
    const uuid = key.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
    return `${uuid} ${mode} ${state.clients.find(({ id }) => id === client)!.address}\n`;
  }).join('');
}

function welcome(sys: Sys, state: ServerState, index: number, peer: { fd: number; address: string }): void {
  const wanted = state.exports[index]!;
  const refuse = (text: string) => {
    syslog(sys, TAG, text);
    sys.close(peer.fd);
  };
  syslog(sys, TAG, `connect from ${peer.address}, assigned file is ${wanted.path}`);
  if (!isAuthorised(sys, wanted, peer.address)) {
    refuse('Unauthorized client');
    return;
  }
  const present = state.clients.filter((client) => client.export === index).length;
  if (wanted.maxConnections > 0 && present >= wanted.maxConnections) {
    refuse('Max connections reached');
    return;
  }
  let file: number;
  try {
    file = sys.open(wanted.path, { read: true, write: !wanted.isReadonly, exclusive: !wanted.isReadonly });
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    refuse(`Could not open exported file ${wanted.path}: ${strerror[error.code]}`);
    return;
  }
  const size = wanted.size || sys.seek(file, 0, 'end');
  syslog(sys, TAG, `Size of exported file/device is ${size}`);
  sys.net.keepAlive(peer.fd);
  const flags = NBD_FLAG_HAS_FLAGS | NBD_FLAG_SEND_FLUSH | (wanted.isReadonly ? NBD_FLAG_READ_ONLY : 0);
  state.clients.push({
    id: state.nextClient++,
    socket: peer.fd,
    address: peer.address,
    export: index,
    file,
    size,
    isReadonly: wanted.isReadonly,
    received: [],
    unsent: [encodeGreeting({ bytes: size, flags })],
    request: null,
  });
}

/** Without a list of hosts everybody may come; a list that cannot be read admits nobody. */
function isAuthorised(sys: Sys, { authFile }: Export, address: string): boolean {
  if (authFile === undefined) return true;
  const text = quietly(() => sys.readText(authFile)) ?? '';
  return text.split('\n').some((line) => line.trim() === address);
}

/** What it had reserved is free again. */
function dismiss(sys: Sys, state: ServerState, client: Client, text: string): void {
  syslog(sys, TAG, `${client.address}: ${text}`);
  state.clients = state.clients.filter((other) => other !== client);
  state.reservations[client.export] = state.reservations[client.export]!.filter((each) => each.client !== client.id);
  sys.close(client.file);
  sys.close(client.socket);
}
