import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  encode,
  latin1Bytes,
  stringsPayload,
  XS_DIRECTORY,
  XS_MKDIR,
  XS_READ,
  XS_RM,
  XS_SET_PERMS,
  XS_WRITE,
} from '../abi/io/xsWire';
import { FakeHost, type TestClient } from './testing/fakeHost';

/** What the store should hold: path → value. */
type Model = Map<string, string>;

const paths = ['/a', '/a/b', '/a/b/c', '/a/bc', '/d', '/d/e'];
const action = fc.oneof(
  fc.record({
    do: fc.constant('write' as const),
    path: fc.constantFrom(...paths),
    value: fc.string({ maxLength: 4, unit: 'grapheme-ascii' }),
  }),
  fc.record({ do: fc.constant('mkdir' as const), path: fc.constantFrom(...paths) }),
  fc.record({ do: fc.constant('rm' as const), path: fc.constantFrom(...paths) }),
  fc.record({ do: fc.constant('read' as const), path: fc.constantFrom(...paths) }),
);
type Action = typeof action extends fc.Arbitrary<infer A> ? A : never;

function parents(path: string): string[] {
  const names = path.split('/');
  return names.slice(1, -1).map((_, i) => names.slice(0, i + 2).join('/'));
}

function applyToModel(model: Model, a: Action): string {
  switch (a.do) {
    case 'write':
    case 'mkdir':
      for (const p of parents(a.path)) if (!model.has(p)) model.set(p, '');
      if (a.do === 'write' || !model.has(a.path)) model.set(a.path, a.do === 'write' ? a.value : '');
      return 'OK\0';
    case 'rm': {
      const above = parents(a.path).at(-1);
      if (!model.has(a.path)) return above && !model.has(above) ? 'ENOENT' : 'OK\0';
      for (const p of model.keys()) if (p === a.path || p.startsWith(`${a.path}/`)) model.delete(p);
      return 'OK\0';
    }
    case 'read':
      return model.get(a.path) ?? 'ENOENT';
  }
}

const types = { write: XS_WRITE, mkdir: XS_MKDIR, rm: XS_RM, read: XS_READ };

function applyToStore(client: TestClient, a: Action, txId: number): string {
  const value = a.do === 'write' ? a.value : '';
  const path = stringsPayload([a.path]);
  const payload = Uint8Array.from([...path, ...latin1Bytes(value)]);
  client.send({ type: types[a.do], reqId: 1, txId, payload });
  return client.reply();
}

function dump(client: TestClient, path = ''): [string, string][] {
  const names = client
    .text(XS_DIRECTORY, path || '/')
    .split('\0')
    .slice(0, -1);
  return names.flatMap((name) => {
    const child = `${path}/${name}`;
    if (child === '/tool') return [];
    return [[child, client.text(XS_READ, child)] as [string, string], ...dump(client, child)];
  });
}

describe('transactions', () => {
  it('see nothing of each other; those that commit do so as if alone, all others get EAGAIN', () => {
    const step = fc.tuple(
      fc.nat({ max: 3 }),
      fc.oneof({ weight: 6, arbitrary: action }, fc.constantFrom('T' as const, 'F' as const)),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const host = new FakeHost();
        const clients = [0, 1, 2, 3].map(() => host.socket());
        let main: Model = new Map();
        let version = 0;
        const open: ({ id: number; model: Model; version: number } | undefined)[] = [];
        for (const [who, what] of steps) {
          const client = clients[who]!;
          // Client 0 works outside transactions.
          if (who === 0) {
            if (typeof what === 'string') continue;
            const before = [...main].join();
            const reply = applyToStore(client, what, 0);
            expect(reply).toBe(applyToModel(main, what));
            if (what.do === 'write' || [...main].join() !== before) version++;
            continue;
          }
          open[who] ??= { id: client.begin(), model: new Map(main), version };
          const tx = open[who]!;
          if (typeof what === 'string') {
            const reply = client.endError(tx.id, what);
            expect(reply).toBe(what === 'T' && tx.version !== version ? 'EAGAIN' : 'OK\0');
            if (what === 'T' && reply === 'OK\0') {
              main = tx.model;
              version++;
            }
            open[who] = undefined;
          } else {
            expect(applyToStore(client, what, tx.id)).toBe(applyToModel(tx.model, what));
          }
        }
        expect(new Map(dump(clients[0]!))).toEqual(main);
      }),
      { numRuns: 150 },
    );
  });
});

describe('the ring', () => {
  it('carries any requests in pieces of any size, answered in order', () => {
    fc.assert(
      fc.property(
        fc.array(action, { minLength: 1, maxLength: 20 }),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 }),
        (actions, sizes) => {
          const host = new FakeHost();
          const dom0 = host.socket();
          const guest = host.introduce(dom0, 1);
          dom0.ok(XS_SET_PERMS, '/', 'b0');
          const model: Model = new Map();
          const expected = actions.map((a) => applyToModel(model, a));
          const stream = actions.flatMap((a, i) => {
            const path = stringsPayload([a.path]);
            const value = a.do === 'write' ? latin1Bytes(a.value) : [];
            return [...encode({ type: types[a.do], reqId: i, txId: 0, payload: Uint8Array.from([...path, ...value]) })];
          });
          const replies: string[] = [];
          for (let at = 0, i = 0; at < stream.length; i++) {
            const size = sizes[i % sizes.length]!;
            at += guest.ring.write(Uint8Array.from(stream.slice(at, at + size)));
            guest.notify();
            for (const m of guest.drain()) {
              expect(m.reqId).toBe(replies.length);
              replies.push(String.fromCharCode(...m.payload));
            }
          }
          expect(replies.map((r) => r.replace(/^(E[A-Z]+)\0$/, '$1'))).toEqual(expected);
        },
      ),
      { numRuns: 60 },
    );
  });
  it('harms nobody else, whatever a domain writes into its page', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.uint8Array({ maxLength: 80 }), fc.nat({ max: 2080 })), { maxLength: 12 }),
        (scribbles) => {
          const host = new FakeHost();
          const dom0 = host.socket();
          const hostile = host.introduce(dom0, 1);
          const other = host.introduce(dom0, 2);
          for (const [bytes, at] of scribbles) {
            hostile.page.set(bytes, at);
            hostile.notify();
          }
          dom0.write('/x', '1');
          expect(dom0.text(XS_DIRECTORY, '/')).toBe('tool\0x\0');
          expect(other.error(XS_READ, '/x')).toBe('EACCES');
        },
      ),
      { numRuns: 200 },
    );
  });
});
