import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { decodeIcmp, encodeEthernet, encodeIcmp, encodeIpv4 } from '../../../lib/packet/packet';
import { emptyFilterTable, type FilterRule, type FilterTable } from '../../netfilter';
import { NetStack } from '../stack';
import { bytesOf, pair } from '../testing';

const any: FilterRule = {
  source: { address: 0, mask: 0, isInverted: false },
  destination: { address: 0, mask: 0, isInverted: false },
  inDevice: { name: '', isInverted: false },
  outDevice: { name: '', isInverted: false },
  protocol: 0,
  isProtocolInverted: false,
  fragments: 'any',
  matches: [],
  target: { kind: 'standard', name: '' },
  packets: 0,
  bytes: 0,
};
const DROP = { kind: 'standard', name: 'DROP' } as const;
const ACCEPT = { kind: 'standard', name: 'ACCEPT' } as const;
const reject = (how: 'icmp-port-unreachable' | 'icmp-host-prohibited' | 'tcp-reset' = 'icmp-port-unreachable') =>
  ({ kind: 'REJECT', with: how }) as const;
const toPort = (port: number) =>
  ({
    protocol: 6,
    matches: [
      {
        name: 'tcp',
        sourcePorts: [0, 65535],
        isSourceInverted: false,
        destinationPorts: [port, port],
        isDestinationInverted: false,
        flagMask: 0,
        flags: 0,
        isFlagsInverted: false,
      },
    ],
  }) as const satisfies Partial<FilterRule>;
const state = (...states: ('NEW' | 'ESTABLISHED' | 'RELATED' | 'INVALID')[]) => ({
  matches: [{ name: 'state', states }] as const,
});

type ChainName = 'INPUT' | 'FORWARD' | 'OUTPUT';

function setRules(stack: NetStack, chain: ChainName, rules: readonly Partial<FilterRule>[], policy?: 'DROP'): void {
  const table = stack.netfilter.table('filter');
  const found = table.chains.find(({ name }) => name === chain)!;
  found.rules = rules.map((rule) => ({ ...any, ...rule }));
  found.policy = policy ?? 'ACCEPT';
  stack.netfilter.replace('filter', table);
}

const counted = (table: FilterTable | undefined, chain: ChainName) => {
  const { rules, packets, bytes } = table!.chains.find(({ name }) => name === chain)!;
  return [...rules, { packets, bytes }].map((each) => [each.packets, each.bytes]);
};

let net: ReturnType<typeof pair>;
beforeEach(() => {
  net = pair();
});

/** What connecting from a to a port of b, where somebody listens, comes to after a second. */
function connect(port = 8002, from = net.a, to = net.b, address = '192.0.2.2') {
  const listener = to.sockets.socket('tcp');
  to.sockets.bind(listener, '0.0.0.0', port);
  to.sockets.listen(listener);
  const client = from.sockets.socket('tcp');
  from.sockets.connect(client, address, port);
  net.clock.advanceTo(net.clock.nowNs + 1e9);
  const error = from.sockets.socketError(client);
  to.sockets.close(listener);
  return { error, client };
}

function ping(from = net.a, to = '192.0.2.2', data = new Uint8Array(56)) {
  const socket = from.sockets.socket('icmp');
  from.sockets.sendTo(socket, encodeIcmp({ type: 8, code: 0, rest: 0x1234_0001, data }), to, 0);
  net.clock.advanceTo(net.clock.nowNs + 1e9);
  const got = from.sockets.receiveFrom(socket);
  from.sockets.close(socket);
  return got && { from: got.address, ...decodeIcmp(got.bytes)! };
}

