import { describe, expect, it } from 'vitest';
import { XendError } from '../xend/errors';
import { domainSummary, fakeXend, vcpuSummary, xm } from './testing';

const dom0 = domainSummary({
  name: 'Domain-0',
  domid: 0,
  memoryMiB: 941,
  vcpus: 2,
  state: 'r-----',
  cpuTimeNs: 38.1e9,
});
const pv1 = domainSummary({ name: 'pv1', domid: 3, memoryMiB: 128, cpuTimeNs: 7.6e9 });
const xend = fakeXend([pv1, dom0]);

describe('errors that every subcommand shares (xm(1) of Xen 3.4)', () => {
  it.each([
    ['', 1, '', /^Usage: xm <subcommand> \[args\]\n\nControl, list, and manipulate Xen guest instances\.\n/],
    ['--help', 0, '', /xm full list of subcommands:/],
    ['-h', 0, '', /xm full list of subcommands:/],
    ['frobnicate', 1, 'Error: Subcommand frobnicate not found!\n', /^Usage: xm <subcommand>/],
    ['p', 1, 'Error: Subcommand p not found!\n', /^Usage/],
    ['me pv1 64', 1, 'Error: Subcommand me not found!\n', /^Usage/],
    [
      'pause',
      1,
      "Error: 'xm pause' requires 1 arguments.\n\n",
      /^Usage: xm pause <Domain>\n\nPause execution of a domain\.\n$/,
    ],
    ['mem-set a', 1, "Error: 'xm mem-set' requires 2 arguments.\n\n", /^Usage: xm mem-set <Domain> <Mem>/],
    ['shutdown', 1, "Error: 'xm shutdown' requires between 1 and 4 arguments.\n\n", /^Usage: xm shutdown/],
    ['list -z', 1, 'Error: option -z not recognized\n', /^Usage: xm list \[options\] \[Domain, \.\.\.\]\n/],
    ['list --foo', 1, 'Error: option --foo not recognized\n', /^Usage: xm list/],
    ['sched-credit -d', 1, 'Error: option -d requires argument\n', /^Usage: xm sched-credit/],
    ['list nosuch', 3, "Error: Domain 'nosuch' does not exist.\n", /^$/],
    ['domid nosuch', 3, "Error: Domain 'nosuch' does not exist.\n", /^$/],
    ['destroy nosuch', 3, "Error: Domain 'nosuch' does not exist.\n", /^$/],
    ['mem-set pv1 many', 1, 'Error: Invalid argument.\n', /^Usage: xm mem-set/],
    ['vcpu-set pv1 x', 1, 'Error: Invalid argument.\n', /^Usage: xm vcpu-set/],
    [
      'list --state=running pv1',
      1,
      'Error: You may specify either a state or a particular VM, but not both\n',
      /^Usage/,
    ],
    ['shutdown -H -R pv1', 1, "Error: Can't specify halt and reboot\n", /^Usage/],
    ['shutdown -w', 1, 'Error: No domain parameter given\n', /^Usage/],
    ['shutdown a b', 1, 'Error: No multiple domain parameters allowed\n', /^$/],
    ['sysrq pv1 ab', 1, 'Error: ab is not convertible to a character\n', /^Usage/],
    ['dmesg x', 1, 'Error: No parameter required\n', /^Usage/],
    ['sched-credit -w 5', 1, 'Error: No domain given.\n', /^Usage/],
    ['sched-credit -d nosuch', 1, "Error: Domain 'nosuch' does not exist.\n", /^Usage: xm sched-credit/],
    ['network-attach pv1 foo=1', 1, 'Error: Invalid argument: foo=1\n', /^Usage: xm network-attach/],
    ['block-list', 1, '', /^No domain parameter given\nUsage: xm block-list <Domain> \[--long\]/],
    ['network-list a b', 1, '', /^No multiple domain parameters allowed\nUsage/],
    ['block-list nosuch', 3, "Error: Domain 'nosuch' does not exist.\n", /^$/],
    ['pause --help', 1, '', /^Usage: xm pause/],
  ])('xm %s', async (words, status, stderr, stdout) => {
    const run = await xm(words, { xend });
    expect(run.stderr).toBe(stderr);
    expect(run.stdout).toMatch(stdout);
    expect(run.status).toBe(status);
  });

  it('says why nobody answers', async () => {
    expect(await xm('list')).toMatchObject({
      status: 1,
      stderr: 'Error: Unable to connect to xend: No such file or directory. Is xend running?\n',
    });
    expect(await xm('list', { xend: 'refused' })).toMatchObject({
      stderr: 'Error: Unable to connect to xend: Connection refused. Is xend running?\n',
    });
    expect(await xm('list', { xend, uid: 500 })).toMatchObject({
      status: 1,
      stderr: 'Error: Most commands need root access. Please try again as root.\n',
    });
  });

  it('shows a refusal of xend with the usage', async () => {
    const refusing = fakeXend([pv1], {
      pause: () => Promise.reject(new XendError('Cannot pause privileged domain 0')),
    });
    expect(await xm('pause 0', { xend: refusing })).toMatchObject({
      status: 1,
      stderr: 'Error: Cannot pause privileged domain 0\n',
      stdout: 'Usage: xm pause <Domain>\n\nPause execution of a domain.\n',
    });
  });

  it('knows old names and unique beginnings', async () => {
    let set: unknown;
    const setting = fakeXend([pv1], {
      setMemoryTarget: async (...args) => {
        set = args;
      },
    });
    expect(await xm('balloon pv1 1g', { xend: setting })).toMatchObject({
      status: 0,
      stderr: 'Command balloon is deprecated.  Please use xm mem-set instead.\n',
    });
    expect(set).toEqual(['pv1', 1024]);
    expect(await xm('pau pv1', { xend })).toMatchObject({ status: 0, stdout: '', stderr: '' });
  });
});

