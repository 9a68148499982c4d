// @vitest-environment node
import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isShared, readShared, shareLink } from './share';

const hashOf = (link: string) => new URL(link).hash;

it('carries a policy and its assertions in the fragment of a link', async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'grapheme' }), fc.string(), async (xml, assertions) => {
      const link = await shareLink({ xml, assertions }, 'https://example.org/lab/?x=1#old');
      expect(link.startsWith('https://example.org/lab/?x=1#policy=')).toBe(true);
      expect(await readShared(hashOf(link))).toEqual({ xml, assertions });
    }),
    { numRuns: 50 },
  );
});

it('answers nothing for other fragments, damaged ones, and ones that would unpack without end', async () => {
  expect(isShared('#elsewhere')).toBe(false);
  expect(await readShared('#elsewhere')).toBeUndefined();
  const link = hashOf(await shareLink({ xml: '<a/>', assertions: '' }, 'https://example.org/'));
  expect(await readShared(link.slice(0, -3))).toBeUndefined();
  expect(await readShared('#policy=%%%')).toBeUndefined();
  const packed = (value: string | Buffer) => `#policy=${deflateRawSync(value).toString('base64url')}`;
  expect(await readShared(packed('{"xml":1}'))).toBeUndefined();
  expect(await readShared(packed(Buffer.alloc(64 << 20, 32)))).toBeUndefined();
});
