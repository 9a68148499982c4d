import { readFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GuestConsole } from './guestConsole';
import { kernelOf } from './machineCode';
import { type BootedHost, bootedHost, eventually, traces } from './testing';

const bzImage = readFileSync(new URL('../../../public/guests/vmlinuz-6.1-xenU', import.meta.url));
/** Setup sectors, then the payload at an offset from there (Documentation/x86/boot.rst of Linux). */
const payloadAt = (bzImage[0x1f1]! + 1) * 512 + bzImage.readUInt32LE(0x248);
const elf = gunzipSync(bzImage.subarray(payloadAt, payloadAt + bzImage.readUInt32LE(0x24c)));

function changed(file: Uint8Array, change: (copy: Buffer) => void): Uint8Array {
  const copy = Buffer.from(file);
  change(copy);
  return copy;
}

/** Without a note of Xen's: no kernel for it. */
const withoutNotes = changed(elf, (copy) => {
  for (let at = copy.indexOf('Xen\0'); at >= 0; at = copy.indexOf('Xen\0', at + 1)) copy[at] = 0x59;
});
const noise = Uint8Array.from({ length: 65_536 }, (_, i) => (i * 7919) >> 3);

const invalid = (reason: string) => `Error: (2, 'Invalid kernel', '${reason}\\n')\n`;
const outOfMemory = `Error: (1, 'Out of memory', "xc_dom_alloc_segment: segment ramdisk too large\\n")\n`;

const LINUX = 'kernel=/boot/vmlinuz-6.1-xenU';
const INITRD = 'ramdisk=/boot/initrd-6.1-xenU.img';

