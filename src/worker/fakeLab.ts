/** A canned LabApi for component tests and for drawing the page without a machine. It is no model of Xen. */
import type {
  DomainState,
  HostState,
  LabApi,
  LabEvent,
  LabResult,
  LabState,
  LinkState,
  MessagePortLike,
  MigrationRecord,
  PeerApi,
  PeerMachine,
  PeerState,
  PolicyAnalysis,
  PolicyDecision,
  PolicyDiff,
  PolicyFlows,
  PolicyForm,
  PolicyLive,
  TerminalInput,
  TerminalTarget,
  TranslatedWorkload,
  WhatIf,
  WorkloadDefinition,
} from '../../workers/contract';
import type { LabConnection } from './connect';

const exampleConfig = `#  -*- mode: python; -*-
# A paravirtual domain on one partition.
kernel = "/boot/vmlinuz-2.6.18-xenU"
memory = 64
name = "ExampleDomain"
vif = [ '' ]
disk = [ 'phy:hda1,hda1,w' ]
root = "/dev/hda1 ro"
extra = "4"
`;

export const fakeHost: HostState = {
  name: 'host1',
  nowMs: 83_400,
  speed: 1,
  lagMs: 0,
  pcpus: 2,
  totalMemoryKiB: 2048 * 1024,
  freeMemoryKiB: 900 * 1024,
  pcpuPercent: [34, 12],
  unsavedKiB: 0,
  policy: null,
  link: { mbitPerS: 1000, latencyMs: 0.05, isUp: true },
  phase: 'running',
};

export const fakeDomains: readonly DomainState[] = [
  fakeDomain(0, 'Domain-0', {
    memoryKiB: 1024 * 1024,
    onlineVcpus: 2,
    state: 'r-----',
    cpuTimeMs: 14_200,
    cpuPercent: 9,
    hasConsole: false,
  }),
  fakeDomain(1, 'ExampleDomain', { state: '-b----', cpuTimeMs: 1800, cpuPercent: 1 }),
  fakeDomain(2, 'VM1', { onlineVcpus: 4, state: 'r-----', cpuTimeMs: 9100, cpuPercent: 92 }),
  fakeDomain(3, 'VM2', { onlineVcpus: 4, state: '--p---', cpuTimeMs: 700, cpuPercent: 0 }),
];

export function fakeDomain(domid: number, name: string, change: Partial<DomainState> = {}): DomainState {
  return {
    domid,
    name,
    memoryKiB: 65_536,
    maxMemoryKiB: 65_536,
    onlineVcpus: 1,
    state: '-b----',
    cpuTimeMs: 0,
    cpuPercent: 0,
    hasConsole: true,
    ...change,
  };
}

export class FakeLab implements LabApi {
  readonly files = new Map<string, string>([
    ['/etc/xen/xmexample1', exampleConfig],
    ['/etc/xen/xmexample2', exampleConfig.replace('ExampleDomain', 'VM%d')],
    ['/etc/xen/xend-config.sxp', "(xend-relocation-server yes)\n(network-script 'network-bridge')\n"],
    ['/etc/xen/scripts/vif-bridge', '#!/bin/sh\n# Adds a vif to its bridge.\nbrctl addif "$bridge" "$vif"\n'],
    ['/var/log/xen/xend.log', '[2009-05-18 10:00:00 2311] INFO (SrvDaemon:336) Xend Daemon started\n'],
  ]);
  readonly commands: string[] = [];
  readonly finishedEdits: number[] = [];
  private events: MessagePortLike | undefined;
  host = fakeHost;

  constructor(private readonly domains: readonly DomainState[] = fakeDomains) {}

  emit(...events: LabEvent[]): void {
    this.events?.postMessage(events);
  }

  async boot({ events }: { readonly events: MessagePortLike }): Promise<LabResult<LabState>> {
    this.events = events;
    return this.snapshot();
  }

  async openTerminal(target: TerminalTarget, port: MessagePortLike): Promise<LabResult<null>> {
    const encoder = new TextEncoder();
    const write = (text: string) => port.postMessage({ type: 'output', data: encoder.encode(text) });
    port.onmessage = ({ data }) => {
      const message = data as TerminalInput;
      if (message.type === 'input') write(new TextDecoder().decode(message.data).replaceAll('\r', `\r\n${prompt}`));
    };
    const prompt = target.kind === 'console' ? 'login: ' : '[root@dom0 ~]# ';
    if (target.kind === 'serial') write(bootText);
    write(prompt);
    return ok(null);
  }

  async exec(command: string) {
    this.commands.push(command);
    return ok({ status: 0, stdout: '', stderr: '' });
  }

  async readFile(path: string): Promise<LabResult<Uint8Array>> {
    const text = this.files.get(path);
    if (text === undefined) return { ok: false, error: { code: 'ENOENT', message: 'No such file or directory' } };
    return ok(new TextEncoder().encode(text));
  }

  async writeFile(path: string, data: Uint8Array): Promise<LabResult<null>> {
    this.files.set(path, new TextDecoder().decode(data));
    this.emit({ type: 'fileChanged', path });
    return ok(null);
  }

  async listFiles(path: string) {
    const below = [...this.files.keys()]
      .filter((file) => file.startsWith(`${path}/`))
      .map((file) => file.slice(path.length + 1));
    const names = [...new Set(below.map((rest) => rest.split('/')[0]!))];
    return ok(
      names.map((name) => ({
        name,
        kind: below.includes(name) ? ('file' as const) : ('dir' as const),
        size: this.files.get(`${path}/${name}`)?.length ?? 0,
      })),
    );
  }

  async watchDirectories() {
    return ok(null);
  }

  async checkConfig() {
    return ok([]);
  }

