import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HeadlessLab } from './headless/headlessLab';
import { BadRequest, parseRequest } from './headless/protocol';
import { Session } from './headless/session';

type Reply = Record<string, unknown>;

const request = (fields: object) => parseRequest(JSON.stringify({ id: 1, ...fields }));
const refusal = (line: string) => {
  try {
    parseRequest(line);
  } catch (error) {
    if (error instanceof BadRequest) return { id: error.id, message: error.message };
    throw error;
  }
  return undefined;
};

describe('request lines', () => {
  it('fills in what was left out', () => {
    expect(request({ op: 'exec', command: 'true' })).toEqual({
      id: 1,
      host: 'host1',
      op: 'exec',
      command: 'true',
      timeoutMs: 120_000,
    });
    expect(request({ op: 'host.create', host: 'host2' })).toMatchObject({
      options: {
        topology: { sockets: 2, cores: 1, threads: 1 },
        memoryMb: 2048,
        seed: 1,
        scheduler: 'credit',
        relocation: true,
      },
    });
  });

  it.each([
    ['nonsense', null, /^not JSON/],
    ['[]', null, /an object|JSON object/],
    ['null', null, /JSON object/],
    ['{"op":"exec"}', null, /^id:/],
    ['{"id":{},"op":"exec"}', null, /^id:/],
    ['{"id":1}', 1, /^op: missing/],
    ['{"id":"a","op":"frob"}', 'a', /^unknown op: frob/],
    ['{"id":1,"op":"exec"}', 1, /^command: missing/],
    ['{"id":1,"op":"exec","command":7}', 1, /^command: a string/],
    ['{"id":1,"op":"exec","command":"ls","timeoutMs":"5"}', 1, /^timeoutMs: a number/],
    ['{"id":1,"op":"exec","command":"ls","host":"a b"}', 1, /no host name/],
    ['{"id":1,"op":"readFile","path":"etc"}', 1, /^path: must begin/],
    ['{"id":1,"op":"readFile","path":"/a","encoding":"latin1"}', 1, /^encoding/],
    ['{"id":1,"op":"writeFile","path":"/a","data":"a b","encoding":"base64"}', 1, /not base64/],
    ['{"id":1,"op":"advance","ms":-1}', 1, /^ms: must be/],
    ['{"id":1,"op":"advance"}', 1, /^ms: missing/],
    ['{"id":1,"op":"host.create"}', 1, /^host: a name/],
    ['{"id":1,"op":"host.create","host":"h","options":{"cpu":1}}', 1, /^unknown option: cpu$/],
    ['{"id":1,"op":"host.create","host":"h","options":{"cpus":0}}', 1, /^cpus: must be/],
    ['{"id":1,"op":"host.create","host":"h","options":{"cpus":1.5}}', 1, /^cpus: a whole/],
    ['{"id":1,"op":"host.create","host":"h","options":{"scheduler":"bvt"}}', 1, /^scheduler/],
    ['{"id":1,"op":"host.create","host":"h","options":{"topology":{"socket":1}}}', 1, /^unknown option: socket/],
    ['{"id":1,"op":"host.create","host":"h","options":{"cpus":1,"topology":{}}}', 1, /only one/],
    ['{"id":1,"op":"host.create","host":"h","options":{"relocation":"yes"}}', 1, /^relocation: true or false/],
  ])('%s is refused', (line, id, message) => {
    expect(refusal(line)).toEqual({ id, message: expect.stringMatching(message) });
  });
});

