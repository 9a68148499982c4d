/** ping: echo requests once a second, round-trip times, and a summary (iputils of 2006). */
import {
  decodeIcmp,
  encodeIcmp,
  ICMP_ECHO,
  ICMP_ECHO_REPLY,
  ICMP_TIME_EXCEEDED,
  ICMP_UNREACHABLE,
} from '../../../lib/packet/packet';
import { exit, type Program, type Step, type Sys, SysError, wait } from '../../sys';
import { decimal, parseOptions, UsageError } from './options';

interface PingState {
  socket: number;
  readonly host: string;
  readonly address: string;
  /** 0: until interrupted. */
  readonly count: number;
  readonly size: number;
  readonly intervalNs: number;
  readonly timeoutNs: number;
  readonly deadlineNs: number;
  readonly isQuiet: boolean;
  readonly isFlood: boolean;
  readonly startNs: number;
  readonly id: number;
  sequence: number;
  nextNs: number;
  sentNs: number[];
  received: number;
  duplicates: number;
  errors: number;
  /** Round-trip times so far, ms. */
  minMs: number;
  maxMs: number;
  sumMs: number;
  sumSquares: number;
  interrupted: boolean;
}

const USAGE = `Usage: ping [-fnq] [-c count] [-i interval] [-s packetsize] [-w deadline]
            [-W timeout] destination
`;

export const ping: Program<PingState | { status: number }> = {
  name: 'ping',
  start(sys) {
    try {
      return begin(sys);
    } catch (error) {
      if (error instanceof UsageError) {
        sys.eprint(error.message ? `ping: ${error.message}\n${USAGE}` : USAGE);
        return { status: 2 };
      }
      throw error;
    }
  },
  step(sys, state) {
    return 'status' in state ? exit(state.status) : run(sys, state);
  },
  signal(_sys, state, signal) {
    if (signal !== 'INT' || 'status' in state) return false;
    state.interrupted = true;
    return true;
  },
};

function begin(sys: Sys): PingState | { status: number } {
  const { options, words } = parseOptions(sys.argv.slice(1), 'c:i:s:w:W:fnqb');
  if (words.length !== 1) throw new UsageError('');
  const host = words[0]!;
  const address = sys.net.resolve(host);
  if (address === undefined) {
    sys.eprint(`ping: unknown host ${host}\n`);
    return { status: 2 };
  }
  const size = decimal(options.get('s') ?? '56', 'bad packet size');
  if (size > 65507) throw new UsageError(`packet size ${size} is too large. Maximum is 65507`);
  const socket = sys.net.socket('icmp');
  sys.print(`PING ${host} (${address}) ${size}(${size + 28}) bytes of data.\n`);
  const isFlood = options.has('f');
  return {
    socket,
    host,
    address,
    count: decimal(options.get('c') ?? '0', 'bad number of packets to transmit'),
    size,
    intervalNs: isFlood ? 10e6 : seconds(options.get('i') ?? '1'),
    timeoutNs: seconds(options.get('W') ?? '10'),
    deadlineNs: options.has('w') ? sys.nowNs + seconds(options.get('w')!) : 0,
    isQuiet: options.has('q') || isFlood,
    isFlood,
    startNs: sys.nowNs,
    id: sys.pid & 0xffff,
    sequence: 0,
    nextNs: sys.nowNs,
    sentNs: [],
    received: 0,
    duplicates: 0,
    errors: 0,
    minMs: 0,
    maxMs: 0,
    sumMs: 0,
    sumSquares: 0,
    interrupted: false,
  };
}

function seconds(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new UsageError('bad timing interval.');
  return value * 1e9;
}

function run(sys: Sys, state: PingState): Step {
  receive(sys, state);
  const allSent = state.count > 0 && state.sequence >= state.count;
  const allAnswered = allSent && state.received + state.errors >= state.count;
  const gaveUp = allSent && sys.nowNs >= state.sentNs[state.sequence - 1]! + state.timeoutNs;
  const isLate = state.deadlineNs > 0 && sys.nowNs >= state.deadlineNs;
  if (state.interrupted || allAnswered || gaveUp || isLate) return finish(sys, state);
  if (!allSent && sys.nowNs >= state.nextNs && !send(sys, state)) return exit(2);
  const until =
    allSent || state.sequence === state.count ? state.sentNs[state.sequence - 1]! + state.timeoutNs : state.nextNs;
  const wake = state.deadlineNs > 0 ? Math.min(until, state.deadlineNs) : until;
  return wait({ readable: state.socket }, { untilNs: wake });
}