  async editDone(editId: number) {
    this.finishedEdits.push(editId);
    return ok(null);
  }

  async setSpeed(speed: number) {
    this.host = { ...this.host, speed };
    this.emit({ type: 'host', host: this.host });
    return ok(null);
  }

  async stop() {
    return ok(null);
  }

  async eraseDisks(): Promise<LabResult<null>> {
    this.files.clear();
    return ok(null);
  }

  async snapshot() {
    return ok({ host: this.host, domains: this.domains, migrations: this.migrations });
  }

  // --- migrations

  migrations: readonly MigrationRecord[] = [];
  readonly cancelled: number[] = [];
  isWatchingMigrations = false;

  async watchMigrations(isOn: boolean) {
    this.isWatchingMigrations = isOn;
    return ok(null);
  }

  async cancelMigration(domid: number): Promise<LabResult<null>> {
    this.cancelled.push(domid);
    return ok(null);
  }

  async changeLink(change: Partial<LinkState>): Promise<LabResult<null>> {
    this.host = { ...this.host, link: { ...this.host.link, ...change } };
    this.emit({ type: 'host', host: this.host });
    return ok(null);
  }

  // --- policies: a machine without ACM; component tests of the policy tools put the real analysis in their place

  live: PolicyLive = fakeLive;
  decisions: readonly PolicyDecision[] = [];

  async analysePolicy(_xml: string): Promise<LabResult<PolicyAnalysis>> {
    return ok({ issues: [], policy: undefined });
  }

  async policyFlows(_xml: string, _ignored: readonly string[]): Promise<LabResult<PolicyFlows | null>> {
    return ok(null);
  }

  async whatIfPolicy(_xml: string, _assertions: string): Promise<LabResult<WhatIf>> {
    return ok({
      inForce: undefined,
      isSame: false,
      isLegal: false,
      reasons: [],
      domains: [],
      resources: [],
      assertions: [],
    });
  }

  async comparePolicies(_oldXml: string, _newXml: string): Promise<LabResult<PolicyDiff>> {
    return ok({ differences: [], consequences: [] });
  }

  async writePolicy(_form: PolicyForm): Promise<LabResult<string>> {
    return refused;
  }

  async policyInForce(): Promise<LabResult<string | null>> {
    return ok(null);
  }

  async watchPolicy(_isOn: boolean) {
    return ok({ live: this.live, decisions: this.decisions });
  }

  async findRefusal(_text: string, _back: number): Promise<LabResult<number | null>> {
    return ok(null);
  }

  async readWorkload(_text: string): Promise<LabResult<WorkloadDefinition>> {
    return refused;
  }

  async writeWorkload(_definition: WorkloadDefinition): Promise<LabResult<string>> {
    return refused;
  }

  async translateWorkload(
    _definition: WorkloadDefinition,
    _policyName: string,
  ): Promise<LabResult<TranslatedWorkload>> {
    return refused;
  }
}

const refused = { ok: false, error: { code: 'ENOSYS', message: 'The canned machine has no policy tools.' } } as const;

export const fakeLive: PolicyLive = {
  isBuilt: false,
  policy: undefined,
  domains: [],
  conflictSets: [],
  bridges: [],
  resources: [],
  statistics: {
    evtchnEvaluated: 0,
    evtchnDenied: 0,
    evtchnCacheHits: 0,
    grantEvaluated: 0,
    grantDenied: 0,
    grantCacheHits: 0,
  },
};

/** For `?fake` in development: the canned machine with numbers that move. */
/** A network without other tabs. */
export class FakePeers implements PeerApi {
  readonly others: PeerMachine[] = [];

  async peerState(): Promise<LabResult<PeerState>> {
    return { ok: true, value: { number: 1, own: [1], others: [...this.others] } };
  }

  async reservePeer(peer: PeerMachine): Promise<LabResult<null>> {
    this.others.push(peer);
    return { ok: true, value: null };
  }

  async joinPeer(): Promise<LabResult<null>> {
    return { ok: true, value: null };
  }

  async joinTabs(): Promise<LabResult<null>> {
    return { ok: true, value: null };
  }

  async peerIsOff(number: number): Promise<LabResult<null>> {
    const at = this.others.findIndex((other) => other.number === number);
    if (at >= 0) this.others.splice(at, 1);
    return { ok: true, value: null };
  }
}

export function connectFake(): LabConnection {
  const lab = new FakeLab();
  let tick = 0;
  const timer = setInterval(() => {
    tick += 1;
    const busy = 60 + 35 * Math.sin(tick / 5);
    lab.host = { ...lab.host, nowMs: lab.host.nowMs + 250, pcpuPercent: [busy, 20 + 10 * Math.cos(tick / 7)] };
    lab.emit(
      { type: 'host', host: lab.host },
      { type: 'domain', domain: { ...fakeDomains[0]!, cpuPercent: 9 + 6 * Math.cos(tick / 3) } },
      { type: 'domain', domain: { ...fakeDomains[2]!, cpuPercent: busy, cpuTimeMs: 9100 + tick * 200 } },
    );
  }, 250);
  return { peers: new FakePeers(), api: lab, close: () => clearInterval(timer) };
}

function ok<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value };
}

const bootText = `GRUB loading, please wait...\r
(XEN) Xen version 3.4.0 (root@xenlab)\r
(XEN) System RAM: 2047MB (2096636kB)\r
(XEN) Using scheduler: SMP Credit Scheduler (credit)\r
Linux version 2.6.18.8-xen (root@xenlab) #1 SMP\r
Xen virtual console successfully installed as ttyS0\r
INIT: Entering runlevel: 3\r
Starting xend: \x1b[32m[  OK  ]\x1b[0m\r
\r
`;
