/** hping2: ICMP, UDP and TCP SYN probes with chosen count, interval and data size (hping 2.0.0). */
import { parseIp } from '../../../lib/packet/addresses';
import {
  decodeIcmp,
  decodeTcp,
  encodeIcmp,
  encodeTcp,
  ICMP_ECHO,
  ICMP_ECHO_REPLY,
  ICMP_UNREACHABLE,
} from '../../../lib/packet/packet';
import { exit, type Program, type Step, type Sys, SysError, wait } from '../../sys';

interface HpingState {
  readonly mode: 'icmp' | 'udp' | 'syn' | 'usage';
  readonly host: string;
  readonly address: string;
  readonly port: number;
  readonly count: number;
  readonly intervalNs: number;
  readonly size: number;
  readonly isQuiet: boolean;
  readonly basePort: number;
  /** Sends probes; `icmp` hears what comes back by ICMP, `tcp` what comes back by TCP. */
  icmp: number;
  out: number;
  sequence: number;
  nextNs: number;
  sentNs: number[];
  received: number;
  minMs: number;
  maxMs: number;
  sumMs: number;
  interrupted: boolean;
}

const USAGE = `usage: hping2 host [options]
  -c  --count     packet count
  -i  --interval  wait (uX for X microseconds, for example -i u1000)
  -q  --quiet     quiet
  -1  --icmp      ICMP mode
  -2  --udp       UDP mode
  -S  --syn       set SYN flag
  -p  --destport  destination port (default 0)
  -d  --data      data size (default is 0)
`;

const LONG: Readonly<Record<string, string>> = {
  '--count': '-c',
  '--interval': '-i',
  '--quiet': '-q',
  '--icmp': '-1',
  '--udp': '-2',
  '--syn': '-S',
  '--destport': '-p',
  '--data': '-d',
};

export const hping2: Program<HpingState> = {
  name: 'hping2',
  start(sys) {
    const state = begin(sys);
    if (typeof state !== 'string') return state;
    sys.eprint(state);
    return blank;
  },
  step(sys, state) {
    if (state.mode === 'usage') return exit(1);
    hear(sys, state);
    const allSent = state.count > 0 && state.sequence >= state.count;
    const last = state.sentNs.at(-1) ?? sys.nowNs;
    const isOver = allSent && (state.received >= state.count || sys.nowNs >= last + 1e9);
    if (state.interrupted || isOver) return finish(sys, state);
    if (!allSent && sys.nowNs >= state.nextNs) send(sys, state);
    return wait({ readable: state.icmp }, { readable: state.out }, { untilNs: allSent ? last + 1e9 : state.nextNs });
  },
  signal(_sys, state, signal) {
    if (signal !== 'INT') return false;
    state.interrupted = true;
    return true;
  },
};

const blank: HpingState = {
  mode: 'usage',
  host: '',
  address: '',
  port: 0,
  count: 0,
  intervalNs: 1e9,
  size: 0,
  isQuiet: false,
  basePort: 0,
  icmp: -1,
  out: -1,
  sequence: 0,
  nextNs: 0,
  sentNs: [],
  received: 0,
  minMs: 0,
  maxMs: 0,
  sumMs: 0,
  interrupted: false,
};

/** The initial state, or the text of a complaint. */
function begin(sys: Sys): HpingState | string {
  let mode: HpingState['mode'] = 'syn';
  let isSyn = false;
  const values: Record<string, string> = {};
  let host: string | undefined;
  const words = sys.argv.slice(1).map((word) => LONG[word] ?? word);
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    if (word === '-1') mode = 'icmp';
    else if (word === '-2') mode = 'udp';
    else if (word === '-S') isSyn = true;
    else if (word === '-q') values['q'] = '';
    else if (/^-[cipd]$/.test(word)) {
      const value = words[++i];
      if (value === undefined) return `hping2: option requires an argument -- ${word[1]}\n`;
      values[word[1]!] = value;
    } else if (word.startsWith('-')) return `hping2: invalid option -- ${word.slice(1)}\n${USAGE}`;
    else host = word;
  }
  if (host === undefined) return 'you must specify only one target host at a time\n';
  const address = sys.net.resolve(host);
  if (address === undefined) return `Unable to resolve '${host}'\n`;
  const numbers = { count: Number(values['c'] ?? 0), port: Number(values['p'] ?? 0), size: Number(values['d'] ?? 0) };
  const interval = /^(u?)(\d+)$/.exec(values['i'] ?? '1');
  if (
    !interval ||
    Object.values(numbers).some((n) => !Number.isInteger(n) || n < 0) ||
    numbers.port > 65535 ||
    numbers.size > 1400
  ) {
    return USAGE;
  }
  const flags =
    mode === 'syn'
      ? isSyn
        ? 'S set, '
        : 'NO FLAGS are set, '
      : mode === 'icmp'
        ? 'icmp mode set, '
        : 'udp mode set, ';
  const header = mode === 'syn' ? 40 : 28;
  const out = sys.net.socket(mode === 'icmp' ? 'icmp' : mode === 'udp' ? 'udp' : 'raw-tcp');
  const route = sys.net.routes().find((each) => each.prefixLength > 0);
  sys.print(
    `HPING ${host} (${route?.device ?? 'lo'} ${address}): ${flags}${header} headers + ${numbers.size} data bytes\n`,
  );
  return {
    ...blank,
    sentNs: [],
    ...numbers,
    mode,
    host,
    address,
    intervalNs: Number(interval[2]) * (interval[1] ? 1e3 : 1e9),
    isQuiet: 'q' in values,
    basePort: 1024 + sys.random(30000),
    out,
    icmp: mode === 'icmp' ? out : sys.net.socket('icmp'),
    nextNs: sys.nowNs,
  };
}

