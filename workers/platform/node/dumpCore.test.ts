import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Domain } from '../../hypervisor/domain';
import { GuestConsole } from './guestConsole';
import { type BootedHost, bootedHost, eventually, traces } from './testing';

const PAGE = 4096;

interface Section {
  readonly type: number;
  readonly offset: number;
  readonly bytes: Uint8Array;
  readonly entrySize: number;
}

interface Core {
  readonly order: readonly string[];
  readonly sections: ReadonlyMap<string, Section>;
  readonly notes: ReadonlyMap<number, DataView>;
  /** By guest frame; `frame`: the machine frame where the file says one. */
  readonly pages: ReadonlyMap<number, { readonly bytes: Uint8Array; readonly frame: bigint | undefined }>;
}

/** Reads an ELF core of Xen's, from the description of the format alone. */
function readCore(file: Uint8Array): Core {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const u64 = (at: number) => Number(view.getBigUint64(at, true));
  expect([...file.subarray(0, 8)]).toEqual([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0]);
  // ET_CORE, EM_386; no program headers; section headers behind the header.
  expect([view.getUint16(16, true), view.getUint16(18, true)]).toEqual([4, 3]);
  expect([u64(32), view.getUint16(56, true)]).toEqual([0, 0]);
  expect([u64(40), view.getUint16(52, true), view.getUint16(58, true)]).toEqual([64, 64, 64]);
  const count = view.getUint16(60, true);
  const header = (i: number) => 64 + 64 * i;
  const body = (i: number) => file.subarray(u64(header(i) + 24), u64(header(i) + 24) + u64(header(i) + 32));
  expect([...file.subarray(64, 128)].every((byte) => byte === 0)).toBe(true);
  const names = new TextDecoder().decode(body(view.getUint16(62, true)));
  const order: string[] = [];
  const sections = new Map<string, Section>();
  for (let i = 1; i < count; i++) {
    const at = view.getUint32(header(i), true);
    const name = names.slice(at, names.indexOf('\0', at));
    order.push(name);
    const [type, offset, entrySize] = [view.getUint32(header(i) + 4, true), u64(header(i) + 24), u64(header(i) + 56)];
    expect(offset + u64(header(i) + 32)).toBeLessThanOrEqual(file.length);
    sections.set(name, { type, offset, bytes: body(i), entrySize });
  }
  const last = sections.get('.shstrtab')!;
  expect(last.offset + last.bytes.length).toBe(file.length);
  return { order, sections, notes: readNotes(sections.get('.note.Xen')!.bytes), pages: readPages(sections) };
}

function readNotes(bytes: Uint8Array): ReadonlyMap<number, DataView> {
  const notes = new Map<number, DataView>();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.length; ) {
    const [nameSize, size, type] = [0, 4, 8].map((i) => view.getUint32(at + i, true)) as [number, number, number];
    expect(new TextDecoder().decode(bytes.subarray(at + 12, at + 12 + nameSize))).toBe('Xen\0');
    notes.set(type, new DataView(bytes.buffer, bytes.byteOffset + at + 16, size));
    at += 16 + size;
  }
  return notes;
}

function readPages(sections: Core['sections']): Core['pages'] {
  const { bytes, offset, entrySize } = sections.get('.xen_pages')!;
  expect([offset % PAGE, entrySize]).toEqual([0, PAGE]);
  const isPv = sections.has('.xen_p2m');
  const list = sections.get(isPv ? '.xen_p2m' : '.xen_pfn')!;
  expect(list.entrySize).toBe(isPv ? 16 : 8);
  expect(list.bytes.length / list.entrySize).toBe(bytes.length / PAGE);
  const view = new DataView(list.bytes.buffer, list.bytes.byteOffset, list.bytes.byteLength);
  const pages = new Map<number, { bytes: Uint8Array; frame: bigint | undefined }>();
  for (let i = 0; i < bytes.length / PAGE; i++) {
    const pfn = Number(view.getBigUint64(i * list.entrySize, true));
    const frame = isPv ? view.getBigUint64(i * 16 + 8, true) : undefined;
    pages.set(pfn, { bytes: bytes.subarray(i * PAGE, (i + 1) * PAGE), frame });
  }
  return pages;
}

/** Every page of the domain is in the file, in order, as it is now. */
function expectMemory(core: Core, { space, sharedInfoMfn, totPages }: Domain): void {
  const own: number[] = [];
  for (let pfn = 0; pfn < space.p2m.length; pfn++) {
    const mfn = space.p2m.get(pfn);
    if (mfn === undefined || mfn === sharedInfoMfn || space.memory.isXenheap(mfn)) continue;
    own.push(pfn);
    const page = core.pages.get(pfn)!;
    if (!Buffer.from(page.bytes).equals(space.memory.peek(mfn) ?? new Uint8Array(PAGE)))
      throw new Error(`frame ${pfn}`);
    if (page.frame !== undefined) expect(page.frame).toBe(BigInt(mfn));
  }
  expect([...core.pages.keys()]).toEqual(own);
  expect(own).toHaveLength(totPages);
}