describe('a rule of INPUT', () => {
  it('with REJECT refuses a connection at once, as the manual has it for port 8002', () => {
    setRules(net.b, 'INPUT', [{ ...toPort(8002), target: reject() }]);
    expect(connect(8002).error).toBe('ECONNREFUSED');
    expect(connect(8003).error).toBeUndefined();
    const from = { address: 0xc000_0201, mask: 0xffff_ff00, isInverted: false };
    setRules(net.b, 'INPUT', [
      { ...toPort(8002), source: from, target: ACCEPT },
      { ...toPort(8002), target: reject() },
    ]);
    expect(connect(8002).error).toBeUndefined();
  });

  it.each([
    ['icmp-host-prohibited', 'EHOSTUNREACH'],
    ['tcp-reset', 'ECONNREFUSED'],
  ] as const)('with --reject-with %s makes connect(2) say %s', (how, error) => {
    setRules(net.b, 'INPUT', [{ ...toPort(8002), target: reject(how) }]);
    expect(connect().error).toBe(error);
  });

  it('with DROP leaves the other side waiting', () => {
    setRules(net.b, 'INPUT', [{ ...toPort(8002), target: DROP }]);
    expect(connect().error).toBe('pending');
  });

  it('answers a rejected echo request, and drops an answered one', () => {
    setRules(net.b, 'INPUT', [{ protocol: 1, target: reject() }]);
    expect(ping()).toMatchObject({ from: '192.0.2.2', type: 3, code: 3 });
    setRules(net.b, 'INPUT', [{ protocol: 1, target: DROP }]);
    expect(ping()).toBeUndefined();
  });

  it('says nothing about an ICMP error, nor about a broadcast', () => {
    setRules(net.a, 'INPUT', [{ target: reject() }]);
    setRules(net.b, 'INPUT', [{ target: reject() }]);
    expect(ping()).toBeUndefined();
    const before = net.b.links.get('eth0').txPackets;
    const udp = net.a.sockets.socket('udp');
    net.a.sockets.sendTo(udp, bytesOf('x'), '192.0.2.255', 9);
    net.clock.advanceTo(net.clock.nowNs + 1e9);
    expect(net.b.links.get('eth0').txPackets).toBe(before);
  });

  it('sees a packet that came in fragments whole', () => {
    setRules(net.b, 'INPUT', [{ protocol: 1, fragments: 'further', target: DROP }, { protocol: 1 }]);
    expect(ping(net.a, '192.0.2.2', new Uint8Array(4000))).toMatchObject({ type: 0 });
    expect(counted(net.b.state.filter, 'INPUT')).toEqual([
      [0, 0],
      [1, 4028],
      [1, 4028],
    ]);
  });

  it('counts packets and bytes of rules and of the policy', () => {
    setRules(net.b, 'INPUT', [{ protocol: 1 }, { protocol: 1, target: ACCEPT }, { protocol: 17 }]);
    ping();
    ping();
    const udp = net.a.sockets.socket('udp');
    net.a.sockets.sendTo(udp, bytesOf('12345'), '192.0.2.2', 9);
    net.clock.advanceTo(net.clock.nowNs + 1e9);
    expect(counted(net.b.state.filter, 'INPUT')).toEqual([
      [2, 168],
      [2, 168],
      [1, 33],
      [1, 33],
    ]);
    expect(net.a.state.filter).toBeUndefined();
  });
});

describe('a rule of OUTPUT', () => {
  it('with DROP: the program hears that it is not permitted; a connection is tried until it times out', () => {
    setRules(net.a, 'OUTPUT', [], 'DROP');
    expect(() => ping()).toThrow('Operation not permitted');
    expect(connect().error).toBe('pending');
  });

  it('with REJECT ends a connection with the answer of this host itself', () => {
    setRules(net.a, 'OUTPUT', [{ ...toPort(8002), target: reject() }]);
    expect(connect().error).toBe('ECONNREFUSED');
  });

  it('is chosen by the device that the packet leaves by', () => {
    setRules(net.a, 'OUTPUT', [{ outDevice: { name: 'eth+', isInverted: true }, target: DROP }]);
    expect(ping()).toMatchObject({ type: 0 });
    expect(() => ping(net.a, '127.0.0.1')).toThrow('Operation not permitted');
  });
});