describe('a domain that cannot be', { timeout: 120_000 }, () => {
  let booted: BootedHost;
  let empty: unknown;
  beforeAll(async () => {
    booted = await bootedHost({});
    empty = await traces(booted);
  });
  afterAll(() => {
    expect(booted.bugs).toEqual([]);
    booted.close();
  });

  const create = (options: string) => booted.exec(`xm create -q /dev/null name=x memory=32 ${options}`);
  const stateOf = async (name: string) =>
    (await booted.exec('xm list')).output.match(new RegExp(`^${name} .* ([-rbpscd]{6}) `, 'm'))?.[1];

  it.each<[string, Uint8Array, string]>([
    ['a truncated image', bzImage.subarray(0, 1 << 20), invalid('xc_dom_probe_bzimage_kernel: kernel is truncated')],
    [
      'an image with a damaged payload',
      changed(bzImage, (copy) => copy.fill(0x55, payloadAt + 1000, payloadAt + 2000)),
      invalid('xc_dom_do_gunzip: inflate failed'),
    ],
    [
      'a program header that points outside of the file',
      changed(elf, (copy) => copy.writeUInt32LE(0x7fff_ffff, copy.readUInt32LE(28) + 4)),
      invalid('xc_dom_parse_elf_kernel: ELF image is corrupted'),
    ],
    ['half a kernel', elf.subarray(0, 3 << 20), invalid('xc_dom_parse_elf_kernel: ELF image is corrupted')],
    [
      "a kernel without Xen's notes",
      gzipSync(withoutNotes, { level: 1 }),
      `Error: (2, 'Invalid kernel', "elf_xen_note_check: ERROR: Not a Xen-ELF image: No ELF notes or '__xen_guest' section found.\\n")\n`,
    ],
    ['an empty file', new Uint8Array(0), invalid('xc_dom_find_loader: no loader found')],
    ['noise', noise, invalid('xc_dom_find_loader: no loader found')],
  ])('is refused when its kernel is %s', async (_what, file, message) => {
    await booted.host.writeFile('/tmp/kernel', file);
    expect(await create(`kernel=/tmp/kernel ${INITRD}`)).toEqual({ status: 1, output: message });
    expect(await traces(booted)).toEqual(empty);
  });

  it.each([
    ['memory is too little', `${LINUX} ${INITRD} memory=16`, outOfMemory],
    ['RAM disk does not fit', `${LINUX} ramdisk=/home/xen/linux.img memory=28`, outOfMemory],
    ['kernel does not exist', 'kernel=/boot/nothing', 'Error: Kernel image does not exist: /boot/nothing\n'],
    ['kernel is a directory', 'kernel=/boot', 'Error: Kernel image does not exist: /boot\n'],
    ['RAM disk does not exist', `${LINUX} ramdisk=/nothing`, 'Error: Kernel ramdisk does not exist: /nothing\n'],
  ])('is refused when its %s', async (_what, options, message) => {
    expect(await create(options)).toEqual({ status: 1, output: message });
    expect(await traces(booted)).toEqual(empty);
  });

  it('crashes when its RAM disk is none, and on_crash says what becomes of it', async () => {
    await booted.host.writeFile('/tmp/noise', noise);
    const options = `${LINUX} ramdisk=/tmp/noise "extra=console=hvc0 marker=here"`;
    expect((await create(`${options} on_crash=preserve`)).status).toBe(0);
    const guest = await GuestConsole.attach(booted, 'x');
    await guest.until(/Kernel panic - not syncing/);
    await eventually(booted, 'xm list', /^x .* ----c- /m);
    expect(guest.shown).toContain('VFS: Unable to mount root fs');
    expect((await booted.exec('tail -3 /var/log/xen/xend.log')).output).toMatch(/Domain has crashed: name=x id=\d+\./);
    await booted.exec('xm destroy x');
    await booted.advance(100);
    expect(await traces(booted)).toEqual(empty);

    expect((await create(`${options} on_crash=restart`)).status).toBe(0);
    // Too soon after its start to be started again.
    await booted.advance(3_000);
    expect(await traces(booted)).toEqual(empty);
    expect((await booted.exec('tail -9 /var/log/xen/xend.log')).output).toMatch(/VM x restarting too fast/);
  });

  it('crashes when its code makes no sense to a processor', async () => {
    for (const code of [
      [0x0f, 0x0b], // ud2, without a table of exceptions
      [0xea, 0xff, 0xff, 0xff, 0xff, 0x08, 0x00], // a far jump by a descriptor table that is not there
      [0xbc, 0, 0, 0, 0, 0x50], // mov esp, 0; push: beyond the end of the address space
      [0xb8, 0, 0, 0, 0xf0, 0xff, 0xe0], // a jump to where there is no memory
    ]) {
      await booted.host.writeFile('/tmp/kernel', kernelOf(code));
      expect((await create('kernel=/tmp/kernel on_crash=preserve')).status).toBe(0);
      await booted.advance(200);
      expect(await stateOf('x'), code.join()).toBe('----c-');
      expect((await booted.exec('xm dmesg | tail -30')).output).toMatch(
        /d\d+:v0: unhandled fault: .+\n\(XEN\) Domain \d+ \(vcpu#0\) crashed on cpu#\d:/,
      );
      await booted.exec('xm destroy x');
      await booted.advance(100);
    }
    expect(await traces(booted)).toEqual(empty);
  });

  it('goes when it halts for good, and can be destroyed when it spins for ever', async () => {
    await booted.host.writeFile('/tmp/kernel', kernelOf([0xfa, 0xf4]));
    expect((await create('kernel=/tmp/kernel')).status).toBe(0);
    await booted.advance(200);
    expect(await traces(booted)).toEqual(empty);
    await booted.host.writeFile('/tmp/kernel', kernelOf([0xeb, 0xfe]));
    expect((await create('kernel=/tmp/kernel')).status).toBe(0);
    await booted.advance(1_000);
    expect((await booted.exec('xm list x')).output).toMatch(/^x .* (r-----|------) +(0\.9|1\.0)$/m);
    await booted.exec('xm destroy x');
    await booted.advance(100);
    expect(await traces(booted)).toEqual(empty);
  });
});
