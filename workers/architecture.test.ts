import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const workers = dirname(fileURLToPath(import.meta.url));
const root = dirname(workers);

/** Folder → sibling folders it may import. `machine` and `platform` wire everything and are not listed. */
const mayImport: Record<string, readonly string[]> = {
  contract: [],
  lib: ['contract'],
  abi: ['contract', 'lib'],
  hypervisor: ['contract', 'lib', 'abi'],
  acm: ['contract', 'lib', 'abi', 'hypervisor'],
  xenstore: ['contract', 'lib', 'abi'],
  guest: ['contract', 'lib', 'abi'],
  x86: ['contract', 'lib', 'abi', 'hypervisor'],
  net: ['contract', 'lib'],
  storage: ['contract', 'lib'],
  devices: ['contract', 'lib', 'abi', 'guest', 'net', 'storage'],
  migration: ['contract', 'lib', 'abi'],
  xend: ['contract', 'lib', 'abi', 'guest', 'xenstore', 'acm', 'devices', 'migration'],
  xm: ['contract', 'lib', 'acm', 'xend'],
  dom0: ['contract', 'lib', 'abi', 'guest', 'xenstore', 'devices', 'net', 'storage', 'xend', 'xm'],
};

function sourceFiles(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return sourceFiles(path);
    return /\.tsx?$/.test(name) && !/\.(test|testkind)\.tsx?$/.test(name) && !name.endsWith('.d.ts') ? [path] : [];
  });
}

function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(/(?:from\s+|import\s*\(\s*|import\s+)['"](\.[^'"]+)['"]/g)].map((m) =>
    resolve(dirname(file), m[1]!),
  );
}

describe('imports point down', () => {
  for (const [folder, allowed] of Object.entries(mayImport)) {
    it(`${folder} imports only what stands below it`, () => {
      const wrong: string[] = [];
      for (const file of sourceFiles(join(workers, folder))) {
        for (const target of importsOf(file)) {
          const [top] = relative(workers, target).split('/');
          if (top !== folder && !allowed.includes(top!))
            wrong.push(`${relative(root, file)} imports ${relative(root, target)}`);
        }
      }
      expect(wrong).toEqual([]);
    });
  }

  it('the page reaches the worker only through workers/contract', () => {
    const wrong: string[] = [];
    for (const file of sourceFiles(join(root, 'src'))) {
      for (const target of importsOf(file)) {
        const path = relative(root, target);
        if (path.startsWith('workers/') && !path.startsWith('workers/contract'))
          wrong.push(`${relative(root, file)} imports ${path}`);
      }
    }
    expect(wrong).toEqual([]);
  });
});