describe('chains of the user', () => {
  it('return to where they were left, or decide', () => {
    const table = emptyFilterTable();
    const rule = (more: Partial<FilterRule>) => ({ ...any, ...more });
    const go = (name: string) => ({ kind: 'standard', name }) as const;
    table.chains[0]!.rules = [rule({ target: go('first') }), rule({ target: go('second') })];
    const chain = (name: string, rules: FilterRule[]) => ({ name, policy: undefined, packets: 0, bytes: 0, rules });
    table.chains.push(
      chain('first', [rule({ target: go('RETURN') }), rule({ target: DROP })]),
      chain('second', [rule({ protocol: 1, target: reject() })]),
    );
    net.b.netfilter.replace('filter', table);
    expect(ping()).toMatchObject({ type: 3, code: 3 });
    expect(connect().error).toBeUndefined();
    const after = net.b.netfilter.table('filter').chains;
    expect(after.map(({ rules }) => rules.map(({ packets }) => packets))).toEqual([[3, 3], [], [], [3, 0], [1]]);
  });
});

describe('-m state', () => {
  it('lets answers in and nothing that somebody else begins', () => {
    setRules(net.a, 'INPUT', [{ ...state('ESTABLISHED', 'RELATED'), target: ACCEPT }], 'DROP');
    expect(ping()).toMatchObject({ type: 0 });
    expect(connect(8002).error).toBeUndefined();
    expect(connect(8002, net.b, net.a, '192.0.2.1').error).toBe('pending');
    expect(ping(net.b, '192.0.2.1')).toBeUndefined();
  });

  it('knows an ICMP error that belongs to a connection', () => {
    setRules(net.a, 'INPUT', [{ ...state('RELATED'), target: ACCEPT }, { target: DROP }]);
    const udp = net.a.sockets.socket('udp');
    net.a.sockets.connect(udp, '192.0.2.2', 9);
    net.a.sockets.write(udp, bytesOf('x'));
    net.clock.advanceTo(1e9);
    expect(() => net.a.sockets.read(udp, 1)).toThrow('Connection refused');
    expect(counted(net.a.state.filter, 'INPUT')[0]).toEqual([1, 56]);
  });

  it('forgets UDP after 30 s without an answer', () => {
    setRules(net.a, 'INPUT', [{ ...state('NEW'), target: DROP }]);
    const server = net.a.sockets.socket('udp');
    net.a.sockets.bind(server, '0.0.0.0', 53);
    const other = net.b.sockets.socket('udp');
    net.b.sockets.bind(other, '0.0.0.0', 5353);
    const arrives = () => {
      net.b.sockets.sendTo(other, bytesOf('answer'), '192.0.2.1', 53);
      net.clock.advanceTo(net.clock.nowNs + 1e6);
      return net.a.sockets.receiveFrom(server) !== undefined;
    };
    expect(arrives()).toBe(false);
    net.a.sockets.sendTo(server, bytesOf('question'), '192.0.2.2', 5353);
    net.clock.advanceTo(net.clock.nowNs + 29e9);
    expect(arrives()).toBe(true);
    net.clock.advanceTo(net.clock.nowNs + 181e9);
    expect(arrives()).toBe(false);
  });

  it('picks up a connection that was there before the rules, and calls an answer out of nowhere INVALID', () => {
    const listener = net.b.sockets.socket('tcp');
    net.b.sockets.bind(listener, '0.0.0.0', 8002);
    net.b.sockets.listen(listener);
    const client = net.a.sockets.socket('tcp');
    net.a.sockets.connect(client, '192.0.2.2', 8002);
    net.clock.advanceTo(1e6);
    const { id } = net.b.sockets.accept(listener)!;
    setRules(net.b, 'INPUT', [{ ...state('INVALID'), target: DROP }, state('NEW'), state('ESTABLISHED')]);
    net.a.sockets.write(client, bytesOf('more'));
    net.clock.advanceTo(net.clock.nowNs + 1e6);
    expect(net.b.sockets.read(id, 10)).toEqual(bytesOf('more'));
    expect(counted(net.b.state.filter, 'INPUT').map(([packets]) => packets)).toEqual([0, 1, 0, 1]);
    const raw = net.a.sockets.socket('icmp');
    net.a.sockets.sendTo(raw, encodeIcmp({ type: 0, code: 0, rest: 7, data: bytesOf('') }), '192.0.2.2', 0);
    net.clock.advanceTo(net.clock.nowNs + 1e6);
    expect(counted(net.b.state.filter, 'INPUT')[0]).toEqual([1, 28]);
  });

  it('has room for so many connections and not for more, and forgets the unanswered first', () => {
    setRules(net.b, 'INPUT', [{ ...state('INVALID') }]);
    const udp = net.a.sockets.socket('udp');
    net.a.sockets.sendTo(udp, bytesOf('x'), '192.0.2.2', 1);
    net.clock.advanceTo(1e6);
    for (let port = 2; port < 5000; port++) net.a.sockets.sendTo(udp, bytesOf('x'), '192.0.2.2', port);
    net.clock.advanceTo(2e9);
    expect(net.b.state.connections!.count).toBe(4096);
    expect(Object.keys(net.b.state.connections!.byTuple)).toHaveLength(4096);
    expect(net.log).toEqual([]);
  });
});

