import { beforeEach, describe, expect, it } from 'vitest';
import type { Program, Sys } from '../../guest/sys';
import { connectClient, type XenstoreClient } from '../../xenstore/client';
import { FakeHost } from '../../xenstore/testing/fakeHost';
import { xenstorePrograms } from './xenstore';

let host: FakeHost;
let deferred: (() => void)[];
let programs: Map<string, Program>;
let store: XenstoreClient;
const connect = () => connectClient(host.daemon, { defer: (action) => deferred.push(action) });

beforeEach(() => {
  host = new FakeHost();
  deferred = [];
  programs = new Map(xenstorePrograms(connect).map((program) => [program.name, program]));
  store = connect();
});

/** Only what these programs use; a call of anything else fails the test. */
function fakeSys(argv: readonly string[], width?: number) {
  const out = { stdout: '', stderr: '' };
  const sys = {
    argv,
    pid: 7,
    nowNs: 0,
    print: (text: string) => {
      out.stdout += text;
    },
    eprint: (text: string) => {
      out.stderr += text;
    },
    isatty: () => width !== undefined,
    winsize: () => ({ rows: 24, cols: width ?? 0 }),
    processes: () => [{ pid: 7 }],
  } as unknown as Sys;
  return { sys, out };
}

/** Standard output, then standard error, then the status. */
function run(line: string | readonly string[], width?: number): [string, string, number] {
  const argv = typeof line === 'string' ? line.split(' ') : line;
  const { sys, out } = fakeSys(argv, width);
  const program = programs.get(argv[0]!)!;
  const step = program.step(sys, program.start(sys));
  if (step.do !== 'exit') throw new Error('does not end');
  return [out.stdout, out.stderr, step.status];
}

describe('xenstore-read', () => {
  it('prints a value per line, -p with the key', () => {
    store.write('/a', '1');
    store.write('/b', 'x\ty\\\x01\x1b');
    expect(run('xenstore-read /a /b')).toEqual(['1\nx\\ty\\\\\\001\\x1b\n', '', 0]);
    expect(run('xenstore read -p /a')).toEqual(['/a: 1\n', '', 0]);
  });
  it('complains about a missing key and prints nothing else', () => {
    store.write('/a', '1');
    expect(run('xenstore-read /a /no')).toEqual(['', "xenstore-read: couldn't read path /no\n", 1]);
    expect(run('xenstore read bad//path')[1]).toBe("xenstore: couldn't read path bad//path\n");
  });
  it('shows its usage', () => {
    const usage = 'xenstore-read: Usage: xenstore-read [-h] [-p] [-s] key [...]\n';
    expect(run('xenstore-read')).toEqual(['', usage, 1]);
    expect(run('xenstore-read -h')).toEqual(['', usage, 1]);
    expect(run('xenstore read -t /a')[1]).toBe('xenstore: Usage: xenstore read [-h] [-p] [-s] key [...]\n');
    expect(run('xenstore')[1]).toBe('xenstore: Usage: xenstore <mode> [-h] [...]\n');
    expect(run('xenstore frob')).toEqual(['', 'xenstore: unknown mode frob\n\n', 1]);
  });
});

describe('xenstore-write', () => {
  it('is silent, takes pairs and escapes', () => {
    expect(run('xenstore-write /a 1 /b/c x\\ny\\x41\\101\\\\')).toEqual(['', '', 0]);
    expect([store.read('/a'), store.read('/b/c')]).toEqual(['1', 'x\nyAA\\']);
    expect(run('xenstore-write /a')[1]).toBe('xenstore-write: Usage: xenstore-write [-h] [-s] key value [...]\n');
    expect(run('xenstore-write /ok 1 bad/path 2')).toEqual(['', 'xenstore-write: could not write path bad/path\n', 1]);
    expect(store.read('/ok')).toBeUndefined();
    expect(run(['xenstore-write', '--', '/minus', '-1'])[2]).toBe(0);
    expect(store.read('/minus')).toBe('-1');
  });
});

describe('xenstore-list, -exists and -rm', () => {
  it('list names, with -p after their path', () => {
    store.write('/a/x', '');
    store.write('/a/y', '');
    expect(run('xenstore-list /a')).toEqual(['x\ny\n', '', 0]);
    expect(run('xenstore-list -p /a')).toEqual(['/a/x\n/a/y\n', '', 0]);
    expect(run('xenstore-list /q')).toEqual(['', 'xenstore-list: could not list path /q\n', 1]);
  });
  it('say by their status whether all keys exist', () => {
    expect(run('xenstore-exists /tool /tool/xenstored')).toEqual(['', '', 0]);
    expect(run('xenstore-exists /tool /no')).toEqual(['', '', 1]);
  });
  it('remove, with -t also what is left empty above', () => {
    store.write('/a/b/c', '');
    store.write('/a/keep', 'v');
    expect(run('xenstore-rm -t /a/b/c')).toEqual(['', '', 0]);
    expect(store.list('/a')).toEqual(['keep']);
    expect(run('xenstore-rm -t /a/keep')).toEqual(['', '', 0]);
    expect(store.list('/')).toEqual(['tool']);
    expect(run('xenstore-rm /no/such')).toEqual(['', 'xenstore-rm: could not remove path /no/such\n', 1]);
  });
});

