import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Domain } from '../../hypervisor/domain';
import { seeded } from '../../lib/random';
import { GuestConsole } from './guestConsole';
import { readStateFile, type StateFile } from './stateFile.testkind';
import { type BootedHost, bootedHost, traces } from './testing';

const PAGE = 4096;
const SHUTDOWN_SUSPEND = 2;
const MINI = 'xm create /dev/null kernel=/boot/vmlinuz-2.6.18-xenU memory=16 vcpus=2 name=guest';
/** Stands in the guest's memory once, and is shown by `cat`. */
const TEXT = 'The quick brown fox jumps over the lazy dog';

/** A domain's memory by guest frame; undefined: no memory there. Zero pages that nobody has written to are zero. */
type Memory = ReadonlyMap<number, Uint8Array>;

function memoryOf({ space, sharedInfoMfn }: Domain): Memory {
  const pages = new Map<number, Uint8Array>();
  for (let pfn = 0; pfn < space.p2m.length; pfn++) {
    const mfn = space.p2m.get(pfn);
    if (mfn === undefined || mfn === sharedInfoMfn || space.memory.isXenheap(mfn)) continue;
    pages.set(pfn, space.memory.peek(mfn)?.slice() ?? new Uint8Array(PAGE));
  }
  return pages;
}

/** Saves the guest and looks at its memory in the moment in which it has stopped. */
async function saveAndLook(booted: BootedHost, name: string, path: string): Promise<Memory> {
  const { clock } = booted.lab;
  const { hypervisor } = booted.host.host;
  const domid = Number((await booted.exec(`xm domid ${name}`)).output);
  const domain = hypervisor!.findDomain(domid as never)!;
  let memory: Memory | undefined;
  const look = () => {
    if (domain.isShutDown && domain.shutdownCode === SHUTDOWN_SUSPEND) memory = memoryOf(domain);
    else clock.at(clock.nowNs + 100_000, look);
  };
  look();
  expect(await booted.exec(`xm save ${name} ${path}`)).toEqual({ status: 0, output: '' });
  return memory!;
}

function expectMemory(state: StateFile, memory: Memory): void {
  expect([...state.pages.keys()].sort((a, b) => a - b)).toEqual([...memory.keys()]);
  for (const [pfn, { bytes }] of state.pages)
    if (!Buffer.from(bytes).equals(memory.get(pfn)!)) throw new Error(`frame ${pfn} differs`);
}

/** Offsets: EBX and EDX in a vcpu context; the frames of two rings in start_info. */
const EBX = 516;
const EDX = 524;
const STORE_MFN = 44;
const CONSOLE_MFN = 52;

function wordAt(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true);
}

/** Where a text stands in the file: as a rule in one page. */
function placesOf(file: Uint8Array, text: string): readonly number[] {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.length);
  const places: number[] = [];
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + 1)) places.push(at);
  expect(places.length).toBeGreaterThan(0);
  return places;
}

function flipped(file: Uint8Array, at: number, bit: number): Uint8Array {
  const changed = file.slice();
  changed[at]! ^= 1 << bit;
  return changed;
}

