/**
 * The page's worker: one machine with its world, driven at wall time, and the LabApi that the page calls.
 * START READING HERE for the browser; machine/createHost.ts goes on from there.
 */
import * as Comlink from 'comlink';
import type { LabApi, LabResult, PeerApi } from '../../contract';
import { VirtualClock } from '../../lib/clock';
import { Host } from '../../machine/createHost';
import { DiskSaver } from '../../machine/diskSaver';
import type { InstallFile } from '../../machine/install';
import { Lab } from '../../machine/lab';
import { RunLoop } from '../../machine/runLoop';
import { Gateway, sharedLeases } from '../../net/gateway';
import { Lan } from '../../net/lan';
import type { ChunkStorage } from '../../storage/hostDisk';
import { MemoryStorage } from '../../storage/memoryStorage';
import { guestImages, loadEmulator, type Progress } from './guestAssets';
import { claimMachine } from './machineName';
import type { Peers } from './peers';
import { createPythonRunner } from './pythonRunner';
import { browserRunLoopPlatform } from './runLoopPlatform';
import { SavedDisks } from './savedDisks';
import { joinTabs } from './tabLink';

/** How often the page hears of changes, ms. */
const REPORT_MS = 50;
const OLDER_DISKS =
  'The disks of this machine were installed by an earlier version of the lab. They work on; commands and files that are new since then are missing on them.';
const NO_NETWORK =
  'This browser gives the page no network between machines (it must come from https or from this computer itself).';
const INSTALL_FILES = `${import.meta.env.BASE_URL}dom0-files.json`;

/** The page names its worker by the number that its machine is to have, if it has been told one. */
const wantedNumber = Number(/ (\d+)$/.exec(self.name)?.[1]) || undefined;

const started = start();
const ready = started.then(({ lab }) => lab);
Comlink.expose({ ...whenReady(ready), ...peersWhenReady(started.then(({ peers }) => peers)) });

async function start(): Promise<{ readonly lab: Lab; readonly peers: Peers | undefined }> {
  const notices: string[] = [];
  /** `lab` exists by the time that anything is fetched for a guest. */
  const progress: Progress = (name, loadedBytes, totalBytes) => lab.downloaded({ name, loadedBytes, totalBytes });
  const [number, installFiles, images, storage] = await Promise.all([
    claimMachine(wantedNumber),
    fetchInstallFiles(),
    guestImages(progress),
    openStorage((text) => notices.push(text)),
  ]);
  const clock = new VirtualClock();
  const lan = new Lan();
  const gateway = new Gateway(lan, clock, sharedLeases(number));
  const loop = new RunLoop(clock, browserRunLoopPlatform(), (error) => report(error));
  const host = await Host.create(
    {
      name: `host${number}`,
      number,
      topology: { sockets: 2, cores: 1, threads: 1 },
      memoryMiB: 2048,
      // What the disks have kept of an earlier life has uuids and addresses, which must not come again.
      seed: crypto.getRandomValues(new Uint32Array(1))[0]!,
      xenOptions: '',
    },
    {
      clock,
      loop,
      lan,
      gateway,
      storage,
      installFiles,
      python: createPythonRunner(),
      x86: () => loadEmulator(progress),
      guestImages: images,
      unixSecondsAtZero: Date.now() / 1000,
      // The origins of two tabs differ, the sum does not.
      wallMs: () => performance.timeOrigin + performance.now(),
      onBug: (error) => report(error),
    },
  );
  const peers = joinTabs({ number, lan, gateway, clock, wake: () => loop.wake() });
  const lab = new Lab(host);
  for (const text of notices) lab.notice('warning', text);
  if (host.hasOlderDisks) lab.notice('info', OLDER_DISKS, 'eraseDisks');
  /** A broken invariant of ours: named on the page and, with its stack, on the browser's console. */
  function report(error: unknown): void {
    console.error(error);
    lab.notice('error', error instanceof Error ? `${error.name}: ${error.message}` : String(error));
  }
  const saver = new DiskSaver(host.disks, (error) => void explain(error).then((text) => lab.notice('warning', text)));
  setInterval(() => {
    lab.report(performance.now());
    saver.tick(performance.now());
  }, REPORT_MS);
  void loop.run().catch(report);
  return { lab, peers };
}

