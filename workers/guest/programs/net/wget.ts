/** wget: fetches one document over HTTP 1.0 (GNU Wget 1.10, quiet about everything but the essentials). */
import { exit, type Program, type Step, type Sys, SysError, wait } from '../../sys';
import { parseOptions, UsageError } from './options';

interface WgetState {
  phase: 'failed' | 'connecting' | 'sending' | 'receiving';
  socket: number;
  readonly url: string;
  readonly host: string;
  readonly address: string;
  readonly port: number;
  readonly path: string;
  readonly output: string;
  readonly isQuiet: boolean;
  request: Uint8Array;
  head: string;
  inBody: boolean;
  file: number;
  length: number | undefined;
  received: number;
  readonly startNs: number;
}

export const wget: Program<WgetState> = {
  name: 'wget',
  start(sys) {
    try {
      const { options, words } = parseOptions(sys.argv.slice(1), 'qO:');
      const match = /^(?:http:\/\/)?([^/:]+)(?::(\d+))?(\/.*)?$/.exec(words[0] ?? '');
      if (words.length !== 1) throw new UsageError('missing URL');
      if (!match || /^[a-z]+:\/\//.test(words[0]!.replace(/^http:/, '')))
        throw new UsageError(`${words[0]}: Unsupported scheme.`);
      return begin(sys, options, match);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      sys.eprint(`wget: ${error.message}\nUsage: wget [-q] [-O FILE] URL\n`);
      return failed();
    }
  },
  step(sys, state) {
    try {
      return run(sys, state);
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      sys.eprint(`wget: ${error.message}\n`);
      return exit(1);
    }
  },
};

function failed(): WgetState {
  return {
    phase: 'failed',
    socket: -1,
    url: '',
    host: '',
    address: '',
    port: 0,
    path: '',
    output: '',
    isQuiet: true,
    request: new Uint8Array(0),
    head: '',
    inBody: false,
    file: -1,
    length: undefined,
    received: 0,
    startNs: 0,
  };
}

function begin(sys: Sys, options: ReadonlyMap<string, string>, match: RegExpExecArray): WgetState {
  const host = match[1]!;
  const port = Number(match[2] ?? 80);
  const path = match[3] ?? '/';
  const isQuiet = options.has('q');
  const url = `http://${host}${port === 80 ? '' : `:${port}`}${path}`;
  const address = sys.net.resolve(host);
  if (!isQuiet) sys.eprint(`--${clock(sys)}--  ${url}\n`);
  if (address === undefined) {
    sys.eprint(`Resolving ${host}... failed: Name or service not known.\n`);
    return failed();
  }
  if (!isQuiet) sys.eprint(`Connecting to ${host}|${address}|:${port}... `);
  const socket = sys.net.socket('tcp');
  sys.net.connect(socket, address, port);
  const request = new TextEncoder().encode(
    `GET ${path} HTTP/1.0\r\nUser-Agent: Wget/1.10.2\r\nHost: ${host}\r\nAccept: */*\r\n\r\n`,
  );
  const name = path.slice(path.lastIndexOf('/') + 1) || 'index.html';
  return {
    ...failed(),
    phase: 'connecting',
    socket,
    url,
    host,
    address,
    port,
    path,
    isQuiet,
    request,
    output: options.get('O') ?? name,
    startNs: sys.nowNs,
  };
}

function clock(sys: Sys): string {
  return new Date(Math.floor(sys.wallClock) * 1000).toISOString().slice(11, 19);
}

function run(sys: Sys, state: WgetState): Step {
  if (state.phase === 'failed') return exit(1);
  if (state.phase === 'connecting') {
    const error = sys.net.socketError(state.socket);
    if (error === 'pending') return wait({ writable: state.socket });
    if (error !== undefined) {
      sys.eprint(`${state.isQuiet ? 'wget: ' : 'failed: '}${new SysError(error).message}.\n`);
      return exit(1);
    }
    if (!state.isQuiet) sys.eprint('connected.\nHTTP request sent, awaiting response... ');
    state.phase = 'sending';
  }
  if (state.phase === 'sending') {
    state.request = state.request.slice(sys.write(state.socket, state.request));
    if (state.request.length > 0) return wait({ writable: state.socket });
    state.phase = 'receiving';
  }
  const data = sys.read(state.socket, 65536);
  if (data === undefined) return wait({ readable: state.socket });
  if (data.length === 0) return finish(sys, state);
  return take(sys, state, data);
}

function take(sys: Sys, state: WgetState, data: Uint8Array): Step {
  if (state.inBody) {
    store(sys, state, data);
    return { do: 'again' };
  }
  // Header bytes are kept one character a byte, so that the body's first bytes survive.
  state.head += Array.from(data, (byte) => String.fromCharCode(byte)).join('');
  const end = /\r?\n\r?\n/.exec(state.head);
  if (!end) return { do: 'again' };
  const head = state.head.slice(0, end.index);
  const body = Uint8Array.from(state.head.slice(end.index + end[0].length), (char) => char.charCodeAt(0));
  const status = /^HTTP\/\S+ (\d+) ?(.*)/.exec(head);
  if (!state.isQuiet) sys.eprint(`${status?.[1] ?? '???'} ${(status?.[2] ?? '').trim()}\n`);
  if (!status || !status[1]!.startsWith('2')) {
    if (!state.isQuiet)
      sys.eprint(`${clock(sys)} ERROR ${status?.[1] ?? '-1'}: ${status?.[2]?.trim() || 'Malformed status line'}.\n`);
    return exit(1);
  }
  const length = /^content-length:\s*(\d+)/im.exec(head);
  state.length = length ? Number(length[1]) : undefined;
  state.inBody = true;
  state.head = '';
  state.file =
    state.output === '-' ? 1 : sys.open(state.output, { write: true, create: true, truncate: true, mode: 0o644 });
  if (!state.isQuiet)
    sys.eprint(
      `Length: ${state.length ?? 'unspecified'}\nSaving to: \`${state.output === '-' ? 'STDOUT' : state.output}'\n\n`,
    );
  store(sys, state, body);
  return { do: 'again' };
}

function store(sys: Sys, state: WgetState, data: Uint8Array): void {
  state.received += data.length;
  if (state.file === 1) sys.print(data);
  else for (let at = 0; at < data.length; ) at += sys.write(state.file, data.subarray(at));
}

function finish(sys: Sys, state: WgetState): Step {
  if (!state.inBody) {
    sys.eprint('No data received.\n');
    return exit(1);
  }
  const isWhole = state.length === undefined || state.received >= state.length;
  if (!state.isQuiet) {
    const rate = state.received / 1024 / Math.max(1e-3, (sys.nowNs - state.startNs) / 1e9);
    sys.eprint(
      isWhole
        ? `${clock(sys)} (${rate.toFixed(2)} KB/s) - \`${state.output}' saved [${state.received}${state.length === undefined ? '' : `/${state.length}`}]\n\n`
        : `${clock(sys)} - Connection closed at byte ${state.received}.\n`,
    );
  }
  return exit(isWhole ? 0 : 1);
}
