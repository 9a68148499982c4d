import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ACM_CHWALL_CONFLICT, ACM_EVTCHN_SHARING_VIOLATION, ACM_SSIDREF_IN_USE } from '../abi/acm';
import { seeded } from '../lib/random';
import { AcmState, type Channels, type Decision } from './acmState';
import { naive, policies } from './arbitrary.testkind';
import { numberPolicy, ssidref } from './numbering';
import { orchard } from './orchard.testkind';
import { binaryOf, decodePolicy, encodePolicy } from './policyBinary';
import { PolicyMap, writeMap } from './policyMap';
import type { AcmPolicy } from './policyModel';
import { checkPolicy } from './policyRules';
import { writePolicy } from './policyWriter';
import { readPolicy } from './policyXml';

const NO_HASH = new Uint8Array(20);
const files = { policy: '/p', binary: '/b' };

const quiet: Channels = { evtchnPeers: () => [], grantPeers: () => [] };

describe('a random policy', () => {
  it('is the same after XML, and after its binary form', () => {
    fc.assert(
      fc.property(policies(12), (policy) => {
        const file = readPolicy(writePolicy(policy));
        checkPolicy(file.policy);
        const binary = binaryOf(file.policy, NO_HASH);
        const { counts, ...back } = decodePolicy(encodePolicy(binary));
        expect(back).toEqual(binary);
        expect(counts).toBeUndefined();
        expect(binary).toEqual(binaryOf(policy, NO_HASH));
      }),
      { numRuns: 200 },
    );
  });

  it('decides as its own words say, for domains and resources', () => {
    fc.assert(
      fc.property(policies(20), (policy) => {
        const state = new AcmState();
        state.install(binaryOf(policy, NO_HASH));
        const map = new PolicyMap(writeMap(policy, files));
        const words = naive(policy);
        const labels = policy.vmLabels.map(({ name }) => name);
        for (const a of labels) {
          expect(map.label(map.ssidref(a, 'dom'))).toBe(a);
          for (const b of labels) {
            const [left, right] = [map.ssidref(a, 'dom'), map.ssidref(b, 'dom')];
            expect(state.sharing(left, right)).toBe(words.share(a, b));
            expect(state.authorization(left, right)).toBe(words.authorises(a, b));
          }
          for (const { name } of policy.resourceLabels)
            expect(state.sharing(map.ssidref(a, 'dom'), map.ssidref(name, 'res'))).toBe(words.reads(a, name));
        }
      }),
      { numRuns: 300 },
    );
  });

  it('counts exactly over any order of starts and ends, and never lets a conflict in', () => {
    const steps = fc.array(fc.record({ label: fc.nat(), isStart: fc.boolean(), which: fc.nat() }), { maxLength: 40 });
    fc.assert(
      fc.property(policies(8), steps, (policy, plan) => {
        const state = new AcmState();
        state.install(binaryOf(policy, NO_HASH));
        const numbered = numberPolicy(policy);
        const words = naive(policy);
        const running = new Map<number, string>();
        plan.forEach(({ label, isStart, which }, domid) => {
          const ids = [...running.keys()];
          if (!isStart && ids.length > 0) {
            const gone = ids[which % ids.length]!;
            state.destroy(gone);
            running.delete(gone);
          } else {
            const row = 1 + (label % (numbered.vmLabels.length - 1));
            const name = numbered.vmLabels[row]!;
            const expected = words.mayRun(name, [...running.values()]);
            expect(state.conflictset(ssidref(row, row))).toBe(expected);
            expect(state.create(domid, ssidref(row, row))).toBe(expected);
            if (expected) running.set(domid, name);
          }
          numbered.chwallTypes.forEach((type, column) => {
            const holders = [...running.values()].filter((name) =>
              policy.vmLabels.find((each) => each.name === name)!.chwall.includes(type),
            );
            expect(state.wall.running[column]).toBe(holders.length);
            expect(state.wall.aggregate[column]).toBeGreaterThanOrEqual(0);
          });
        });
        for (const domid of running.keys()) state.destroy(domid);
        expect([...state.wall.running, ...state.wall.aggregate].every((count) => count === 0)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it('replaces another wholly or not at all, and leaves no forbidden channel or neighbour', () => {
    const domains = fc.array(fc.nat(), { maxLength: 6 });
    const links = fc.array(fc.tuple(fc.nat({ max: 5 }), fc.nat({ max: 5 })), { maxLength: 6 });
    fc.assert(
      fc.property(
        policies(6),
        policies(6),
        domains,
        links,
        fc.array(fc.nat({ max: 7 })),
        (old, next, labels, pairs, deletions) => {
          const state = new AcmState();
          const before = binaryOf(old, NO_HASH);
          state.install(before);
          labels.forEach((label, domid) => {
            const row = 1 + (label % (before.chwallRows.length - 1));
            state.create(domid, ssidref(row, row));
          });
          const channels: Channels = {
            evtchnPeers: (domid) => pairs.filter(([a, b]) => a === domid && state.shareEvtchn(a, b)).map(([, b]) => b),
            grantPeers: () => [],
          };
          const peers = new Map(state.domains().map(({ domid }) => [domid, [...channels.evtchnPeers(domid)]]));
          const fixed: Channels = { evtchnPeers: (domid) => peers.get(domid) ?? [], grantPeers: () => [] };
          const snapshot = () =>
            JSON.stringify([
              state.domains().map(({ domid, ssidref: ref }) => [domid, ref]),
              [...state.wall.running],
              [...state.wall.aggregate],
              state.policy.name,
            ]);
          const was = snapshot();
          const errors = state.change(binaryOf(next, NO_HASH), deletions, [], fixed);
          if (errors.length > 0) {
            expect(snapshot()).toBe(was);
            expect(state.policy).toBe(before);
            return;
          }
          const names = numberPolicy(next).vmLabels;
          const words = naive(next);
          const now = state.domains().map(({ domid, ssidref: ref }) => ({ domid, label: names[ref & 0xffff]! }));
          now.forEach(({ domid, label }) => {
            for (const peer of peers.get(domid)!)
              expect(words.share(label, now.find((each) => each.domid === peer)!.label)).toBe(true);
          });
        },
      ),
      { numRuns: 200 },
    );
  });
});

it('a thousand policies of up to 200 labels decide as their own words say', () => {
  const random = seeded(7);
  for (let n = 0; n < 1000; n++) {
    const size = n % 50 === 0 ? 200 : 1 + random.below(20);
    const types = Array.from({ length: size }, (_, i) => `t${i}`);
    const some = () => types.filter(() => random.below(size) < 2);
    const policy: AcmPolicy = {
      name: 'p',
      version: '1.0',
      ste: { types: types.map((name) => ({ name })) },
      chwall: {
        types: types.map((name) => ({ name })),
        conflictSets: [{ name: 's', types: [...new Set(['t0', ...some()])] }],
      },
      bootstrap: 'l0',
      vmLabels: types.map((_, i) => ({ name: `l${i}`, ste: some(), chwall: [types[random.below(size)]!] })),
      resourceLabels: types.map((type, i) => ({ name: `r${i}`, ste: type })),
    };
    const { policy: read } = readPolicy(writePolicy(policy));
    const state = new AcmState();
    state.install(decodePolicy(encodePolicy(binaryOf(read, NO_HASH))));
    const { vmLabels: rows, resourceLabels } = numberPolicy(read);
    const words = naive(policy);
    const row = (label: string) => ssidref(rows.indexOf(label), rows.indexOf(label));
    const resource = (label: string) => ssidref(rows.length + resourceLabels.indexOf(label), 0);
    for (let k = 0; k < 40; k++) {
      const [a, b, r] = [`l${random.below(size)}`, `l${random.below(size)}`, `r${random.below(size)}`];
      expect(state.sharing(row(a), row(b))).toBe(words.share(a, b));
      expect(state.authorization(row(a), row(b))).toBe(words.authorises(a, b));
      expect(state.sharing(row(a), resource(r))).toBe(words.reads(a, r));
      if (k >= 5) continue;
      expect(state.create(k, row(a))).toBe(true);
      expect(state.conflictset(row(b))).toBe(words.mayRun(b, [a]));
      state.destroy(k);
    }
  }
});

it('no order of starts, ends, channels, labels and policies lets in what the policy in force forbids', () => {
  const step = fc.record({
    kind: fc.constantFrom('start', 'end', 'bind', 'relabel', 'change'),
    a: fc.nat(),
    b: fc.nat(),
  });
  fc.assert(
    fc.property(
      fc.array(policies(6), { minLength: 1, maxLength: 3 }),
      fc.array(step, { maxLength: 40 }),
      (all, steps) => {
        const state = new AcmState();
        let policy = all[0]!;
        state.install(binaryOf(policy, NO_HASH));
        const links: (readonly [number, number])[] = [];
        const channels: Channels = {
          evtchnPeers: (domid) => links.flatMap(([a, b]) => (a === domid ? [b] : b === domid ? [a] : [])),
          grantPeers: () => [],
        };
        steps.forEach(({ kind, a, b }, domid) => {
          const ids = state.domains().map((domain) => domain.domid);
          const one = ids[a % ids.length];
          const row = 1 + (b % (state.policy.chwallRows.length - 1));
          if (kind === 'start') state.create(domid, ssidref(row, row));
          else if (kind === 'change') {
            const next = all[b % all.length]!;
            if (state.change(binaryOf(next, NO_HASH), [], [], channels).length === 0) policy = next;
          } else if (one === undefined) return;
          else if (kind === 'end') {
            state.destroy(one);
            for (let i = links.length - 1; i >= 0; i--) if (links[i]!.includes(one)) links.splice(i, 1);
          } else if (kind === 'relabel') state.relabel([[one, ssidref(row, row)]], channels);
          else if (state.shareEvtchn(one, ids[b % ids.length]!)) links.push([one, ids[b % ids.length]!]);

          const words = naive(policy);
          const names = numberPolicy(policy).vmLabels;
          const label = (id: number) => names[state.domain(id)!.ssidref & 0xffff]!;
          const running = state.domains().map((domain) => domain.domid);
          for (const [x, y] of links) expect(words.share(label(x), label(y))).toBe(true);
          for (const id of running)
            expect(words.mayRun(label(id), running.filter((other) => other !== id).map(label))).toBe(true);
        });
      },
    ),
    { numRuns: 300 },
  );
});

describe('orchard', () => {
  const binary = binaryOf(orchard, NO_HASH);
  const rows = { unlabeled: 0, system: 0x0001_0001, apple: 0x0002_0002, press: 0x0003_0003, pear: 0x0004_0004 };
  const started = (...refs: readonly number[]) => {
    const lines: string[] = [];
    const state = new AcmState((line) => lines.push(line));
    state.install(binary);
    state.create(0, rows.system);
    refs.forEach((ref, i) => {
      expect(state.create(i + 1, ref)).toBe(true);
    });
    return { state, lines };
  };

  it('a pear waits until both apples are gone', () => {
    const { state, lines } = started(rows.press, rows.apple);
    expect([...state.wall.running]).toEqual([1, 0, 2, 1, 0]);
    expect([...state.wall.aggregate]).toEqual([0, 0, 0, 0, 2]);
    expect(state.create(9, rows.pear)).toBe(false);
    expect(lines).toEqual(['CHINESE WALL CONFLICT in type 04.']);
    state.destroy(1);
    expect(state.create(9, rows.pear)).toBe(false);
    state.destroy(2);
    expect(state.create(9, rows.pear)).toBe(true);
  });

  it('Domain-0 authorises the labels whose types it has', () => {
    const { state } = started();
    expect(state.authorization(rows.system, rows.press)).toBe(true);
    expect(state.authorization(rows.apple, rows.press)).toBe(false);
    expect(state.authorization(rows.apple, rows.apple)).toBe(true);
  });

  it('remembers eight permits and no refusal', () => {
    const { state, lines } = started(...Array.from({ length: 9 }, () => rows.apple));
    for (let peer = 1; peer <= 9; peer++) expect(state.shareEvtchn(0, peer)).toBe(true);
    expect(lines).toEqual(['Cache of dom 0 is full!']);
    expect(state.statistics).toMatchObject({ evtchnEvaluated: 9, evtchnCacheHits: 0 });
    expect(state.shareEvtchn(0, 1)).toBe(true);
    expect(state.shareGrant(0, 9)).toBe(true);
    expect(state.statistics).toMatchObject({
      evtchnEvaluated: 9,
      evtchnCacheHits: 1,
      grantEvaluated: 1,
      grantCacheHits: 0,
    });
    expect(state.create(10, rows.press)).toBe(true);
    expect([state.shareGrant(1, 10), state.shareGrant(1, 10)]).toEqual([false, false]);
    expect(state.statistics).toMatchObject({ grantEvaluated: 3, grantDenied: 2 });
  });

  it('reports a refusal about a domain that does not exist', () => {
    const { state } = started();
    const decisions: Decision[] = [];
    state.onDecision = (decision) => decisions.push(decision);
    expect([state.shareEvtchn(0, 9), state.shareGrant(9, 0)]).toEqual([false, false]);
    const [known, unknown] = [
      { domid: 0, ssidref: rows.system },
      { domid: 9, ssidref: undefined },
    ];
    expect(decisions).toEqual([
      { hook: 'evtchn', isPermitted: false, subject: known, object: unknown, types: [] },
      { hook: 'grant', isPermitted: false, subject: unknown, object: known, types: [] },
    ]);
  });

  it('says why a change cannot be', () => {
    const { state } = started(rows.press);
    const talking: Channels = { evtchnPeers: (domid) => (domid === 0 ? [0, 1] : [0]), grantPeers: () => [] };
    expect(state.change(binary, [3], [], talking)).toEqual([[ACM_SSIDREF_IN_USE, 3]]);
    expect(state.relabel([[0, rows.apple]], talking)).toEqual([
      [ACM_EVTCHN_SHARING_VIOLATION, 1],
      [ACM_EVTCHN_SHARING_VIOLATION, 1 << 16],
    ]);
    expect(state.relabel([[0, rows.pear]], quiet)).toEqual([[ACM_CHWALL_CONFLICT, 4]]);
    expect(state.domain(0)!.ssidref).toBe(rows.system);
  });

  it.each([
    ['a policy whose label for it has no STE type', { steRows: binary.steRows.map((row) => row.map(() => 0)) }],
    ['a policy without STE', { steTypes: 0, steRows: binary.steRows.map(() => new Uint16Array(0)) }],
  ])('Domain-0 may always talk to itself: %s is refused', (_what, part) => {
    const { state } = started();
    expect(state.change({ ...binary, ...part }, [], [], quiet)).toEqual([[ACM_EVTCHN_SHARING_VIOLATION, 0]]);
    expect(state.policy).toBe(binary);
    const bare = { ...binary, steRows: binary.steRows.map((row, i) => (i === 2 ? row.map(() => 0) : row)) };
    expect(state.change(bare, [], [], quiet)).toEqual([]);
    expect(state.relabel([[0, rows.apple]], quiet)).toEqual([[ACM_EVTCHN_SHARING_VIOLATION, 0]]);
  });

  it('moves domains with a change list', () => {
    const { state } = started(rows.press);
    expect(state.change({ ...binary, minor: 1 }, [], [[3, 2]], quiet)).toEqual([]);
    expect(state.domain(1)!.ssidref).toBe(rows.apple);
    expect(state.policy.minor).toBe(1);
    expect([...state.wall.running]).toEqual([1, 0, 1, 0, 0]);
  });
});