async function fetchInstallFiles(): Promise<readonly InstallFile[]> {
  const response = await fetch(INSTALL_FILES);
  if (!response.ok) throw new Error(`${INSTALL_FILES}: ${response.status} ${response.statusText}`);
  return (await response.json()) as InstallFile[];
}

/** Without IndexedDB (some private windows) the machine works and forgets. */
async function openStorage(warn: (text: string) => void): Promise<ChunkStorage> {
  try {
    const disks = new SavedDisks();
    await disks.probe();
    return disks;
  } catch (error) {
    warn(`This browser keeps nothing here: the machine's disks are lost with the tab. (${textOf(error)})`);
    return new MemoryStorage();
  }
}

async function explain(error: unknown): Promise<string> {
  const { usage, quota } = (await navigator.storage?.estimate?.()) ?? {};
  const room =
    usage !== undefined && quota !== undefined
      ? ` ${mib(usage)} of ${mib(quota)} MiB of this browser's storage are in use.`
      : '';
  return `The machine's disks could not be stored: ${textOf(error)}.${room}`;
}

function mib(bytes: number): number {
  return Math.round(bytes / 1048576);
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function peersWhenReady(peers: Promise<Peers | undefined>): PeerApi {
  const ask = async <T>(body: (peers: Peers) => Promise<LabResult<T>>): Promise<LabResult<T>> => {
    const there = await peers;
    return there ? body(there) : { ok: false, error: { code: 'ENOTSUP', message: NO_NETWORK } };
  };
  return {
    peerState: () => ask((there) => there.peerState()),
    reservePeer: (peer) => ask((there) => there.reservePeer(peer)),
    joinPeer: (peer, port) => ask((there) => there.joinPeer(peer, port)),
    joinTabs: (broker) => ask((there) => there.joinTabs(broker)),
    peerIsOff: (number) => ask((there) => there.peerIsOff(number)),
  };
}

/** Requests may come while the machine is still being put together: they wait. */
function whenReady(lab: Promise<Lab>): LabApi {
  return {
    boot: async (options) => (await lab).boot(options),
    openTerminal: async (...args) => (await lab).openTerminal(...args),
    exec: async (command) => (await lab).exec(command),
    readFile: async (path) => (await lab).readFile(path),
    writeFile: async (path, data) => (await lab).writeFile(path, data),
    listFiles: async (path) => (await lab).listFiles(path),
    watchDirectories: async (paths) => (await lab).watchDirectories(paths),
    checkConfig: async (path, text) => (await lab).checkConfig(path, text),
    editDone: async (editId) => (await lab).editDone(editId),
    setSpeed: async (speed) => (await lab).setSpeed(speed),
    stop: async () => (await lab).stop(),
    eraseDisks: async () => (await lab).eraseDisks(),
    snapshot: async () => (await lab).snapshot(),
    analysePolicy: async (xml) => (await lab).analysePolicy(xml),
    policyFlows: async (...args) => (await lab).policyFlows(...args),
    whatIfPolicy: async (...args) => (await lab).whatIfPolicy(...args),
    comparePolicies: async (...args) => (await lab).comparePolicies(...args),
    writePolicy: async (form, source) => (await lab).writePolicy(form, source),
    policyInForce: async () => (await lab).policyInForce(),
    watchPolicy: async (isOn) => (await lab).watchPolicy(isOn),
    findRefusal: async (...args) => (await lab).findRefusal(...args),
    readWorkload: async (text) => (await lab).readWorkload(text),
    writeWorkload: async (definition) => (await lab).writeWorkload(definition),
    translateWorkload: async (...args) => (await lab).translateWorkload(...args),
    watchMigrations: async (isOn) => (await lab).watchMigrations(isOn),
    cancelMigration: async (domid) => (await lab).cancelMigration(domid),
    changeLink: async (change) => (await lab).changeLink(change),
  };
}