const u64 = (view: DataView, at: number) => Number(view.getBigUint64(at, true));

describe('xm dump-core', () => {
  let booted: BootedHost;
  let empty: unknown;
  const output = async (command: string) => (await booted.exec(command)).output;
  const domainOf = async (name: string) =>
    booted.host.host.hypervisor!.findDomain(Number(await output(`xm domid ${name}`)) as never)!;
  const dump = async (words: string, name = 'guest') => {
    expect(await booted.exec(`xm dump-core ${words}`)).toEqual({
      status: 0,
      output: `Dumping core of domain: ${name} ...\n`,
    });
  };
  const state = async (name = 'guest') => (await output(`xm list ${name} | tail -1`)).slice(63, 69);
  const create = (more = '') =>
    output(`xm create /dev/null kernel=/boot/vmlinuz-2.6.18-xenU memory=16 vcpus=2 name=guest ${more}`);
  const destroyed = async () => {
    await output('xm destroy guest; rm -f /var/xen/dump/*; sleep 5');
    expect(await traces(booted)).toEqual(empty);
    expect(booted.bugs).toEqual([]);
  };

  beforeAll(async () => {
    booted = await bootedHost({});
    empty = await traces(booted);
  }, 120_000);
  afterAll(() => booted.close());

  it('writes processors, shared page and memory of a paravirtual guest, which goes on', async () => {
    await create();
    const guest = await GuestConsole.mini(booted, 'guest');
    await output('xm mem-set guest 14; sleep 2; xm pause guest');
    await dump('guest /root/guest.core');
    expect(await state()).toContain('p');
    const file = await booted.host.readFile('/root/guest.core');
    const core = readCore(file);
    expect(core.order).toEqual([
      '.shstrtab',
      '.note.Xen',
      '.xen_prstatus',
      '.xen_shared_info',
      '.xen_pages',
      '.xen_p2m',
    ]);
    const domain = await domainOf('guest');
    expectMemory(core, domain);
    expect([...core.notes.keys()]).toEqual([0x2000000, 0x2000001, 0x2000002, 0x2000003]);
    const header = core.notes.get(0x2000001)!;
    expect([0, 8, 16, 24].map((at) => u64(header, at))).toEqual([0xf00febed, 2, 14 * 256, PAGE]);
    const version = core.notes.get(0x2000002)!;
    expect([version.byteLength, u64(version, 0), u64(version, 8)]).toEqual([1276, 3, 4]);
    expect(u64(version, 1268)).toBe(PAGE);
    expect(u64(core.notes.get(0x2000003)!, 0)).toBe(1);
    expect(core.sections.get('.xen_prstatus')!.bytes).toHaveLength(2 * 2800);
    const shared = core.sections.get('.xen_shared_info')!.bytes;
    expect(shared).toHaveLength(PAGE);
    expect(Buffer.from(shared).equals(domain.space.memory.peek(domain.sharedInfoMfn)!)).toBe(true);
    await output('xm unpause guest');
    expect((await guest.run('echo $((6*7))')).output).toBe('42\n');
    await dump('guest /root/guest.core');
    expect(await state()).not.toContain('p');
    expect((await guest.run('echo $((6*7))')).output).toBe('42\n');
    await output('rm /root/guest.core');
    expect(await output('xenstore-ls /vm | grep dumpcore')).toBe('');
  }, 60_000);

  it('stops the guest meanwhile, or not', async () => {
    const guest = await GuestConsole.attach(booted, 'guest');
    await guest.type('i=0; while [ $i -lt 20 ]; do i=$((i+1)); date +%s.%N; sleep 0.02; done; echo "en""d"\n');
    await guest.until(/\.\d+/);
    const { clock } = booted.lab;
    const domain = await domainOf('guest');
    let paused = 0;
    const look = () => {
      if (domain.isPausedByController) paused++;
      clock.at(clock.nowNs + 1e6, look);
    };
    look();
    await dump('-L guest /root/live.core');
    expect(paused).toBe(0);
    await dump('--live guest /root/live.core');
    expect(paused).toBe(0);
    readCore(await booted.host.readFile('/root/live.core'));
    await dump('guest /root/live.core');
    expect(paused).toBeGreaterThan(50);
    await guest.until(/end\r\n/);
    await output('rm /root/live.core');
  }, 60_000);

  it('fits what it writes to the number of pages at its beginning', async () => {
    const sized = async (words: string, meanwhile: string) => {
      await output(`xm dump-core -L guest ${words} & sleep 0.02; ${meanwhile}; wait`);
      return readCoreLoosely(await booted.host.readFile(words));
    };
    await output('xm mem-set guest 14; sleep 2');
    const grown = await sized('/root/a.core', 'xm mem-set guest 16');
    expect(await output('grep -c "exceeded nr_pages ([0-9]*) losing pages" /var/log/xen/xend.log')).toBe('1\n');
    expect(grown).toEqual({ pages: 14 * 256, missing: 0 });
    await output('sleep 2');
    const shrunk = await sized('/root/b.core', 'xm mem-set guest 12');
    expect(shrunk.pages).toBe(16 * 256);
    expect(shrunk.missing).toBeGreaterThan(0);
    expect(shrunk.missing).toBeLessThanOrEqual(1024);
    await output('rm /root/?.core; sleep 2');
  }, 60_000);

  it('chooses a name in /var/xen/dump when none is given', async () => {
    await dump('guest');
    expect(await output('ls /var/xen/dump')).toMatch(/^2009-0518-\d{4}\.\d\d-guest\.\d+\.core\n$/);
  });

  it('keeps what it could write when there is no room, and the guest goes on', async () => {
    const { status, output: said } = await booted.exec(
      'mount -t tmpfs -o size=1m none /mnt; cd /mnt; xm dump-core -C guest x.core',
    );
    expect(status).toBe(1);
    expect(said).toContain("Error: Failed to dump core: (28, 'No space left on device')\nUsage: xm dump-core ");
    expect(await output('ls /mnt; umount /mnt')).toBe('x.core-incomplete\n');
    expect(await state()).not.toContain('p');
    expect(await output('grep "core dump failed" /var/log/xen/xend.log')).toContain('name = guest');
  });

  it('ends or renews the guest afterwards', async () => {
    const before = await output('xm domid guest');
    await dump('-R guest /root/x.core');
    expect(Number(await output('xm domid guest'))).toBeGreaterThan(Number(before));
    await GuestConsole.mini(booted, 'guest');
    await dump('--crash guest /root/x.core');
    expect(await output('xm list guest')).toContain("Domain 'guest' does not exist.");
    await destroyed();
  }, 60_000);

  it('happens by itself when a guest crashes that is to leave a core', async () => {
    await create('on_crash=coredump-restart');
    await GuestConsole.mini(booted, 'guest');
    const before = await output('xm domid guest');
    await booted.advance(61_000);
    await output('xm sysrq guest c');
    await eventually(booted, 'xm domid guest', new RegExp(`^(?!${before.trim()}\\n)\\d+\\n`));
    const [name] = (await output('ls /var/xen/dump')).split('\n');
    expect(name).toMatch(new RegExp(`-guest\\.${before.trim()}\\.core$`));
    const core = readCore(await booted.host.readFile(`/var/xen/dump/${name}`));
    expect(core.pages.size).toBe(16 * 256);
    await destroyed();
    await create('on_crash=coredump-destroy');
    await GuestConsole.mini(booted, 'guest');
    await output('xm sysrq guest c; sleep 3');
    expect(await output('ls /var/xen/dump | wc -l')).toMatch(/^ *1\n$/);
    expect(await output('xm list')).not.toContain('guest');
    await destroyed();
  }, 60_000);

  it('happens to every guest that crashes when xend is told so', async () => {
    await output("echo '(enable-dump yes)' >>/etc/xen/xend-config.sxp; /etc/init.d/xend restart");
    await create('on_crash=preserve');
    await GuestConsole.mini(booted, 'guest');
    await output('xm sysrq guest c; sleep 3');
    expect(await state()).toContain('c');
    expect(await output('ls /var/xen/dump | wc -l')).toMatch(/^ *1\n$/);
    expect(await output('xm dump-core guest')).toContain("Error: Domain 'guest' is not started");
    await output("sed -i '$d' /etc/xen/xend-config.sxp; /etc/init.d/xend restart");
    await destroyed();
  }, 60_000);

  it('writes a Linux guest by its own frame numbers', async () => {
    await output('xm create /etc/xen/linux');
    const guest = await GuestConsole.linux(booted, 'linux');
    await output('xm pause linux');
    await dump('linux /root/linux.core', 'linux');
    const core = readCore(await booted.host.readFile('/root/linux.core'));
    expect(core.order.at(-1)).toBe('.xen_pfn');
    expectMemory(core, await domainOf('linux'));
    expect(u64(core.notes.get(0x2000001)!, 0)).toBe(0xf00febee);
    const context = core.sections.get('.xen_prstatus')!.bytes;
    expect(context).toHaveLength(2800);
    // CR0 has paging and protection on: the processor's own registers.
    const cr0 = new DataView(context.buffer, context.byteOffset).getUint32(2716, true);
    expect((cr0 & 0x8000_0001) >>> 0).toBe(0x8000_0001);
    await output('xm unpause linux');
    expect((await guest.run('echo $((6*7))')).output).toBe('42\n');
    await output('xm destroy linux; rm /root/linux.core; sleep 5');
    expect(await traces(booted)).toEqual(empty);
    expect(booted.bugs).toEqual([]);
  }, 120_000);
});

/** How many pages a core has room for, and how many of them were missing. */
function readCoreLoosely(file: Uint8Array): { pages: number; missing: number } {
  const { sections, notes } = readCore(file);
  const { bytes } = sections.get('.xen_p2m')!;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let missing = 0;
  for (let at = 0; at < bytes.length; at += 16) if (view.getBigUint64(at, true) === 2n ** 64n - 1n) missing++;
  return { pages: u64(notes.get(0x2000001)!, 16), missing };
}
