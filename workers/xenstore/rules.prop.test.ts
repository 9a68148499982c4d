import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { XenError } from '../lib/errno';
import { canonicalise, isAtOrBelow, isValidPath, namesOf, parentOf } from './path';
import {
  formatPermission,
  PERM_OWNER,
  PERM_READ,
  PERM_WRITE,
  type Permission,
  parsePermission,
  permissionsFor,
} from './perms';
import { WatchTable } from './watches';

const name = fc.stringMatching(/^[A-Za-z0-9\-_@]{1,6}$/);
const path = fc.array(name, { maxLength: 5 }).map((names) => `/${names.join('/')}`);

describe('paths', () => {
  it('are valid when made of valid names', () => {
    fc.assert(
      fc.property(path, (p) => {
        expect(isValidPath(p)).toBe(true);
        expect(`/${namesOf(p).join('/')}`).toBe(p);
      }),
    );
  });
  it('are invalid with a character outside the set, an empty name or a slash at the end', () => {
    fc.assert(
      fc.property(path, fc.constantFrom('//', '/', ' ', '.', ':', '\0', 'é', '~'), (p, bad) => {
        expect(isValidPath((p === '/' ? '/x' : p) + bad)).toBe(false);
      }),
    );
  });
  it('stand below exactly the paths that make up their beginning', () => {
    fc.assert(
      fc.property(path, path, (a, b) => {
        const starts = namesOf(b).every((n, i) => namesOf(a)[i] === n);
        expect(isAtOrBelow(a, b)).toBe(starts);
      }),
    );
  });
  it('have a parent one name shorter', () => {
    fc.assert(
      fc.property(path, (p) => {
        expect(namesOf(parentOf(p))).toEqual(namesOf(p).slice(0, -1));
      }),
    );
  });
  it('start at the own directory of a domain when relative', () => {
    expect(canonicalise('device', '/local/domain/3')).toBe('/local/domain/3/device');
    expect(canonicalise('device', undefined)).toBe('device');
    expect(canonicalise('/x', '/local/domain/3')).toBe('/x');
  });
});

const domid = fc.nat({ max: 4 });
const entry: fc.Arbitrary<Permission> = fc.record({ domid, access: fc.nat({ max: 3 }) });
const entries = fc.array(entry, { minLength: 1, maxLength: 4 });
const ALL = PERM_READ | PERM_WRITE | PERM_OWNER;

describe('permissions', () => {
  it('are written as a letter and a number', () => {
    fc.assert(
      fc.property(entry, (e) => {
        expect(parsePermission(formatPermission(e))).toEqual(e);
      }),
    );
    expect(['n0', 'r1', 'w2', 'b3'].map(parsePermission).map((e) => e.access)).toEqual([0, 1, 2, 3]);
    for (const bad of ['', 'r', 'x1', '3', 'r-1', 'r1x', 'rr1']) expect(() => parsePermission(bad)).toThrow(XenError);
  });
  it('give everything to the owner and to Domain-0, the listed rights to the listed, the first entry to the rest', () => {
    fc.assert(
      fc.property(entries, domid, fc.boolean(), (list, caller, canWrite) => {
        const mask = canWrite ? ALL : ALL & ~PERM_WRITE;
        const listed = list.slice(1).find((e) => e.domid === caller);
        const expected = caller === 0 || list[0]!.domid === caller ? ALL : listed ? listed.access : list[0]!.access;
        expect(permissionsFor({ domid: caller, canWrite, target: undefined }, list)).toBe(expected & mask);
      }),
    );
  });
  it('give a domain at least what its target owns', () => {
    fc.assert(
      fc.property(entries, domid, (list, caller) => {
        expect(permissionsFor({ domid: caller, canWrite: true, target: list[0]!.domid }, list)).toBe(ALL);
      }),
    );
  });
});

describe('watches', () => {
  it('fire exactly for changes at or below them and for removals above them, in the order they were set', () => {
    const set = fc.array(fc.tuple(path, fc.nat({ max: 2 })), { maxLength: 12 });
    fc.assert(
      fc.property(set, path, fc.boolean(), (watches, changed, subtreeRemoved) => {
        const table = new WatchTable<number>();
        const all = watches.map(([p, owner], i) => ({
          owner,
          path: p,
          token: `${i}`,
          relativeTo: undefined,
          order: [owner, i] as const,
        }));
        for (const w of all) table.add(w);
        const expected = [...all]
          .sort((a, b) => a.owner - b.owner || Number(a.token) - Number(b.token))
          .flatMap((w) => {
            if (isAtOrBelow(changed, w.path)) return [`${w.token} ${changed}`];
            return subtreeRemoved && isAtOrBelow(w.path, changed) ? [`${w.token} ${w.path}`] : [];
          });
        expect(table.firedBy(changed, { subtreeRemoved }).map((h) => `${h.watch.token} ${h.path}`)).toEqual(expected);
      }),
    );
  });
  it('are silent once removed', () => {
    const table = new WatchTable<number>();
    const w = { owner: 0, path: '/a', token: 't', relativeTo: undefined, order: [0, 0] as const };
    table.add(w);
    table.remove(w);
    expect(table.firedBy('/a')).toEqual([]);
  });
});
