import fc from 'fast-check';
import { expect, it } from 'vitest';
import { maskOf } from '../../../../lib/packet/addresses';
import { netStackFactory } from '../../../net/netStackFactory';
import type { NetState } from '../../../net/state';
import {
  CONNECTION_STATES,
  emptyFilterTable,
  type FilterMatch,
  type FilterRule,
  type FilterTable,
  type FilterTarget,
  REJECT_TYPES,
} from '../../../netfilter';
import { shell } from '../../../shell/index';
import { testKernel } from '../../../testing';
import { commonPrograms } from '../../index';
import { saveTable } from './ruleText';

const CHAINS = ['a-chain', 'checked', 'zz'];

const address = fc
  .record({ address: fc.nat(0xffff_ffff), bits: fc.integer({ min: 0, max: 32 }), isInverted: fc.boolean() })
  .map(({ address: value, bits, isInverted }) => ({
    address: (value & maskOf(bits)) >>> 0,
    mask: maskOf(bits),
    isInverted,
  }));
const named = fc.record({ name: fc.constantFrom('eth0', 'vif1.0', 'vif+', 'lo'), isInverted: fc.boolean() });
const device = fc.oneof(fc.constant({ name: '', isInverted: false }), named);
const port = fc.nat(65535);
const ports = fc
  .tuple(port, port)
  .map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const)
  .filter(([a, b]) => a > 0 || b < 65535);
const counter = fc.nat(Number.MAX_SAFE_INTEGER);

const transport = {
  sourcePorts: ports,
  isSourceInverted: fc.boolean(),
  destinationPorts: ports,
  isDestinationInverted: fc.boolean(),
};
const flags = fc.integer({ min: 1, max: 63 });
const tcp = fc.record({
  name: fc.constant('tcp' as const),
  ...transport,
  flagMask: flags,
  flags: fc.nat(63),
  isFlagsInverted: fc.boolean(),
});
const udp = fc.record({ name: fc.constant('udp' as const), ...transport });
const icmp = fc.record({
  name: fc.constant('icmp' as const),
  type: fc.nat(254),
  codes: fc.oneof(
    fc.constant([0, 255] as const),
    fc.nat(255).map((code) => [code, code] as const),
  ),
  isInverted: fc.boolean(),
});
const physdev = fc
  .record(
    {
      name: fc.constant('physdev' as const),
      in: named,
      out: named,
      isIn: fc.boolean(),
      isOut: fc.boolean(),
      isBridged: fc.boolean(),
    },
    { requiredKeys: ['name'] },
  )
  .filter((match) => Object.keys(match).length > 1);
const state = fc
  .subarray([...CONNECTION_STATES], { minLength: 1 })
  .map((states) => ({ name: 'state' as const, states }));

const target: fc.Arbitrary<FilterTarget> = fc.oneof(
  fc.constantFrom('', 'ACCEPT', 'DROP', 'RETURN', ...CHAINS).map((name) => ({ kind: 'standard' as const, name })),
  fc
    .constantFrom(...REJECT_TYPES.filter((type) => type !== 'tcp-reset'))
    .map((type) => ({ kind: 'REJECT' as const, with: type })),
  fc.record({
    kind: fc.constant('LOG' as const),
    level: fc.nat(7),
    // A prefix of nothing but `!` cannot be given.
    prefix: fc
      .string({ unit: fc.constantFrom('a', ' ', ':', '!', '-', "'", '['), maxLength: 29 })
      .filter((text) => text !== '!'),
    flags: fc.nat(7),
  }),
);

/** Protocol and the matches that go with it. */
const kind: fc.Arbitrary<{ protocol: number; isProtocolInverted: boolean; matches: FilterMatch[] }> = fc
  .tuple(
    fc.oneof(
      tcp.map((match) => [6, match] as const),
      udp.map((match) => [17, match] as const),
      icmp.map((match) => [1, match] as const),
      fc.nat(255).map((protocol) => [protocol, undefined] as const),
    ),
    fc.subarray([0, 1]),
    physdev,
    state,
    fc.boolean(),
  )
  .map(([[protocol, match], others, a, b, isInverted]) => ({
    protocol,
    isProtocolInverted: isInverted && match === undefined && protocol !== 0,
    matches: [...(match ? [match] : []), ...others.map((n) => (n === 0 ? a : b))],
  }));

const rule = (chain: string): fc.Arbitrary<FilterRule> =>
  fc
    .record({
      source: address,
      destination: address,
      inDevice: chain === 'OUTPUT' ? fc.constant({ name: '', isInverted: false }) : device,
      outDevice: chain === 'INPUT' ? fc.constant({ name: '', isInverted: false }) : device,
      fragments: fc.constantFrom('any' as const, 'further' as const, 'first' as const),
      target,
      kind,
      packets: counter,
      bytes: counter,
    })
    .map(({ kind: about, ...rest }) => ({ ...rest, ...about }))
    // Chains of the user lead nowhere: no loops.
    .filter((made) => !CHAINS.includes(chain) || made.target.kind !== 'standard' || !CHAINS.includes(made.target.name));

const table: fc.Arbitrary<FilterTable> = fc
  .tuple(
    ...['INPUT', 'FORWARD', 'OUTPUT', ...CHAINS].map((name) => fc.array(rule(name), { maxLength: 4 })),
    counter,
    fc.boolean(),
  )
  .map((parts) => {
    const made = emptyFilterTable();
    for (const name of CHAINS) made.chains.push({ name, policy: undefined, packets: 0, bytes: 0, rules: [] });
    made.chains.forEach((chain, n) => {
      chain.rules = parts[n] as FilterRule[];
    });
    Object.assign(made.chains[0]!, { packets: parts[6], policy: parts[7] === true ? 'DROP' : 'ACCEPT' });
    return made;
  });

it('iptables-restore makes of what iptables-save writes the table that it was', () => {
  const kernel = testKernel([...commonPrograms, shell], { net: netStackFactory() });
  fc.assert(
    fc.property(table, (wanted) => {
      const text = saveTable('filter', wanted, true);
      expect(kernel.run('iptables-restore -c', { stdin: text })).toEqual({ status: 0, stdout: '', stderr: '' });
      expect((kernel.kernel.net!.save() as NetState).filter).toEqual(wanted);
      expect(kernel.run('iptables-save -c').stdout).toContain(text);
    }),
    { numRuns: 60 },
  );
});
