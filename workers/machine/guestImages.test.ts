import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect, it } from 'vitest';

const folder = new URL('../../public/guests/', import.meta.url);
const { images } = JSON.parse(readFileSync(new URL('manifest.json', folder), 'utf8')) as {
  images: readonly {
    readonly name: string;
    readonly path: string;
    readonly packing: string;
    readonly size: number;
    readonly sha256: string;
    readonly contentsSize: number;
    readonly contentsSha256: string;
    readonly packages: readonly string[];
    readonly source: readonly string[];
  }[];
};
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

it.each(images)('$name is the file of the manifest, and its source is named', (image) => {
  const bytes = readFileSync(new URL(image.name, folder));
  expect([bytes.length, sha256(bytes)]).toEqual([image.size, image.sha256]);
  const contents = image.packing === 'gzip' ? gunzipSync(bytes) : bytes;
  expect([contents.length, sha256(contents)]).toEqual([image.contentsSize, image.contentsSha256]);
  expect(image.path).toMatch(/^\/(boot|home\/xen)\//);
  // Free software whose source can be had: packages with exact versions, and what was done with them.
  for (const each of image.packages) expect(each).toMatch(/^[\w.:-]+ [\w.:~+-]+$/);
  const sources = readFileSync(new URL('SOURCES.md', folder), 'utf8');
  expect(sources).toContain(`| ${image.name} | ${image.packages.join(', ')} | ${image.source.join('; ')} |`);
});

it('there is nothing else, and all of it together is less than 20 MB', () => {
  expect(readdirSync(folder).sort()).toEqual([...images.map(({ name }) => name), 'SOURCES.md', 'manifest.json'].sort());
  expect(images.reduce((sum, { size }) => sum + size, 0)).toBeLessThan(20e6);
});