describe('a session', () => {
  const bugs: unknown[] = [];
  const printed: Reply[] = [];
  let session: Session;
  let lastId = 0;

  beforeAll(() => {
    session = new Session(new HeadlessLab((error) => bugs.push(error)), (line) => printed.push(JSON.parse(line)));
  });
  afterAll(() => {
    session.stop();
    expect(bugs).toEqual([]);
  });

  /** The reply to a request, and what was printed with it. */
  const ask = async (fields: object): Promise<Reply> => {
    const id = ++lastId;
    await session.receive(JSON.stringify({ id, ...fields }));
    const reply = printed.find((each) => each['id'] === id)!;
    const { id: _id, ...rest } = reply;
    return rest;
  };
  const exec = (command: string, more: object = {}) => ask({ op: 'exec', command, ...more });
  const consoleText = (console: unknown) =>
    printed
      .filter((each) => each['event'] === 'console.data' && each['console'] === console)
      .map((each) => each['data'])
      .join('');

  it('waits for the boot, then runs a login shell whose streams are told apart', async () => {
    expect(await exec('echo "$0 $HOME"; pwd; xend status && echo up >&2; exit 3')).toEqual({
      status: 3,
      stdout: '-sh /root\n/root\n',
      stderr: 'up\n',
    });
  });

  it('understands loops, pipes, redirections and quoting', async () => {
    const command = `for i in 1 2 3; do echo "n $i"; done >/tmp/n && grep 2 /tmp/n | tr n N; [ -s /tmp/n ] || echo 'no'`;
    expect(await exec(command)).toMatchObject({ status: 0, stdout: 'N 2\n' });
  });

  it('keeps its time while nobody asks, and moves it on request', async () => {
    const { now } = await ask({ op: 'advance', ms: 0 });
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(await ask({ op: 'advance', ms: 250 })).toEqual({ now: (now as number) + 250 });
  });

  it('makes waiting cheap', async () => {
    const start = performance.now();
    const { now } = await ask({ op: 'advance', ms: 0 });
    expect(await exec('sleep 60')).toMatchObject({ status: 0 });
    expect((await ask({ op: 'advance', ms: 0 }))['now']).toBeGreaterThanOrEqual((now as number) + 60_000);
    expect(performance.now() - start).toBeLessThan(10_000);
  });

  it('interrupts what takes too long, also when it does not listen, and goes on', async () => {
    expect(await exec('echo begun; while :; do :; done', { timeoutMs: 100 })).toEqual({
      status: 124,
      stdout: 'begun\n',
      stderr: '',
    });
    expect(await exec("trap '' INT; sleep 1000000", { timeoutMs: 100 })).toMatchObject({ status: 124 });
    expect(await exec("ps | grep -c '[s]leep 1000000'")).toMatchObject({ stdout: '0\n' });
  });

  it('writes and reads files, with the directories on the way, as text and as bytes', async () => {
    expect(await ask({ op: 'writeFile', path: '/root/a/b/c', data: 'zwölf\n' })).toEqual({ ok: true });
    expect(await exec('cat /root/a/b/c')).toMatchObject({ stdout: 'zwölf\n' });
    expect(await ask({ op: 'readFile', path: '/root/a/b/c' })).toEqual({ data: 'zwölf\n' });
    await ask({ op: 'writeFile', path: '/root/bytes', data: 'AP+A', encoding: 'base64' });
    expect(await exec('wc -c </root/bytes')).toMatchObject({ stdout: expect.stringMatching(/^\s*3\n$/) });
    expect(await ask({ op: 'readFile', path: '/root/bytes', encoding: 'base64' })).toEqual({ data: 'AP+A' });
    expect(await ask({ op: 'readFile', path: '/root/nosuch' })).toEqual({
      error: '/root/nosuch: No such file or directory',
    });
    expect(await ask({ op: 'readFile', path: '/root' })).toEqual({ error: '/root: Is a directory' });
    expect(await ask({ op: 'writeFile', path: '/etc', data: '' })).toEqual({ error: '/etc: Is a directory' });
  });

  it('opens a console: first the reply, then what was written before, then what comes', async () => {
    const config = 'kernel="/boot/vmlinuz-2.6.18-xenU"\nmemory=32\nname="vm1"\nvif=[]\n';
    await ask({ op: 'writeFile', path: '/etc/xen/vm1', data: config });
    expect(await exec('xm create vm1')).toMatchObject({ status: 0 });
    await ask({ op: 'advance', ms: 2000 });
    expect(await ask({ op: 'console.open', domain: 'vm1' })).toEqual({ console: 'c1' });
    expect(await ask({ op: 'console.open', domain: '1' })).toEqual({ console: 'c2' });
    expect(printed.findIndex((each) => each['event'] !== undefined)).toBeGreaterThan(
      printed.findIndex((each) => each['console'] === 'c1' && each['event'] === undefined),
    );
    expect(consoleText('c1')).toMatch(/Linux version[\s\S]*login: $/);
    expect(consoleText('c2')).toBe(consoleText('c1'));

    expect(await ask({ op: 'console.write', console: 'c1', data: 'root\necho zw$((6+6))ölf\n' })).toEqual({ ok: true });
    await ask({ op: 'advance', ms: 1000 });
    expect(consoleText('c1')).toContain('zw12ölf');
    expect(consoleText('c2')).toContain('zw12ölf');

    expect(await ask({ op: 'console.close', console: 'c2' })).toEqual({ ok: true });
    await ask({ op: 'console.write', console: 'c1', data: 'echo later$((1+1))\n' });
    await ask({ op: 'advance', ms: 1000 });
    expect(consoleText('c1')).toContain('later2');
    expect(consoleText('c2')).not.toContain('later');

    await exec('xm destroy vm1');
    expect(printed.filter((each) => each['event'] === 'console.closed')).toEqual([
      { event: 'console.closed', console: 'c1' },
    ]);
    expect(await ask({ op: 'console.write', console: 'c1', data: 'x' })).toEqual({ error: 'console c1 is not open' });
    expect(await ask({ op: 'console.open', domain: 'vm1' })).toEqual({ error: "Domain 'vm1' does not exist." });
  });

  it('ends xm create -c when it is interrupted, and the domain goes on', async () => {
    const { status, stdout } = await exec('xm create -c vm1', { timeoutMs: 1500 });
    expect(status).toBe(124);
    expect(stdout).toMatch(/login: $/);
    expect(await exec('xm domid vm1')).toMatchObject({ status: 0 });
  });

  it('answers a snapshot with what the page shows', async () => {
    const { state } = await ask({ op: 'snapshot' });
    expect(state).toMatchObject({
      host: { phase: 'running', pcpus: 2, totalMemoryKiB: 2048 * 1024 },
      domains: [
        { domid: 0, name: 'Domain-0' },
        { domid: 2, name: 'vm1', memoryKiB: 32 * 1024, state: '-b----' },
      ],
    });
  });

  it('gives a host of its own its options, its name on the network, and its disks over a crash', async () => {
    const options = {
      topology: { sockets: 1, cores: 2, threads: 2 },
      memoryMb: 512,
      scheduler: 'sedf',
      relocation: false,
    };
    expect(await ask({ op: 'host.create', host: 'host2', options })).toEqual({ ok: true });
    const host = { host: 'host2' };
    const info = await exec('xm info; grep relocation-server /etc/xen/xend-config.sxp', host);
    expect(info['stdout']).toMatch(/nr_cpus +: 4\n[\s\S]*threads_per_core +: 2\n[\s\S]*total_memory +: 511/);
    expect(info['stdout']).toMatch(/xen_scheduler +: sedf[\s\S]*server no/);
    expect(await exec('ping -c1 host2')).toMatchObject({ status: 0 });
    expect(await exec('echo kept >/root/kept; sync; echo lost >/root/lost', host)).toMatchObject({ status: 0 });

    expect(await ask({ op: 'host.crash', ...host })).toEqual({ ok: true });
    expect(await exec('true', host)).toEqual({ error: 'host2 is switched off' });
    expect(await ask({ op: 'host.crash', ...host })).toEqual({ error: 'host2 is switched off' });
    expect(await ask({ op: 'snapshot', ...host })).toMatchObject({ state: { host: { phase: 'off' }, domains: [] } });
    expect(await ask({ op: 'host.boot', ...host })).toEqual({ ok: true });
    expect(await exec('cat /root/kept /root/lost', host)).toMatchObject({ stdout: 'kept\n' });
    expect(await ask({ op: 'host.boot', ...host })).toEqual({ error: 'host2 is running' });
  });

  it('gives no domain the uuid that another had before its host died', async () => {
    const host = { host: 'phoenix' };
    const isNew = async (name: string) => {
      const config = `kernel = "/boot/vmlinuz-2.6.18-xenU"\\nmemory = 16\\nname = "${name}"\\n`;
      const command = `printf '${config}' > /etc/xen/${name}; xm new -q ${name}; sync`;
      expect(await exec(command, host)).toEqual({ status: 0, stdout: '', stderr: '' });
    };
    expect(await ask({ op: 'host.create', ...host })).toEqual({ ok: true });
    await isNew('before');
    expect(await ask({ op: 'host.crash', ...host })).toEqual({ ok: true });
    expect(await ask({ op: 'host.boot', ...host })).toEqual({ ok: true });
    await isNew('after');
    expect(await exec('xm list | sed 1,2d | cut -d" " -f1 | sort', host)).toMatchObject({ stdout: 'after\nbefore\n' });
  });

  it('gives the first domains of two hosts of one seed different uuids, and refuses neither the other', async () => {
    const create = 'xm create -q /dev/null kernel=/boot/vmlinuz-2.6.18-xenU memory=16';
    for (const host of ['twin1', 'twin2']) {
      expect(await ask({ op: 'host.create', host })).toEqual({ ok: true });
      expect(await exec(`${create} name=of-${host}; sleep 3`, { host })).toMatchObject({ status: 0 });
    }
    expect(await exec('xm migrate of-twin1 twin2', { host: 'twin1' })).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(await exec('xm list | grep -c of-twin', { host: 'twin2' })).toMatchObject({ stdout: '2\n' });
  });

  it('refuses hosts that are there, that are not there, or that it cannot make', async () => {
    expect(await ask({ op: 'host.create', host: 'host1' })).toEqual({ error: 'host1 exists already' });
    expect(await exec('true', { host: 'host7' })).toEqual({ error: 'there is no host host7' });
    for (const option of ['vtpm'])
      expect(await ask({ op: 'host.create', host: 'host3', options: { [option]: true } })).toEqual({
        error: expect.stringContaining(option),
      });
    expect(await ask({ op: 'host.create', host: 'host3', options: { acm: false, vtpm: false } })).toEqual({ ok: true });
  });

  it('answers reboot when Domain-0 is down; the next request finds it up again', async () => {
    expect(await exec('echo again >/root/f; reboot')).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(await exec('cat /root/f; xm list | wc -l')).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^again\n\s*2\n$/),
    });
    expect(await exec('poweroff; sleep 1000')).toMatchObject({ status: 0 });
    expect(await exec('true')).toEqual({ error: 'host1 is switched off' });
    expect(await ask({ op: 'host.boot' })).toEqual({ ok: true });
    expect(await exec('cat /root/f')).toMatchObject({ stdout: 'again\n' });
  });
});

