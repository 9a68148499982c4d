import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LabResult } from '../contract';
import { VirtualClock } from '../lib/clock';
import { Gateway } from '../net/gateway';
import { Lan } from '../net/lan';
import { readDom0Files } from '../platform/node/dom0Files';
import { createPythonRunner } from '../platform/node/pythonRunner';
import { nodeRunLoopPlatform } from '../platform/node/runLoopPlatform';
import { MemoryStorage } from '../storage/memoryStorage';
import { Host } from './createHost';
import { FakePort } from './fakePort.testkind';
import { Lab } from './lab';
import { RunLoop } from './runLoop';

const python = createPythonRunner();
const bugs: unknown[] = [];

async function switchedOn() {
  const clock = new VirtualClock();
  const lan = new Lan();
  const loop = new RunLoop(clock, nodeRunLoopPlatform(), (error) => bugs.push(error));
  const host = await Host.create(
    {
      name: 'host1',
      number: 1,
      topology: { sockets: 2, cores: 1, threads: 1 },
      memoryMiB: 2048,
      seed: 1,
      xenOptions: '',
    },
    {
      clock,
      loop,
      lan,
      gateway: new Gateway(lan, clock),
      storage: new MemoryStorage(),
      installFiles: readDom0Files(),
      python,
      unixSecondsAtZero: 1_242_667_298,
      onBug: (error) => bugs.push(error),
    },
  );
  const lab = new Lab(host);
  const serial = new FakePort();
  await lab.openTerminal({ kind: 'serial' }, serial, 24, 80);
  const events = new FakePort();
  await lab.boot({ events });
  await loop.runUntil(() => host.phase === 'running' && serial.text().endsWith('# '), 120e9);
  /** Runs the machine until the request is answered. */
  const ask = async <T>(request: Promise<LabResult<T>>): Promise<LabResult<T>> => {
    let answer: LabResult<T> | undefined;
    void request.then((result) => {
      answer = result;
    });
    await loop.runUntil(() => answer !== undefined, clock.nowNs + 300e9);
    return answer ?? { ok: false, error: { code: 'ETIMEDOUT', message: 'no answer' } };
  };
  const until = (isDone: () => boolean) => loop.runUntil(isDone, clock.nowNs + 60e9);
  return { lab, host, loop, serial, events, ask, until };
}

