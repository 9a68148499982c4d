/** Random policies that break no rule, and what they say. */
import fc from 'fast-check';
import type { AcmPolicy } from './policyModel';

const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_.-]{0,11}$/);
const names = (max: number) => fc.uniqueArray(name, { minLength: 1, maxLength: max });

/** Up to so many labels and types. */
export const policies = (size: number): fc.Arbitrary<AcmPolicy> =>
  fc
    .record({
      name,
      ste: names(size),
      chwall: names(size),
      labels: names(size),
      resources: names(size),
      seed: fc.nat(),
    })
    .chain((base) =>
      fc
        .record({
          sets: fc.array(fc.subarray(base.chwall, { minLength: 1 }), { maxLength: 4 }),
          ste: fc.array(fc.subarray(base.ste), { minLength: base.labels.length, maxLength: base.labels.length }),
          chwall: fc.array(fc.subarray(base.chwall), { minLength: base.labels.length, maxLength: base.labels.length }),
          minor: fc.nat({ max: 9999 }),
          primary: fc.constantFrom('chwall' as const, 'ste' as const, undefined),
        })
        .map(({ sets, ste, chwall, minor, primary }): AcmPolicy => {
          const legal = (types: readonly string[]) =>
            types.reduce<string[]>((kept, type) => {
              const clashes = sets.some((set) => set.includes(type) && kept.some((other) => set.includes(other)));
              if (!clashes) kept.push(type);
              return kept;
            }, []);
          return {
            name: base.name,
            version: `1.${minor}`,
            primary,
            ste: { types: base.ste.map((type) => ({ name: type })) },
            chwall: {
              types: base.chwall.map((type) => ({ name: type })),
              conflictSets: sets.map((types, i) => ({ name: `set${i}`, types })),
            },
            bootstrap: base.labels[0]!,
            vmLabels: base.labels.map((label, i) => ({ name: label, ste: ste[i]!, chwall: legal(chwall[i]!) })),
            resourceLabels: base.resources.map((label, i) => ({ name: label, ste: base.ste[i % base.ste.length]! })),
          };
        }),
    );

/** The policy's own words: no numbers, no matrices. */
export function naive(policy: AcmPolicy) {
  const of = (label: string) => policy.vmLabels.find(({ name }) => name === label);
  return {
    share: (a: string, b: string) => (of(a)?.ste ?? []).some((type) => of(b)?.ste.includes(type)),
    /** `a` has all that `b` has, which is not nothing. */
    authorises: (a: string, b: string) => {
      const wanted = of(b)?.ste ?? [];
      return wanted.length > 0 && wanted.every((type) => of(a)?.ste.includes(type));
    },
    reads: (a: string, resource: string) =>
      of(a)!.ste.includes(policy.resourceLabels.find(({ name }) => name === resource)!.ste),
    /** `label` beside domains with these labels. */
    mayRun: (label: string, running: readonly string[]) =>
      !running.some((other) =>
        policy.chwall!.conflictSets.some(({ types }) => {
          const theirs = of(other)!.chwall.filter((type) => types.includes(type));
          const mine = of(label)!.chwall.filter((type) => types.includes(type));
          return theirs.length > 0 && mine.some((type) => !theirs.includes(type));
        }),
      ),
  };
}
