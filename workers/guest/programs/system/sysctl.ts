/** sysctl: the kernel's settings below /proc/sys, by dotted names (procps 3.2). */
import { type Sys, SysError } from '../../sys';
import { command } from '../adapters';
import { optionsOf, quietly, type ToolSpec } from '../options';

const ROOT = '/proc/sys';
const DEFAULT_FILE = '/etc/sysctl.conf';
const USAGE = `usage:  sysctl [-n] [-e] variable ...
        sysctl [-n] [-e] -w variable=value ...
        sysctl [-n] [-e] -a
        sysctl [-n] [-e] [-p <file>]   (default ${DEFAULT_FILE})
        sysctl [-n] [-e] -A
`;
const SPEC: ToolSpec = { usage: '', options: 'newaAXp', long: {} };

interface Mode {
  readonly valueOnly: boolean;
  /** Unknown names are passed over. */
  readonly ignoreUnknown: boolean;
}

const dotted = (name: string) => name.trim().replaceAll('/', '.');
const pathOf = (name: string) => `${ROOT}/${name.replaceAll('.', '/')}`;

export const sysctl = command('sysctl', (sys, args) => {
  const options = optionsOf(sys, 'sysctl', SPEC, [...args]);
  if (typeof options === 'number') return options;
  const { words } = options;
  const mode: Mode = { valueOnly: options.has('n'), ignoreUnknown: options.has('e') };
  if (options.has('a', 'A', 'X')) return showAll(sys, ROOT, mode);
  if (options.has('p')) return load(sys, words[0] ?? DEFAULT_FILE, mode);
  if (words.length === 0) {
    sys.eprint(USAGE);
    return 1;
  }
  let isFine = true;
  for (const word of words) {
    const isSetting = options.has('w') || word.includes('=');
    if (!(isSetting ? set(sys, word, mode) : show(sys, dotted(word), mode))) isFine = false;
  }
  return isFine ? 0 : 1;
});

function print(sys: Sys, name: string, value: string, { valueOnly }: Mode): void {
  for (const line of value.replace(/\n$/, '').split('\n')) sys.print(valueOnly ? `${line}\n` : `${name} = ${line}\n`);
}

function complain(sys: Sys, error: unknown, name: string, mode: Mode, verb: string): boolean {
  if (!(error instanceof SysError)) throw error;
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') {
    if (!mode.ignoreUnknown) sys.eprint(`error: "${name}" is an unknown key\n`);
    return mode.ignoreUnknown;
  }
  if (error.code === 'EACCES' || error.code === 'EPERM') sys.eprint(`error: permission denied on key '${name}'\n`);
  else sys.eprint(`error: "${new SysError(error.code).message}" ${verb} key "${name}"\n`);
  return false;
}

function show(sys: Sys, name: string, mode: Mode): boolean {
  try {
    if (sys.stat(pathOf(name)).kind === 'dir') return showAll(sys, pathOf(name), mode) === 0;
    print(sys, name, sys.readText(pathOf(name)), mode);
    return true;
  } catch (error) {
    return complain(sys, error, name, mode, 'reading');
  }
}

function showAll(sys: Sys, directory: string, mode: Mode): number {
  for (const entry of [...(quietly(() => sys.readdir(directory)) ?? [])].sort()) {
    const path = `${directory}/${entry}`;
    const name = path.slice(ROOT.length + 1).replaceAll('/', '.');
    if (sys.stat(path).kind === 'dir') showAll(sys, path, mode);
    else {
      const text = quietly(() => sys.readText(path));
      if (text !== undefined) print(sys, name, text, mode);
    }
  }
  return 0;
}

function set(sys: Sys, setting: string, mode: Mode): boolean {
  const match = /^([^=]+?)\s*=\s*(.*)$/.exec(setting);
  if (!match) {
    sys.eprint(`error: '${setting}' must be of the form name=value\n`);
    return false;
  }
  const name = dotted(match[1]!);
  const value = match[2]!.trim();
  try {
    // A name that does not exist must not become a file, and some can only be read, by root too.
    if ((sys.stat(pathOf(name)).mode & 0o222) === 0) throw new SysError('EACCES');
    sys.writeFile(pathOf(name), `${value}\n`);
    print(sys, name, value, mode);
    return true;
  } catch (error) {
    return complain(sys, error, name, mode, 'setting');
  }
}

function load(sys: Sys, file: string, mode: Mode): number {
  const text = quietly(() => sys.readText(file));
  if (text === undefined) {
    sys.eprint(`error: unable to open preload file '${file}'\n`);
    return 1;
  }
  let isFine = true;
  text.split('\n').forEach((line, i) => {
    const trimmed = line.trim();
    if (trimmed === '' || /^[#;]/.test(trimmed)) return;
    if (!trimmed.includes('=')) sys.eprint(`warning: ${file}(${i + 1}): invalid syntax, continuing...\n`);
    else if (!set(sys, trimmed, mode)) isFine = false;
  });
  return isFine ? 0 : 1;
}