describe('Lab', () => {
  let machine: Awaited<ReturnType<typeof switchedOn>>;
  beforeAll(async () => {
    machine = await switchedOn();
  });
  afterAll(() => {
    python.dispose();
    expect(bugs).toEqual([]);
  });

  it('shows GRUB, Xen, Linux and a root prompt on the serial line, in that order', () => {
    const text = machine.serial.text();
    const places = ['GRUB ', '(XEN) Xen version 3.4', 'Linux version 2.6.18', '# '].map((part) => text.indexOf(part));
    expect(places.every((place) => place >= 0)).toBe(true);
    expect([...places].sort((a, b) => a - b)).toEqual(places);
  });

  it('replays the serial line to a terminal that is opened later, and lets both type', async () => {
    const second = new FakePort();
    await machine.ask(machine.lab.openTerminal({ kind: 'serial' }, second, 24, 80));
    await Promise.resolve();
    expect(second.text()).toContain('GRUB ');
    second.type('echo a$((1+1))b\r');
    await machine.until(() => /a2b\r*\n/.test(machine.serial.text()) && /a2b\r*\n/.test(second.text()));
    expect(machine.serial.text()).toMatch(/a2b\r*\n/);
    second.receive({ type: 'close' });
  });

  it('runs a command and tells its streams apart', async () => {
    const result = await machine.ask(machine.lab.exec('echo out; echo err >&2; exit 3'));
    expect(result).toEqual({ ok: true, value: { status: 3, stdout: 'out\n', stderr: 'err\n' } });
  });

  it('opens shells of their own and says when they have ended', async () => {
    const shell = new FakePort();
    expect(await machine.ask(machine.lab.openTerminal({ kind: 'shell' }, shell, 30, 90))).toEqual({
      ok: true,
      value: null,
    });
    await machine.until(() => shell.text().endsWith('# '));
    shell.type('echo a$((2+2))c; exit\r');
    await machine.until(() => shell.isClosed);
    expect(shell.text()).toContain('a4c');
    expect(shell.closedReason()).toBe('');
  });

  it('refuses the console of a domain that is not there', async () => {
    const result = await machine.ask(machine.lab.openTerminal({ kind: 'console', domid: 77 }, new FakePort(), 24, 80));
    expect(result).toMatchObject({ ok: false, error: { code: 'ENOENT' } });
  });

  it('reads, writes and lists files; what the shell changes is reported for watched directories', async () => {
    const { lab, ask, events } = machine;
    await ask(lab.watchDirectories(['/etc/xen']));
    expect(await ask(lab.writeFile('/etc/xen/mine', new TextEncoder().encode('memory = 64\n')))).toMatchObject({
      ok: true,
    });
    expect(await ask(lab.exec('read a </etc/xen/mine; echo "$a"'))).toMatchObject({
      value: { stdout: 'memory = 64\n' },
    });
    const listed = await ask(lab.listFiles('/etc/xen'));
    expect(listed).toMatchObject({
      ok: true,
      value: expect.arrayContaining([
        { name: 'mine', kind: 'file', size: 12 },
        { name: 'scripts', kind: 'dir', size: 0 },
      ]) as unknown,
    });
    lab.report(0);
    await ask(lab.exec('echo "# more" >>/etc/xen/mine; echo x >/root/elsewhere'));
    lab.report(1000);
    const changed = events.events().flatMap((event) => (event.type === 'fileChanged' ? [event.path] : []));
    expect(changed).toEqual(['/etc/xen/mine', '/etc/xen/mine']);
    const read = await ask(lab.readFile('/etc/xen/mine'));
    expect(read.ok && new TextDecoder().decode(read.value)).toBe('memory = 64\n# more\n');
  });

  it('answers a refusal of the file system with its error name', async () => {
    const { lab, ask } = machine;
    expect(await ask(lab.readFile('/nowhere'))).toMatchObject({ ok: false, error: { code: 'ENOENT' } });
    expect(await ask(lab.readFile('/etc'))).toMatchObject({ ok: false, error: { code: 'EISDIR' } });
    expect(await ask(lab.listFiles('/etc/fstab'))).toMatchObject({ ok: false, error: { code: 'ENOTDIR' } });
    expect(await ask(lab.writeFile('/proc/version', new Uint8Array(1)))).toMatchObject({ ok: false });
  });

  it('puts a saved file onto the disk', async () => {
    const { lab, host, ask, until } = machine;
    await host.disks.save();
    expect(host.disks.unsaved.bytes).toBe(0);
    await ask(lab.writeFile('/root/kept', new TextEncoder().encode('kept\n')));
    await until(() => host.disks.unsaved.bytes > 0);
    expect(host.disks.unsaved.bytes).toBeGreaterThan(0);
  });

  it('finds what is wrong with a configuration, with its line, and makes nothing', async () => {
    const { lab, ask } = machine;
    const check = async (text: string) => {
      const result = await ask(lab.checkConfig('/etc/xen/draft', text));
      return result.ok ? result.value : [];
    };
    expect(await check('kernel = "/boot/vmlinuz-2.6.18-xenU"\nmemory = 64\nname = "a"\n')).toEqual([]);
    expect(await check('name = "a"\nmemory = 64 +\n')).toMatchObject([{ line: 2, severity: 'error' }]);
    expect(await check('name = "a"\nmemory = nothing\n')).toMatchObject([
      { line: 2, message: "NameError: name 'nothing' is not defined" },
    ]);
    expect(await check('name = "a b"\nmemory = 64\n')).toMatchObject([{ line: 0, message: 'Invalid VM Name' }]);
    expect(await check('while True:\n  pass\n')).toMatchObject([{ message: 'The script did not end.' }]);
    for (const name of ['xmexample1', 'xmexample2', 'xmexample3']) {
      const file = await ask(lab.readFile(`/etc/xen/${name}`));
      expect(file.ok && (await check(new TextDecoder().decode(file.value)))).toEqual([]);
    }
    expect((await ask(lab.snapshot())).ok).toBe(true);
  });

  it('reports the host and Domain-0', async () => {
    const { lab, ask } = machine;
    const result = await ask(lab.snapshot());
    expect(result).toMatchObject({
      ok: true,
      value: {
        host: { phase: 'running', pcpus: 2, totalMemoryKiB: 2 * 1024 * 1024 },
        domains: [{ domid: 0, name: 'Domain-0', onlineVcpus: 2, state: 'r-----', hasConsole: false }],
      },
    });
  });

  it('asks the page for an editor and waits until it is closed', async () => {
    const { lab, host, ask, events, loop } = machine;
    let isDone = false;
    void host.onEdit!('/etc/xen/mine').then(() => {
      isDone = true;
    });
    lab.report(5000);
    const request = events.events().find((event) => event.type === 'editRequested');
    expect(request).toMatchObject({ path: '/etc/xen/mine' });
    expect(isDone).toBe(false);
    await ask(lab.editDone((request as { editId: number }).editId));
    await loop.runUntil(() => isDone, host.clock.nowNs + 1e9);
    expect(isDone).toBe(true);
    expect(await lab.editDone(99)).toMatchObject({ ok: false, error: { code: 'ENOENT' } });
  });

  it('stops dead, with everything stored that had reached the disks', async () => {
    const { lab, host, until } = await switchedOn();
    await until(() => host.disks.unsaved.bytes > 0);
    expect(await lab.stop()).toEqual({ ok: true, value: null });
    expect(host.phase).toBe('off');
    expect(host.disks.unsaved.bytes).toBe(0);
    expect(await lab.readFile('/etc/fstab')).toMatchObject({ ok: false, error: { code: 'ENODEV' } });
  });

  it('refuses a speed that is none', async () => {
    expect(await machine.lab.setSpeed(-1)).toMatchObject({ ok: false });
    expect(await machine.lab.setSpeed(Number.NaN)).toMatchObject({ ok: false });
    expect(await machine.lab.setSpeed(2)).toEqual({ ok: true, value: null });
  });
});
