import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AcmState } from '../acmState';
import { policies } from '../arbitrary.testkind';
import { numberPolicy, ssidref } from '../numbering';
import { orchard } from '../orchard.testkind';
import { binaryOf, compilePolicy } from '../policyBinary';
import { writePolicy } from '../policyWriter';
import { readPolicy } from '../policyXml';
import { annotateBinary } from './annotatedBinary';
import { flowPath, informationFlows } from './flows';
import { AUTHORISES, labelMatrix, MAY_RUN_TOGETHER, MAY_SHARE } from './matrix';

describe('the matrix of labels', () => {
  it('says of every pair what the hypervisor decides', () => {
    fc.assert(
      fc.property(policies(8), (policy) => {
        const { labels, vmLabels, cells } = labelMatrix(policy);
        const binary = binaryOf(policy, new Uint8Array(20));
        for (let row = 0; row < vmLabels; row++)
          for (let column = 0; column < labels.length; column++) {
            const state = new AcmState();
            state.install(binary);
            const cell = cells[row * labels.length + column]!;
            const [a, b] = [ssidref(row, row), column < vmLabels ? ssidref(column, column) : ssidref(column, 0)];
            expect((cell & MAY_SHARE) !== 0).toBe(state.sharing(a, b));
            expect((cell & AUTHORISES) !== 0).toBe(state.authorization(a, b));
            if (column >= vmLabels) continue;
            state.create(1, a);
            expect((cell & MAY_RUN_TOGETHER) !== 0).toBe(state.create(2, b));
          }
      }),
      { numRuns: 60 },
    );
  });

  it('is the table of the orchard', () => {
    const { labels, vmLabels, cells } = labelMatrix(orchard);
    const letters = Array.from({ length: vmLabels }, (_, row) =>
      [...cells.subarray(row * labels.length, (row + 1) * labels.length)]
        .map((cell) => (cell & MAY_SHARE ? 'P' : '-'))
        .join(''),
    );
    expect(labels.map(({ name }) => name).join(' ')).toBe(
      '__UNLABELED__ SystemManagement apple apple.press pear SystemManagement apple apple.press pear',
    );
    // VM labels, then disks: acm fact sheet, section 19.
    expect(letters).toEqual(['PP-------', 'PPPPPPPPP', '-PP---P--', '-P-P---P-', '-P--P---P']);
  });
});

describe('the annotated binary', () => {
  it('explains every byte once', () => {
    fc.assert(
      fc.property(policies(8), (policy) => {
        const file = readPolicy(writePolicy(policy));
        const bytes = compilePolicy(file);
        let at = 0;
        for (const part of annotateBinary(bytes, file.policy)) {
          expect(part.offset).toBe(at);
          at += part.length;
        }
        expect(at).toBe(bytes.length);
      }),
      { numRuns: 100 },
    );
  });

  it('names the rows of the orchard and where they come from', () => {
    const text = writePolicy(orchard);
    const file = readPolicy(text);
    const parts = annotateBinary(compilePolicy(file), file.policy);
    expect(parts.find(({ offset }) => offset === 0x8e)).toMatchObject({
      what: 'CHWALL row 3: apple.press',
      value: 'apple, apple.press',
      label: 'apple.press',
    });
    expect(parts.find(({ offset }) => offset === 0xa2)).toMatchObject({
      what: 'conflict set fruit',
      value: 'apple, pear',
    });
    expect(parts.find(({ offset }) => offset === 0x11a)).toMatchObject({ what: 'padding', length: 2 });
    const pear = parts.find(({ offset }) => offset === 0x110)!;
    expect(pear.what).toBe('STE row 8: resource pear');
    expect(text.split('\n')[pear.line! - 1]).toContain('<ResourceLabel>');
  });
});

describe('information flows', () => {
  it('go through a label with several types and not through others', () => {
    const flows = informationFlows(orchard)!;
    expect(flows.trusted).toEqual(['SystemManagement']);
    expect(flowPath(flows, 'apple', 'pear')).toEqual(['apple', 'SystemManagement', 'pear']);
    expect(flowPath(informationFlows(orchard, ['SystemManagement'])!, 'apple', 'pear')).toBeUndefined();
  });

  it('are what repeated sharing reaches', () => {
    fc.assert(
      fc.property(policies(7), (policy) => {
        const { labels, hops, trusted } = informationFlows(policy)!;
        const { steRows } = numberPolicy(policy);
        const share = (a: number, b: number) =>
          steRows[a]!.some((value, type) => value !== 0 && steRows[b]![type] !== 0);
        for (const [from] of labels.entries()) {
          const reached = new Set([from]);
          for (let size = -1; size !== reached.size; ) {
            size = reached.size;
            for (const at of reached)
              if (at === from || trusted.includes(labels[at]!))
                for (const [to] of labels.entries()) if (share(at, to)) reached.add(to);
          }
          for (const [to] of labels.entries())
            if (to !== from) expect(hops[from * labels.length + to]! > 0).toBe(reached.has(to));
        }
      }),
      { numRuns: 60 },
    );
  });
});
