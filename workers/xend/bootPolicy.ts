/**
 * The boot loader's menu as far as security goes: the policy that is loaded at boot and Domain-0's label
 * (tools/python/xen/util/bootloader.py in Xen 3.4).
 */
import type { XendFiles } from './environment';

const MENUS = ['/boot/grub/grub.conf', '/boot/grub/menu.lst'];
/** Stands in for the menu on a machine without GRUB. */
const NO_GRUB_FILE = '/var/lib/xend/security/xen_boot_policy';

const isPolicyModule = (line: string) => /^\s+module\s.*\.bin(\s|$)/.test(line);
const isModule = (line: string) => /^\s+module\s/.test(line);
const isKernel = (line: string) => /^\s+kernel\s/.test(line);
const isTitle = (line: string) => /^\s*title\s/.test(line);

export class BootPolicy {
  constructor(readonly files: XendFiles) {}

  /** The policy of the default entry; undefined: none. */
  get name(): string | undefined {
    const menu = this.#read();
    if (!menu) return this.#fileValue('POLICY');
    const line = entryLines(menu.lines, menu.entry)
      .map((at) => menu.lines[at]!)
      .find(isPolicyModule);
    const path = line?.trim().split(/\s+/)[1];
    return path?.replace(/^\/?(boot\/)?/, '').replace(/\.bin$/, '');
  }

  /** Copies the binary to /boot and has the default entry load it. */
  install(name: string, binary: Uint8Array): void {
    this.files.write(`/boot/${name}.bin`, binary);
    this.#change((lines, entry) => this.#withPolicy(lines, entry, name), ['POLICY', name]);
  }

  /** The same in the one entry that `title` is part of. Answers its title, or the titles when they are not exactly one. */
  installInto(title: string | undefined, name: string, binary: Uint8Array): string | readonly string[] {
    const menu = this.#read();
    const titles = menu ? menu.lines.filter(isTitle).map((line) => line.trim().replace(/^title\s+/, '')) : [];
    const matches = titles.filter((each) => (title === undefined ? each.startsWith('XEN') : each.includes(title)));
    if (!menu || matches.length !== 1) return matches;
    this.files.write(`/boot/${name}.bin`, binary);
    this.#write(menu.path, menu.text, this.#withPolicy(menu.lines, titles.indexOf(matches[0]!), name));
    return matches[0]!;
  }

  /** The default entry loads no policy any more. */
  remove(): void {
    this.#change(
      (lines, entry) => {
        const own = new Set(entryLines(lines, entry));
        return lines.filter((line, at) => !(own.has(at) && isPolicyModule(line)));
      },
      ['POLICY', undefined],
    );
  }

  /** Domain-0's label on Xen's command line, `0x00020002:ACM:POLICY:LABEL`; undefined takes it away. */
  setSsidref(word: string | undefined): void {
    this.#change(
      (lines, entry) => {
        const at = entryLines(lines, entry).find((line) => isKernel(lines[line]!));
        if (at === undefined) return lines;
        const plain = lines[at]!.replace(/\s+ssidref=\S*/g, '').trimEnd();
        return replaced(lines, at, word === undefined ? plain : `${plain} ssidref=${word}`);
      },
      ['ssidref', word],
    );
  }

  #withPolicy(lines: readonly string[], entry: number, name: string): readonly string[] {
    const own = new Set(entryLines(lines, entry));
    const kept = lines.filter((line, at) => !(own.has(at) && isPolicyModule(line)));
    const last = entryLines(kept, entry)
      .filter((at) => isModule(kept[at]!))
      .at(-1);
    if (last === undefined) return lines;
    return [...kept.slice(0, last + 1), `\tmodule ${this.#prefix}${name}.bin`, ...kept.slice(last + 1)];
  }

  /** As GRUB names files of /boot: it sees partitions, not mount points. */
  get #prefix(): string {
    const mounts = this.files.read('/proc/mounts');
    return mounts && /^\S+ \/boot /m.test(new TextDecoder().decode(mounts)) ? '/' : '/boot/';
  }

  #read(): { path: string; text: string; lines: readonly string[]; entry: number } | undefined {
    const path = MENUS.find((each) => this.files.exists(each));
    const bytes = path && this.files.read(path);
    if (!path || !bytes) return undefined;
    const text = new TextDecoder().decode(bytes);
    const match = /^\s*default[=\s]\s*(\d+)/m.exec(text);
    return { path: this.files.realPath(path), text, lines: text.split('\n'), entry: match ? Number(match[1]) : 0 };
  }

  #change(
    edit: (lines: readonly string[], entry: number) => readonly string[],
    [key, value]: readonly [string, string | undefined],
  ): void {
    const menu = this.#read();
    if (menu) this.#write(menu.path, menu.text, edit(menu.lines, menu.entry));
    else {
      const others = (['POLICY', 'ssidref'] as const).filter((each) => each !== key);
      const pairs = [...others.map((each) => [each, this.#fileValue(each)] as const), [key, value] as const];
      const lines = pairs.flatMap(([name, text]) => (text === undefined ? [] : [`${name}=${text}\n`]));
      this.files.write(NO_GRUB_FILE, lines.join(''));
    }
  }

  #write(path: string, before: string, lines: readonly string[]): void {
    const text = lines.join('\n');
    if (text === before) return;
    this.files.write(`${path}_save`, before);
    this.files.write(path, text);
  }

  #fileValue(key: string): string | undefined {
    const bytes = this.files.read(NO_GRUB_FILE);
    if (!bytes) return undefined;
    return new RegExp(`^${key}=(.*)$`, 'm').exec(new TextDecoder().decode(bytes))?.[1];
  }
}

/** Indices of the lines of an entry, from its title to the next. */
function entryLines(lines: readonly string[], entry: number): readonly number[] {
  const titles = lines.flatMap((line, at) => (isTitle(line) ? [at] : []));
  const start = titles[entry];
  if (start === undefined) return [];
  const end = titles[entry + 1] ?? lines.length;
  return Array.from({ length: end - start }, (_, i) => start + i);
}

function replaced(lines: readonly string[], at: number, line: string): readonly string[] {
  return lines.map((old, i) => (i === at ? line : old));
}