describe('tables', () => {
  it('xm list', async () => {
    expect((await xm('list', { xend })).stdout).toBe(
      [
        'Name                                        ID   Mem VCPUs      State   Time(s)',
        'Domain-0                                     0   941     2     r-----     38.1',
        'pv1                                          3   128     1     -b----      7.6',
        '',
      ].join('\n'),
    );
    expect((await xm('list pv1 0', { xend })).stdout.split('\n').map((line) => line.slice(0, 8))).toEqual([
      'Name    ',
      'pv1     ',
      'Domain-0',
      '',
    ]);
    expect((await xm('list --state=paused', { xend })).stdout.split('\n')).toHaveLength(2);
    expect((await xm('list --label', { xend })).stdout).toMatch(/Time\(s\) Label {5}\n/);
  });

  it('xm vcpu-list', async () => {
    const vcpus = fakeXend([pv1, dom0], {
      vcpus: async (key) =>
        key.endsWith('pv1')
          ? [vcpuSummary({ number: 1, online: false, cpu: -1, affinity: [0, 2, 3] })]
          : [vcpuSummary({ running: true, cpuTimeNs: 19e9, affinity: [0, 1, 2, 3] })],
      nodeInfo: async () => [['nr_cpus', '4']],
    });
    expect((await xm('vcpu-list', { xend: vcpus })).stdout).toBe(
      [
        'Name                                ID  VCPU   CPU State   Time(s) CPU Affinity',
        'Domain-0                             0     0     0   r--      19.0 any cpu',
        'pv1                                  3     1     -   --p       0.0 0,2-3',
        '',
      ].join('\n'),
    );
  });

  it('xm sched-credit', async () => {
    expect((await xm('sched-credit', { xend })).stdout).toBe(
      [
        'Name                                ID Weight  Cap',
        'Domain-0                             0    256    0',
        'pv1                                  3    256    0',
        '',
      ].join('\n'),
    );
  });

  it('xm uptime', async () => {
    expect((await xm('uptime', { xend })).stdout).toBe(
      [
        'Name                                ID Uptime ',
        'Domain-0                             0  1 day,  1:01:01',
        'pv1                                  3   1:02:05',
        '',
      ].join('\n'),
    );
    expect((await xm('uptime -s pv1', { xend })).stdout).toBe(' 13:02:05 up  1:02, pv1 (3)\n');
  });

  it('xm block-list and network-list', async () => {
    const devices = fakeXend([pv1], {
      devices: async (_, name) => {
        if (name === 'vbd')
          return [
            {
              devid: 2049,
              entries: [
                ['backend', '/local/domain/0/backend/vbd/3/2049'],
                ['backend-id', '0'],
                ['state', '4'],
                ['ring-ref', '8'],
                ['event-channel', '10'],
              ],
            },
          ];
        if (name === 'vif')
          return [
            {
              devid: 0,
              entries: [
                ['mac', '00:16:3e:00:00:11'],
                ['backend-id', '0'],
                ['handle', '0'],
              ],
            },
          ];
        return [];
      },
    });
    expect((await xm('block-list pv1', { xend: devices })).stdout).toBe(
      'Vdev  BE handle state evt-ch ring-ref BE-path\n2049   0    0     4      10     8     /local/domain/0/backend/vbd/3/2049  \n',
    );
    expect((await xm('network-list pv1', { xend: devices })).stdout).toBe(
      'Idx BE     MAC Addr.     handle state evt-ch tx-/rx-ring-ref BE-path\n0   0  00:16:3e:00:00:11    0     -1     -1    -1   /-1      ??                              \n',
    );
    expect((await xm('block-list pv1', { xend })).stdout).toBe('');
    expect((await xm('block-list pv1 --long', { xend: devices })).stdout).toMatch(/^\(2049\n {4}\(\(backend /);
  });

  it('xm info aligns keys and further values', async () => {
    const node = fakeXend([], {
      nodeInfo: async () => [
        ['host', 'lab'],
        ['node_to_cpu', 'node0:0-1\nnode1:2-3'],
      ],
    });
    expect((await xm('info', { xend: node })).stdout).toBe(
      'host                   : lab\nnode_to_cpu            : node0:0-1\n                         node1:2-3\n',
    );
  });

  it('prints ids and names', async () => {
    expect((await xm('domid pv1', { xend })).stdout).toBe('3\n');
    expect((await xm('domname 3', { xend })).stdout).toBe('pv1\n');
  });
});

describe('help', () => {
  it('is short, long and grouped, or about one command', async () => {
    const short = await xm('help');
    expect(short.status).toBe(0);
    expect(short.stdout).toMatch(/\nCommon 'xm' commands:\n\n console +Attach to <Domain>'s console\. +\n create/);
    expect(short.stdout).not.toContain('domname');
    const long = await xm('help --long');
    expect(long.stdout).toMatch(/Domain Commands:\n[\s\S]*Xen Host Commands:\n[\s\S]*Virtual Device Commands:\n/);
    expect(long.stdout).toContain('\n domname ');
    expect((await xm('help domid')).stdout).toBe(
      'Usage: xm domid <DomainName>\n\nConvert a domain name to domain id.\n',
    );
    expect((await xm('help nosuch')).stdout).toBe(short.stdout);
  });
});

describe('waiting', () => {
  it('xm shutdown -w names each domain that has ended', async () => {
    let polls = 0;
    const ending = fakeXend([dom0, pv1], {
      domains: async () => (++polls > 2 ? [dom0] : [dom0, pv1]),
      shutdown: async () => {},
    });
    expect(await xm('shutdown -w pv1', { xend: ending })).toMatchObject({
      status: 0,
      stdout: 'Domain pv1 terminated\nAll domains terminated\n',
    });
  });

  it('xm reboot -w waits for a new restart count, and gives up after thirty polls', async () => {
    let polls = 0;
    const rebooting = fakeXend([dom0, pv1], {
      domains: async () => (++polls > 3 ? [dom0, { ...pv1, restartCount: 1 }] : [dom0]),
      shutdown: async () => {},
    });
    expect((await xm('reboot -w pv1', { xend: rebooting })).stdout).toBe('Domain pv1 rebooted\nAll domains rebooted\n');
    const lost = fakeXend([dom0, pv1], { domains: async () => [dom0], shutdown: async () => {} });
    expect((await xm('reboot pv1 -w', { xend: lost })).stdout).toBe(
      'Domain pv1 destroyed for failing to reboot\nAll domains rebooted\n',
    );
  });
});

describe('Ctrl-C', () => {
  it('ends a command at once, and destroys the domain that it was creating', async () => {
    const listeners: (() => void)[] = [];
    let isPressed = false;
    const destroyed: string[] = [];
    const waiting = fakeXend([dom0], {
      create: async () => pv1,
      waitForDevices: () => {
        isPressed = true;
        for (const listener of listeners) listener();
        return new Promise(() => {});
      },
      destroy: async (key) => void destroyed.push(key),
    });
    const run = await xm('create empty kernel=/k', {
      xend: waiting,
      files: { '/root/empty': '' },
      onCancel: (listener) => {
        if (isPressed) listener();
        else listeners.push(listener);
      },
    });
    expect(run).toMatchObject({ status: 130, stdout: 'Using config file "./empty".\n', stderr: '' });
    for (let i = 0; i < 5; i++) await Promise.resolve();
    expect(destroyed).toEqual([pv1.uuid]);
  });
});