describe('the state file of a mini guest', () => {
  let booted: BootedHost;
  let file: Uint8Array;
  let state: StateFile;
  let memory: Memory;
  let empty: unknown;
  /** By EDX of vcpu 0. */
  let startInfo: number;
  const ring = (field: number) => wordAt(state.pages.get(startInfo)!.bytes, field);
  const output = async (command: string) => (await booted.exec(command)).output;

  beforeAll(async () => {
    booted = await bootedHost({});
    empty = await traces(booted);
    await output(MINI);
    const guest = await GuestConsole.mini(booted, 'guest');
    await guest.run(
      'mount -t tmpfs none /mnt; echo "The quick brown fox jumps over the lazy""  dog" | tr -s " " >/mnt/f; clear',
    );
    await output('xm mem-set guest 12; sleep 2');
    memory = await saveAndLook(booted, 'guest', '/root/guest.chk');
    file = await booted.host.readFile('/root/guest.chk');
    state = readStateFile(file);
    startInfo = wordAt(state.contexts[0]!, EDX);
  }, 120_000);
  afterAll(() => booted.close());

  it('holds every page as it was when the guest stopped, and nothing else', () => {
    expect(state.kind).toBe('pv');
    expectMemory(state, memory);
    expect(new Set(state.types.values())).toEqual(new Set([0]));
    expect(state.pages.size).toBe(12 * 256);
    expect(state.p2mSize).toBeGreaterThan(16 * 256);
    expect(state.notInMap).toHaveLength(state.p2mSize - state.pages.size);
    expect(state.contexts).toHaveLength(1);
    expect(state.vcpuMap).toBe(1n);
    const overhead = file.length - state.pages.size * PAGE;
    expect(overhead).toBeLessThan(64 * 1024);
  });

  it('costs no memory for pages that the guest has never written to', async () => {
    await output('xm restore /root/guest.chk; sleep 1');
    const { memory: frames } = booted.host.host.hypervisor!;
    const before = frames.backedFrames;
    await output('xm save -c guest /root/again.chk');
    // The file lies on a disk, not in frames; Domain-0's buffers and the guest's record come and go.
    expect(frames.backedFrames - before).toBeLessThan(200);
    await output('xm destroy guest; rm /root/again.chk; sleep 2');
  });

  it('names frames as the guest does', () => {
    for (const pfn of [startInfo, ring(STORE_MFN), ring(CONSOLE_MFN)]) expect(state.pages.has(pfn)).toBe(true);
    expect(new Set([startInfo, ring(STORE_MFN), ring(CONSOLE_MFN)]).size).toBe(3);
    for (const pfn of state.p2mFrames) expect(state.pages.has(pfn)).toBe(true);
    // The list at those frames: of each guest frame the machine frame that it had, or none.
    const list = state.p2mFrames.flatMap((pfn) => [...new Uint32Array(state.pages.get(pfn)!.bytes.slice().buffer)]);
    for (let pfn = 0; pfn < state.p2mSize; pfn++) expect(list[pfn] !== 0xffff_ffff).toBe(state.pages.has(pfn));
  });

  it('has a configuration that begins as xend prints it', () => {
    expect(state.config).toMatch(/^\(domain \(/);
    expect(state.config).toContain('(name guest)');
    expect(state.config).not.toContain('domid');
  });

  it('comes back as it was', async () => {
    expect(await output('xm restore -p /root/guest.chk')).toBe('');
    const domid = Number(await output('xm domid guest'));
    const restored = memoryOf(booted.host.host.hypervisor!.findDomain(domid as never)!);
    const changed = [...state.pages].filter(([pfn, { bytes }]) => !Buffer.from(bytes).equals(restored.get(pfn)!));
    // Only what names machine frames (start_info, the P2M list) and the store's ring, which xenstored begins anew.
    const may = [startInfo, ring(STORE_MFN), ...state.p2mFrames];
    expect(changed.map(([pfn]) => pfn).filter((pfn) => !may.includes(pfn))).toEqual([]);
    expect(restored.size).toBe(state.pages.size);
    await output('xm destroy guest; sleep 2');
  });

  it('makes another guest when one bit of a data page is another one', async () => {
    const [at, ...others] = placesOf(file, TEXT);
    expect(others).toEqual([]);
    // 'q' becomes 'Q'.
    await booted.host.writeFile('/root/changed.chk', flipped(file, at! + 4, 5));
    expect(await output('xm restore /root/changed.chk')).toBe('');
    const guest = await GuestConsole.attach(booted, 'guest');
    expect((await guest.run('cat /mnt/f')).output).toBe(`${TEXT.replace('quick', 'Quick')}\n`);
    await output('xm destroy guest; sleep 5; rm /root/changed.chk');
    expect(await traces(booted)).toEqual(empty);
  });

  const refused = async (bytes: Uint8Array, message: RegExp) => {
    await booted.host.writeFile('/root/bad.chk', bytes);
    const answer = await booted.exec('xm restore /root/bad.chk');
    expect(answer.output).toMatch(message);
    expect(answer.status).toBe(1);
    expect(booted.bugs).toEqual([]);
  };

  it('is refused when it ends at any of its parts, or within one; nothing is left', async () => {
    const inConfig = state.parts.find(({ name }) => name === 'p2m_size')!.at;
    for (const { at, name } of state.parts) {
      const ends = name === 'contents' ? [at, at + 1, at + 5 * PAGE + 17] : [at, at + 1];
      for (const end of ends) await refused(file.subarray(0, end), end < inConfig ? NOT_VALID : RESTORE_FAILED);
    }
    await refused(file.subarray(0, file.length - 1), RESTORE_FAILED);
    await booted.advance(5000);
    expect(await traces(booted)).toEqual(empty);
  }, 120_000);

  it.each([
    ['nothing', new Uint8Array(0), /^Error: not a valid guest state file: signature read\n/],
    ['a short text', Buffer.from('hello\n'), /^Error: not a valid guest state file: signature read\n/],
    ['another text', Buffer.from('kernel = "/boot/vmlinuz"\nmemory = 64\n'), /: found 'kernel = "\/boot\/'\n/],
    ['zeroes', new Uint8Array(PAGE), /^Error: not a valid guest state file: found '/],
    ['another signature', Buffer.from('XenLabGuestState{"pages":[]}'), /: found 'XenLabGuestState'\n/],
    ['a signature alone', Buffer.from('LinuxGuestRecord'), /^Error: not a valid guest state file: config size read\n/],
    ['an endless configuration', Buffer.from('LinuxGuestRecord\xff\xff\xff\xff(domain', 'latin1'), /: config parse\n/],
    ['no configuration', Buffer.from('LinuxGuestRecord\0\0\0\0', 'latin1'), /: config parse\n/],
    ['an open bracket', Buffer.from('LinuxGuestRecord\0\0\0\x07(domain', 'latin1'), /: config parse\n/],
    ['a word', Buffer.from('LinuxGuestRecord\0\0\0\x06domain', 'latin1'), /^Error: /],
    ['an empty domain', Buffer.from('LinuxGuestRecord\0\0\0\x08(domain)', 'latin1'), /^Error: /],
  ])('is refused when it is %s', async (_, bytes, message) => {
    await refused(bytes, message);
    expect(await traces(booted)).toEqual(empty);
  });

  /** Restores a file with one wrong bit; whatever becomes of it, nobody else notices. */
  const restoreFlipped = async (at: number, bit: number) => {
    await booted.host.writeFile('/root/bad.chk', flipped(file, at, bit));
    const { status, output: said } = await booted.exec('xm restore /root/bad.chk');
    expect(said).not.toContain('Unexpected error');
    await booted.advance(500);
    expect([at, status < 2, booted.bugs]).toEqual([at, true, []]);
    for (const name of (await output('xm list | tail -n +3 | cut -d" " -f1')).split('\n').filter(Boolean))
      await output(`xm destroy ${name}`);
    return status;
  };
  const random = seeded(7);

  it('leads to a refusal or to a domain, whatever bit is wrong before and behind the pages', async () => {
    const firstPage = state.parts.find(({ name }) => name === 'contents')!.at;
    const tail = state.parts.findIndex(({ name }) => name === 'number of frames not in the map');
    const tailAt = state.parts[tail - 1]!.at;
    const statuses = new Set<number>();
    for (let times = 0; times < 24; times++) {
      const at = times % 2 === 0 ? random.below(firstPage) : tailAt + random.below(file.length - tailAt);
      statuses.add(await restoreFlipped(at, random.below(8)));
    }
    expect(statuses).toEqual(new Set([0, 1]));
    await booted.advance(25_000);
    expect(await traces(booted)).toEqual(empty);
  }, 120_000);

  it("crashes that guest at most when a bit of the kernel's record is wrong", async () => {
    const index = wordAt(state.contexts[0]!, EBX);
    const length = wordAt(state.pages.get(index)!.bytes, 0);
    const recordPages = Array.from({ length: Math.ceil(length / PAGE) }, (_, i) =>
      wordAt(state.pages.get(index)!.bytes, 8 + 4 * i),
    );
    for (let times = 0; times < 24; times++) {
      const pfn = times % 4 === 0 ? index : recordPages[random.below(recordPages.length)]!;
      const { at } = state.pages.get(pfn)!;
      expect(
        await restoreFlipped(at + random.below(pfn === index ? 8 + 4 * recordPages.length : PAGE), random.below(8)),
      ).toBe(0);
    }
    await booted.advance(25_000);
    expect(await traces(booted)).toEqual(empty);
  }, 120_000);
});

describe('the state file of a Linux guest', () => {
  let booted: BootedHost;
  let file: Uint8Array;
  let state: StateFile;
  let memory: Memory;
  let empty: unknown;
  const output = async (command: string) => (await booted.exec(command)).output;

  beforeAll(async () => {
    booted = await bootedHost({});
    empty = await traces(booted);
    await output('xm create /etc/xen/linux');
    const guest = await GuestConsole.linux(booted, 'linux');
    await guest.run(
      'mkdir -p /tmp/m; mount -t tmpfs none /tmp/m; echo "The quick brown fox jumps over the lazy""  dog" | tr -s " " >/tmp/m/f',
    );
    memory = await saveAndLook(booted, 'linux', '/root/linux.chk');
    file = await booted.host.readFile('/root/linux.chk');
    state = readStateFile(file);
  }, 120_000);
  afterAll(() => booted.close());

  it("holds every page as it was, and the emulator's state as one processor record", () => {
    expect(state.kind).toBe('hvm');
    expectMemory(state, memory);
    expect(new Set(state.types.values())).toEqual(new Set([0, 0xf]));
    expect(state.pages.size + state.absent.size).toBe(state.p2mSize);
    expect(state.records.map(({ type, instance }) => [type, instance])).toEqual([
      [1, 0],
      [2, 0],
      [0, 0],
    ]);
    expect(state.storePfn).toBeGreaterThan(0);
    expect(state.consolePfn).toBeGreaterThan(0);
    for (const pfn of [state.storePfn!, state.consolePfn!]) expect(state.pages.has(pfn)).toBe(true);
    // Pages, their numbers, the configuration and the record: nothing else has room.
    expect(file.length - state.pages.size * PAGE).toBeLessThan(48 * 1024);
  });

  it('makes another guest when one bit of a data page is another one', async () => {
    for (const at of placesOf(file, TEXT)) file[at + 4]! ^= 0x20;
    await booted.host.writeFile('/root/linux.chk', file);
    expect(await output('xm restore /root/linux.chk')).toBe('');
    const guest = await GuestConsole.attach(booted, 'linux');
    expect((await guest.run('cat /tmp/m/f')).output).toBe(`${TEXT.replace('quick', 'Quick')}\n`);
    await output('xm destroy linux');
  });

  it('is refused when it ends early, or its processor is no processor; nothing is left', async () => {
    const refused = async (bytes: Uint8Array) => {
      await booted.host.writeFile('/root/bad.chk', bytes);
      const answer = await booted.exec('xm restore /root/bad.chk');
      expect(answer.output).toMatch(RESTORE_FAILED);
      expect(booted.bugs).toEqual([]);
    };
    const parts = state.parts.slice(3);
    for (const { at } of [...parts.slice(0, 3), ...parts.slice(-8)]) await refused(file.subarray(0, at + 2));
    const [header] = state.parts.filter(({ name }) => name === 'HVM record');
    await refused(flipped(file, header!.at, 3));
    await refused(flipped(file, header!.at + 4, 0));
    await output('rm /root/*.chk');
    await booted.advance(5000);
    expect(await traces(booted)).toEqual(empty);
  }, 60_000);
});

const NOT_VALID = /^Error: not a valid guest state file: (signature|config size|config) read\n/;
const RESTORE_FAILED = /^Error: Restore failed\n/;
