/** The files that Domain-0 is installed from, read from the project's own folder. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { InstallFile } from '../../machine/install';

const root = join(dirname(fileURLToPath(import.meta.url)), '../../../public/dom0');

export function readDom0Files(folder = root): InstallFile[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry): InstallFile[] => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return readDom0Files(path);
    const isExecutable = (statSync(path).mode & 0o100) !== 0;
    return [{ path: `/${relative(root, path)}`, mode: isExecutable ? 0o755 : 0o644, text: readFileSync(path, 'utf8') }];
  });
}