describe('a bridge', () => {
  /** b becomes a bridge between its cable and a guest at 192.0.2.9, which is the other end of a pair. */
  function bridged() {
    const { b } = net;
    b.config.setAddress('eth0', undefined);
    b.links.addPair('veth0', '00:16:3e:00:00:aa', 'vif1.0', 'fe:ff:ff:ff:ff:ff');
    b.links.addBridge('xenbr0');
    b.links.addPort('xenbr0', 'eth0');
    b.links.addPort('xenbr0', 'vif1.0');
    for (const name of ['vif1.0', 'veth0', 'xenbr0']) b.config.setUp(name, true);
    b.config.setAddress('veth0', '192.0.2.9', 24);
    return b;
  }
  const port = (name: string) => ({ name, isInverted: false });

  it('takes what it passes on through FORWARD, where physdev knows its ports', () => {
    const b = bridged();
    setRules(b, 'FORWARD', [
      { matches: [{ name: 'physdev', in: port('eth0'), out: port('vif+'), isBridged: true }] },
      { matches: [{ name: 'physdev', in: port('vif1.0'), isIn: true }], target: DROP },
    ]);
    expect(ping(net.a, '192.0.2.9')).toBeUndefined();
    expect(counted(b.state.filter, 'FORWARD').slice(0, 2)).toEqual([
      [1, 84],
      [1, 84],
    ]);
    b.state.bridgeCallsIptables = false;
    expect(ping(net.a, '192.0.2.9')).toMatchObject({ type: 0 });
  });

  it('lets ARP through whatever the policy', () => {
    const b = bridged();
    setRules(b, 'FORWARD', [], 'DROP');
    expect(ping(net.a, '192.0.2.9')).toBeUndefined();
    expect(net.a.config.arpTable()).toMatchObject([{ address: '192.0.2.9', complete: true }]);
  });

  it('that forwards as a router asks FORWARD once, with both devices', () => {
    const b = net.b;
    b.state.forwarding = true;
    b.links.addPair('veth0', '00:16:3e:00:00:aa', 'vif1.0', 'fe:ff:ff:ff:ff:ff');
    for (const name of ['vif1.0', 'veth0']) b.config.setUp(name, true);
    b.config.setAddress('vif1.0', '198.51.100.1', 24);
    net.a.config.addRoute({
      destination: '198.51.100.0',
      prefixLength: 24,
      gateway: '192.0.2.2',
      device: '',
      metric: 0,
    });
    setRules(b, 'FORWARD', [
      { inDevice: port('eth0'), outDevice: port('vif1.0') },
      { target: reject('icmp-host-prohibited') },
    ]);
    expect(ping(net.a, '198.51.100.7')).toMatchObject({ from: '192.0.2.2', type: 3, code: 10 });
    expect(counted(b.state.filter, 'FORWARD')[0]).toEqual([1, 84]);
  });
});