describe('xenstore-chmod', () => {
  it('sets permissions, -u also above, -r also below', () => {
    store.write('/a/b/c', '');
    expect(run('xenstore-chmod /a/b r0 b3')).toEqual(['', '', 0]);
    expect(store.getPermissions('/a/b')).toEqual(['r0', 'b3']);
    run('xenstore-chmod -u -r /a/b n5');
    expect(['/a', '/a/b', '/a/b/c'].map((p) => store.getPermissions(p)![0])).toEqual(['n5', 'n5', 'n5']);
  });
  it('complains with the reason', () => {
    expect(run('xenstore-chmod /no r0')[1]).toBe(
      "xenstore-chmod: Error occurred setting permissions on '/no': No such file or directory\n",
    );
    expect(run('xenstore-chmod /tool x0')[1]).toBe("xenstore-chmod: Invalid permission specification: 'x'\n");
  });
});

describe('xenstore-ls', () => {
  beforeEach(() => store.write('/tool/long', 'abcdefghijklmnopqrstuvwxyz'));
  it('indents by one blank per level and cuts values at the width of the terminal less two', () => {
    expect(run('xenstore-ls')).toEqual(['tool = ""\n xenstored = ""\n long = "abcdefghijklmnopqrstuvwxyz"\n', '', 0]);
    expect(run('xenstore-ls', 30)[0]).toBe('tool = ""\n xenstored = ""\n long = "abcdefghijklmno\\..."\n');
  });
  it('shows whole paths, uncut, with -f', () => {
    expect(run('xenstore-ls -f /tool', 30)[0]).toBe(
      '/tool/xenstored = ""\n/tool/long = "abcdefghijklmnopqrstuvwxyz"\n',
    );
  });
  it('shows permissions in column 60 with -p', () => {
    const [first] = run('xenstore-ls -p')[0].split('\n');
    expect(first).toMatch(/^tool = "" [ .]+ {2}\(n0\)$/);
    expect(first!.indexOf('  (n0)')).toBe(60);
  });
  it('complains about a missing path', () => {
    expect(run('xenstore-ls /no')).toEqual(['', 'xenstore-ls: xs_directory (/no): No such file or directory\n', 1]);
  });
});

describe('xenstore-watch', () => {
  const settle = () => {
    for (let action = deferred.shift(); action; action = deferred.shift()) action();
  };
  it('prints a path per event and ends after -n of them', () => {
    const { sys, out } = fakeSys(['xenstore-watch', '-n', '3', '/a']);
    const program = programs.get('xenstore-watch')!;
    const state = program.start(sys);
    expect(program.step(sys, state).do).toBe('wait');
    store.write('/a/b', '');
    settle();
    expect(program.step(sys, state).do).toBe('wait');
    expect(out.stdout).toBe('/a\n/a/b\n');
    for (const path of ['/a', '/a']) store.write(path, '');
    settle();
    expect(program.step(sys, state)).toEqual({ do: 'exit', status: 0 });
    expect(out.stdout).toBe('/a\n/a/b\n/a\n');
  });
  it('goes on in a kernel that knows nothing of its connection', () => {
    const { sys, out } = fakeSys(['xenstore-watch', '/a']);
    const state = programs.get('xenstore-watch')!.start(sys);
    const restored = new Map(xenstorePrograms(connect).map((p) => [p.name, p])).get('xenstore-watch')!;
    restored.step(sys, structuredClone(state));
    settle();
    restored.step(sys, state);
    expect(out.stdout).toBe('/a\n');
  });
  it('is found as `xenstore watch` as well', () => {
    const { sys } = fakeSys(['xenstore', 'watch', '/a']);
    const program = programs.get('xenstore')!;
    expect(program.step(sys, program.start(sys)).do).toBe('wait');
  });
});

it('says so when the daemon is not running', () => {
  programs = new Map(xenstorePrograms(() => undefined).map((program) => [program.name, program]));
  expect(run('xenstore-ls')).toEqual(['', 'xenstore-ls: xs_daemon_open: Connection refused\n', 1]);
});