describe('two sessions', () => {
  it('answer the same requests the same way, to the byte', async () => {
    const transcript = async () => {
      const printed: string[] = [];
      const session = new Session(new HeadlessLab((error) => printed.push(String(error))), (line) =>
        printed.push(line),
      );
      for (const command of [
        'xm create xmexample1',
        'xm console ExampleDomain & sleep 2',
        'xm list',
        'date; xenstore-ls',
      ])
        await session.receive(JSON.stringify({ id: 1, op: 'exec', command }));
      session.stop();
      return printed;
    };
    expect(await transcript()).toEqual(await transcript());
  });
});

describe('npm run headless', () => {
  const root = fileURLToPath(new URL('../../..', import.meta.url));
  const start = (...args: string[]) =>
    spawn(process.execPath, ['--import', 'tsx', 'workers/platform/node/headless.ts', ...args], { cwd: root });

  const converse = async (lines: readonly string[], ...args: string[]) => {
    const child = start(...args);
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    child.stdin.end(lines.join('\n'));
    const [status] = (await once(child, 'close')) as [number];
    return { status, output };
  };

  it('answers each line, the last one without an end of line too, and ends with status 0 at the end of input', async () => {
    const { status, output } = await converse(['{"id":1,"op":"exec","command":"xm domid Domain-0"}', '', '?']);
    expect(status).toBe(0);
    const lines = output.split('\n');
    expect(lines.pop()).toBe('');
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { id: 1, status: 0, stdout: '0\n', stderr: '' },
      { id: null, error: expect.stringContaining('not JSON') },
    ]);
  });

  it('paces the clock to the wall when asked to', async () => {
    const child = start('--realtime');
    const replies: { now?: number }[] = [];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      for (const line of text.trim().split('\n')) replies.push(JSON.parse(line));
    });
    const ask = async () => {
      const count = replies.length;
      child.stdin.write('{"id":1,"op":"advance","ms":0}\n');
      while (replies.length === count) await new Promise((resolve) => setTimeout(resolve, 5));
      return replies.at(-1)!.now!;
    };
    const before = await ask();
    const start1 = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 400));
    const passed = (await ask()) - before;
    const wall = performance.now() - start1;
    child.stdin.end();
    await once(child, 'close');
    expect(passed).toBeGreaterThan(150);
    expect(passed).toBeLessThan(wall + 200);
  });
});
