import fc from 'fast-check';
import { expect, it } from 'vitest';
import { embed, extract } from './embedded';

it('carries assertions inside a policy file, whatever they hold', () => {
  const xml = '<?xml version="1.0"?>\n<a/>\n';
  fc.assert(
    fc.property(fc.stringMatching(/^[a-zA-Z][-\\a-z >\n]{0,30}[a-z-]$/), (assertions) => {
      const file = embed(xml, assertions);
      const comment = /<!--([\s\S]*)-->/.exec(file)![1]!;
      expect(comment).not.toContain('--');
      expect(extract(file).assertions).toBe(assertions.trim());
      expect(embed(file, '').trim()).toBe(xml.trim());
    }),
  );
});