it('takes whatever bytes come, by itself and over a bridge', () => {
  const all = [
    state('INVALID'),
    { protocol: 6, matches: toPort(1).matches },
    { protocol: 17, matches: [{ ...toPort(1).matches[0], name: 'udp' as const }] },
    { protocol: 1, matches: [{ name: 'icmp', type: 8, codes: [0, 255], isInverted: true }] as const },
    { target: { kind: 'LOG', level: 4, prefix: '', flags: 7 } as const },
    { protocol: 6, target: reject('tcp-reset') },
    { target: reject() },
  ];
  const { b } = net;
  b.links.addBridge('xenbr0');
  const inputs = ['vif1.0', 'vif2.0'].map((name) => {
    const input = b.links.add({ name, mac: 'fe:ff:ff:ff:ff:ff', kind: 'vif', carrier: true, transmit: () => true });
    b.links.addPort('xenbr0', name);
    b.config.setUp(name, true);
    return input;
  });
  b.config.setUp('xenbr0', true);
  for (const chain of ['INPUT', 'FORWARD', 'OUTPUT'] as const) setRules(b, chain, all);
  const packet = fc.record({
    source: fc.constantFrom(0xc000_0201, 0xc000_0202, 0x7f00_0001, 0),
    destination: fc.constantFrom(0xc000_0202, 0xffff_ffff, 0xe000_0001, 1),
    protocol: fc.constantFrom(1, 6, 17, 47),
    ttl: fc.nat(255),
    id: fc.nat(65535),
    fragmentOffset: fc.constantFrom(0, 0, 8, 65528),
    moreFragments: fc.boolean(),
    dontFragment: fc.boolean(),
    payload: fc.uint8Array({ maxLength: 60 }),
  });
  const frames = fc.oneof(
    fc.uint8Array({ maxLength: 80 }),
    fc
      .tuple(packet, fc.constantFrom('ff:ff:ff:ff:ff:ff', '00:16:3e:00:00:02'))
      .map(([ip, destination]) =>
        encodeEthernet({ destination, source: '00:16:3e:00:00:09', type: 0x800, payload: encodeIpv4(ip) }),
      ),
  );
  fc.assert(
    fc.property(frames, (frame) => {
      b.links.input(b.links.get('eth0'), frame);
      for (const input of inputs) input(frame);
    }),
    { numRuns: 2000, seed: 1 },
  );
  expect(counted(b.state.filter, 'FORWARD')[6]![0]).toBeGreaterThan(100);
  expect(counted(b.state.filter, 'INPUT')[6]![0]).toBeGreaterThan(100);
});

describe('target LOG', () => {
  it('writes a line for each packet and goes on', () => {
    setRules(net.b, 'INPUT', [{ protocol: 6, target: { kind: 'LOG', level: 4, prefix: 'in: ', flags: 0 } }]);
    net.a.sockets.connect(net.a.sockets.socket('tcp'), '192.0.2.2', 8002);
    net.clock.advanceTo(1e6);
    expect(net.log).toEqual([
      'in: IN=eth0 OUT= MAC=00:16:3e:00:00:02:00:16:3e:00:00:01:08:00 SRC=192.0.2.1 DST=192.0.2.2 LEN=44 TOS=0x00 ' +
        'PREC=0x00 TTL=64 ID=1 PROTO=TCP SPT=32768 DPT=8002 WINDOW=65535 RES=0x00 SYN URGP=0 ',
    ]);
  });
});

describe('the table', () => {
  it('is in the plain state of the stack and works on in a copy of it', () => {
    setRules(net.b, 'INPUT', [{ ...toPort(8002), target: reject() }, state('NEW')]);
    ping();
    const copy = new NetStack(structuredClone(net.b.state), net.b.env);
    expect(copy.netfilter.table('filter')).toEqual(net.b.netfilter.table('filter'));
    expect(copy.state.connections).toEqual(net.b.state.connections);
    expect(copy.state.connections!.count).toBe(1);
  });

  it('is refused when a rule makes no sense, and then the old one stays', () => {
    setRules(net.b, 'INPUT', [{ target: DROP }]);
    expect(() => setRules(net.b, 'INPUT', [{ target: reject('tcp-reset') }])).toThrow('Invalid argument');
    expect(() => setRules(net.b, 'INPUT', [{ target: { kind: 'standard', name: 'nowhere' } }])).toThrow(
      'Invalid argument',
    );
    expect(() => setRules(net.b, 'INPUT', [{ target: { kind: 'standard', name: 'OUTPUT' } }])).toThrow(
      'Invalid argument',
    );
    expect(net.b.netfilter.table('filter').chains[0]!.rules).toHaveLength(1);
  });
});