/** False: there is no way to the destination at all. */
function send(sys: Sys, state: PingState): boolean {
  const sequence = ++state.sequence;
  const data = new Uint8Array(state.size).map((_, i) => i & 255);
  state.sentNs.push(sys.nowNs);
  state.nextNs = sys.nowNs + state.intervalNs;
  try {
    const rest = ((state.id << 16) | (sequence & 0xffff)) >>> 0;
    sys.net.sendTo(state.socket, encodeIcmp({ type: ICMP_ECHO, code: 0, rest, data }), state.address, 0);
    if (state.isFlood) sys.print('.');
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    const isFirst = sequence === 1 && error.code === 'ENETUNREACH';
    sys.eprint(`${isFirst ? 'connect' : 'ping: sendmsg'}: ${error.message}\n`);
    if (isFirst) return false;
    state.errors++;
  }
  return true;
}

function receive(sys: Sys, state: PingState): void {
  for (let got = sys.net.receiveFrom(state.socket); got; got = sys.net.receiveFrom(state.socket)) {
    const icmp = decodeIcmp(got.bytes);
    if (!icmp) continue;
    if (icmp.type === ICMP_ECHO_REPLY && icmp.rest >>> 16 === state.id) answered(sys, state, got, icmp.rest & 0xffff);
    else if (icmp.type === ICMP_UNREACHABLE || icmp.type === ICMP_TIME_EXCEEDED) failed(sys, state, got.address, icmp);
  }
}

function answered(
  sys: Sys,
  state: PingState,
  got: { bytes: Uint8Array; address: string; ttl: number },
  sequence: number,
): void {
  const sent = state.sentNs[sequence - 1];
  if (sent === undefined) return;
  const ms = (sys.nowNs - sent) / 1e6;
  const isDuplicate = sent < 0;
  if (isDuplicate) state.duplicates++;
  else {
    state.received++;
    state.minMs = state.received === 1 ? ms : Math.min(state.minMs, ms);
    state.maxMs = Math.max(state.maxMs, ms);
    state.sumMs += ms;
    state.sumSquares += ms * ms;
  }
  if (state.isFlood) sys.print('\b \b');
  else if (!state.isQuiet) {
    sys.print(
      `${got.bytes.length} bytes from ${got.address}: icmp_seq=${sequence} ttl=${got.ttl} time=${threeDigits(ms)} ms${isDuplicate ? ' (DUP!)' : ''}\n`,
    );
  }
}

function failed(
  sys: Sys,
  state: PingState,
  from: string,
  icmp: { type: number; code: number; data: Uint8Array },
): void {
  if (icmp.data.length < 28) return;
  const view = new DataView(icmp.data.buffer, icmp.data.byteOffset, icmp.data.length);
  if (view.getUint16(24) !== state.id) return;
  state.errors++;
  if (state.isQuiet) return;
  const what =
    icmp.type === ICMP_TIME_EXCEEDED
      ? 'Time to live exceeded'
      : ([
          'Destination Net Unreachable',
          'Destination Host Unreachable',
          'Destination Protocol Unreachable',
          'Destination Port Unreachable',
        ][icmp.code] ?? 'Dest Unreachable');
  sys.print(`From ${from} icmp_seq=${view.getUint16(26)} ${what}\n`);
}

function finish(sys: Sys, state: PingState): Step {
  const lost = state.sequence === 0 ? 0 : Math.round((100 * (state.sequence - state.received)) / state.sequence);
  const duplicates = state.duplicates ? `, +${state.duplicates} duplicates` : '';
  const errors = state.errors ? `, +${state.errors} errors` : '';
  const ms = Math.round((sys.nowNs - state.startNs) / 1e6);
  if (state.sequence > state.errors || state.received > 0 || state.errors > 0) {
    sys.print(
      `\n--- ${state.host} ping statistics ---\n${state.sequence} packets transmitted, ${state.received} received${duplicates}${errors}, ${lost}% packet loss, time ${ms}ms\n`,
    );
  }
  if (state.received > 0) {
    const average = state.sumMs / state.received;
    const deviation = Math.sqrt(Math.max(0, state.sumSquares / state.received - average * average));
    const figures = [state.minMs, average, state.maxMs, deviation].map((value) => value.toFixed(3)).join('/');
    sys.print(`rtt min/avg/max/mdev = ${figures} ms\n`);
  } else if (state.errors > 0) sys.print('\n');
  return exit(state.received > 0 ? 0 : 1);
}

/** Three significant digits, as ping prints times. */
function threeDigits(ms: number): string {
  if (ms >= 100) return ms.toFixed(0);
  if (ms >= 10) return ms.toFixed(1);
  if (ms >= 1) return ms.toFixed(2);
  return ms.toFixed(3);
}
