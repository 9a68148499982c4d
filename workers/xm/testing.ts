/** An xm in a world made of plain values: for tests of commands and messages. */
import type { DomainSummary, VcpuSummary, XendApi } from '../xend/api';
import { XendInvalidDomain } from '../xend/errors';
import type { XmIo } from './command';
import { runXm } from './main';
import type { PythonRunner } from './python';

export function domainSummary(over: Partial<DomainSummary> & { name: string }): DomainSummary {
  return {
    uuid: `uuid-of-${over.name}`,
    domid: 1,
    memoryMiB: 128,
    maxmemMiB: 128,
    vcpus: 1,
    state: '-b----',
    powerState: 'running',
    cpuTimeNs: 0,
    startTime: 1_225_540_800,
    weight: 256,
    cap: 0,
    label: undefined,
    restartCount: 0,
    ...over,
  };
}

/** A xend that knows some domains; every call that a test does not provide is an error of the test. */
export function fakeXend(domains: readonly DomainSummary[], over: Partial<XendApi> = {}): XendApi {
  const find = (key: string) => {
    const found = domains.find((d) => d.name === key || d.uuid === key || String(d.domid) === key);
    if (!found) throw new XendInvalidDomain(key);
    return found;
  };
  const base: Partial<XendApi> = {
    domains: async () => domains,
    domain: async (key) => find(key),
    nodeInfo: async () => [['nr_cpus', '2']],
    schedulerName: async () => 'credit',
    schedCreditGet: async (key) => ({ weight: find(key).weight, cap: find(key).cap }),
    vcpus: async (key) => [vcpuSummary({ running: find(key).domid === 0 })],
    pause: async (key) => void find(key),
    destroy: async (key) => void find(key),
    devices: async (key) => {
      find(key);
      return [];
    },
  };
  return new Proxy({ ...base, ...over } as XendApi, {
    get: (target, name) => {
      const method = target[name as keyof XendApi];
      if (method) return method;
      throw new Error(`xend.${String(name)} is not expected`);
    },
  });
}

export function vcpuSummary(over: Partial<VcpuSummary> = {}): VcpuSummary {
  return { number: 0, online: true, blocked: false, running: false, cpuTimeNs: 0, cpu: 0, affinity: [0, 1], ...over };
}

export interface XmRun {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly exec?: readonly string[] | undefined;
}

export interface XmWorld {
  readonly xend?: XendApi | 'missing' | 'refused';
  readonly files?: Readonly<Record<string, string>>;
  readonly python?: PythonRunner;
  readonly uid?: number;
  readonly cwd?: string;
  /** Where to tell somebody that he is called at Ctrl-C. */
  readonly onCancel?: (listener: () => void) => void;
}

const noPython: PythonRunner = {
  run: () => Promise.reject(new Error('this test has no Python')),
};

/** Runs `xm WORDS` to its end. */
export async function xm(words: string, world: XmWorld = {}): Promise<XmRun> {
  let stdout = '';
  let stderr = '';
  const files = new Map(Object.entries(world.files ?? {}));
  const isDirectory = (path: string) => [...files.keys()].some((file) => file.startsWith(`${normal(path)}/`));
  const io: XmIo = {
    print: (text) => {
      stdout += text;
    },
    eprint: (text) => {
      stderr += text;
    },
    cwd: world.cwd ?? '/root',
    uid: world.uid ?? 0,
    env: { HOME: '/root' },
    files: {
      read: (path) => {
        const text = files.get(normal(path));
        return text === undefined ? undefined : new TextEncoder().encode(text);
      },
      exists: (path) => files.has(normal(path)) || isDirectory(path),
      isDirectory,
      write: (path, text) => void files.set(normal(path), text),
    },
    python: world.python ?? noPython,
    uname: () => ['Linux', 'lab', '2.6.18-xen', '#1 SMP', 'i686'],
    connect: () => world.xend ?? 'missing',
    sleep: () => Promise.resolve(),
    isCancelled: false,
    onCancel: world.onCancel ?? (() => {}),
    nowUnix: () => 1_225_540_800 + 3725,
    uptimeSeconds: () => 90_061,
  };
  const argv = words.match(/'[^']*'|\S+/g)?.map((word) => word.replace(/^'(.*)'$/, '$1')) ?? [];
  const result = await runXm(argv, io);
  return { status: result.status, stdout, stderr, exec: result.exec };
}

function normal(path: string): string {
  return path.replaceAll('/./', '/');
}