function send(sys: Sys, state: HpingState): void {
  const sequence = state.sequence++;
  const data = new Uint8Array(state.size).fill(0x58);
  state.sentNs.push(sys.nowNs);
  state.nextNs = sys.nowNs + state.intervalNs;
  try {
    if (state.mode === 'icmp') {
      const rest = ((sys.pid << 16) | (sequence & 0xffff)) >>> 0;
      sys.net.sendTo(state.out, encodeIcmp({ type: ICMP_ECHO, code: 0, rest, data }), state.address, 0);
    } else if (state.mode === 'udp') {
      sys.net.sendTo(state.out, data, state.address, state.port);
    } else {
      const source = ownAddress(sys, state.address);
      const segment = {
        sourcePort: state.basePort + sequence,
        destinationPort: state.port,
        sequence: sys.random(0x1_0000_0000),
        acknowledgement: 0,
        flags: { syn: true },
        window: 512,
        data,
      };
      sys.net.sendTo(state.out, encodeTcp(segment, source, parseIp(state.address)!), state.address, 0);
    }
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    sys.eprint(`[send_ip] sendto: ${error.message}\n`);
    state.interrupted = true;
  }
}

/** The address that the kernel sends from to reach `destination`. */
function ownAddress(sys: Sys, destination: string): number {
  const target = parseIp(destination)!;
  const inside = (address: string, prefix: number) =>
    prefix === 0 || (parseIp(address)! ^ target) >>> (32 - prefix) === 0;
  const devices = sys.net.interfaces();
  if (devices.some((device) => device.address === destination)) return target;
  const route = [...sys.net.routes()]
    .sort((a, b) => b.prefixLength - a.prefixLength)
    .find((each) => inside(each.destination, each.prefixLength));
  return parseIp(devices.find((device) => device.name === route?.device)?.address ?? '0.0.0.0')!;
}

function hear(sys: Sys, state: HpingState): void {
  for (let got = sys.net.receiveFrom(state.icmp); got; got = sys.net.receiveFrom(state.icmp)) {
    const icmp = decodeIcmp(got.bytes);
    if (icmp?.type === ICMP_ECHO_REPLY && state.mode === 'icmp' && icmp.rest >>> 16 === (sys.pid & 0xffff)) {
      answer(
        sys,
        state,
        icmp.rest & 0xffff,
        `len=${got.bytes.length + 20} ip=${got.address} ttl=${got.ttl} icmp_seq=${icmp.rest & 0xffff}`,
      );
    } else if (icmp?.type === ICMP_UNREACHABLE && got.address !== '' && icmp.data.length >= 28) {
      const what = ['Network', 'Host', 'Protocol', 'Port'][icmp.code] ?? 'Destination';
      state.received++;
      if (!state.isQuiet) sys.print(`ICMP ${what} Unreachable from ip=${got.address}\n`);
    }
  }
  if (state.mode !== 'syn') return;
  for (let got = sys.net.receiveFrom(state.out); got; got = sys.net.receiveFrom(state.out)) {
    const segment = decodeTcp(got.bytes, parseIp(got.address)!, ownAddress(sys, got.address));
    const sequence = segment ? segment.destinationPort - state.basePort : -1;
    if (!segment || got.address !== state.address || state.sentNs[sequence] === undefined) continue;
    const { syn, ack, rst, fin, psh } = segment.flags;
    const flags = `${rst ? 'R' : ''}${syn ? 'S' : ''}${ack ? 'A' : ''}${fin ? 'F' : ''}${psh ? 'P' : ''}`;
    answer(
      sys,
      state,
      sequence,
      `len=${got.bytes.length + 20} ip=${got.address} ttl=${got.ttl} DF id=0 sport=${segment.sourcePort} flags=${flags} seq=${sequence} win=${segment.window}`,
    );
  }
}

function answer(sys: Sys, state: HpingState, sequence: number, text: string): void {
  const sent = state.sentNs[sequence];
  if (sent === undefined) return;
  const ms = (sys.nowNs - sent) / 1e6;
  state.received++;
  state.minMs = state.received === 1 ? ms : Math.min(state.minMs, ms);
  state.maxMs = Math.max(state.maxMs, ms);
  state.sumMs += ms;
  if (!state.isQuiet) sys.print(`${text} rtt=${ms.toFixed(1)} ms\n`);
}

function finish(sys: Sys, state: HpingState): Step {
  const sent = state.sequence;
  const loss = sent === 0 ? 0 : Math.round((100 * (sent - Math.min(sent, state.received))) / sent);
  const average = state.received === 0 ? 0 : state.sumMs / state.received;
  sys.eprint(
    `\n--- ${state.host} hping statistic ---\n${sent} packets tramitted, ${state.received} packets received, ${loss}% packet loss\nround-trip min/avg/max = ${state.minMs.toFixed(1)}/${average.toFixed(1)}/${state.maxMs.toFixed(1)} ms\n`,
  );
  return exit(state.received > 0 ? 0 : 1);
}
