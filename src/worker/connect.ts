/** The one place where the page meets the worker: Comlink for control, MessagePorts for bytes. */
import * as Comlink from 'comlink';
import type { LabApi, LabEvent, LabResult, MessagePortLike, PeerApi } from '../../workers/contract';
import { wantedNumber } from './machineNumber';

export interface LabConnection {
  readonly api: LabApi;
  readonly peers: PeerApi;
  /** Ends the machine; nothing is called or delivered afterwards. */
  close(): void;
}

/** A worker that does not stop by itself in this time is ended. */
const STOP_MS = 2000;

/** Starts the worker. `onCrash` is called when the worker itself failed, not when a request was refused. */
export function connectWorker(onCrash: (reason: string) => void): LabConnection {
  const worker = new Worker(new URL('../../workers/platform/browser/labWorker.ts', import.meta.url), {
    type: 'module',
    name: `xen-lab host ${wantedNumber() ?? ''}`.trim(),
  });
  worker.onerror = (event) => onCrash(event.message || 'The worker could not be loaded.');
  worker.onmessageerror = () => onCrash('A message from the worker could not be read.');
  const remote = Comlink.wrap<LabApi & PeerApi>(worker);
  const peers = peersOf(remote as unknown as PeerApi);
  const broker = tabBroker();
  if (broker) void peers.joinTabs(broker);
  const api = withTransfers(remote as unknown as LabApi);
  const close = () => {
    worker.onerror = null;
    // In order: a worker that is ended in the middle of a transaction may keep the browser's storage locked.
    const timeout = new Promise((resolve) => setTimeout(resolve, STOP_MS));
    void Promise.race([api.stop(), timeout]).finally(() => worker.terminate());
  };
  return { api, peers, close };
}

/** Undefined where a browser has none: then all goes over the channel that every tab hears, and large things take longer. */
function tabBroker(): MessagePortLike | undefined {
  if (!('SharedWorker' in window)) return undefined;
  const broker = new SharedWorker(new URL('../../workers/platform/browser/tabBroker.ts', import.meta.url), {
    type: 'module',
    name: 'xen-lab tabs',
  });
  return asPortLike(broker.port);
}

function peersOf(remote: PeerApi): PeerApi {
  return {
    peerState: () => remote.peerState(),
    reservePeer: (peer) => remote.reservePeer(peer),
    joinPeer: (peer, port) => remote.joinPeer(peer, Comlink.transfer(port, [port as unknown as Transferable])),
    joinTabs: (broker) => remote.joinTabs(Comlink.transfer(broker, [broker as unknown as Transferable])),
    peerIsOff: (number) => remote.peerIsOff(number),
  };
}

/** Ports must be named in the transfer list of the message that carries them. */
function withTransfers(remote: LabApi): LabApi {
  return {
    boot: ({ events }) => remote.boot(Comlink.transfer({ events }, [events as unknown as Transferable])),
    openTerminal: (target, port, rows, cols) =>
      remote.openTerminal(target, Comlink.transfer(port, [port as unknown as Transferable]), rows, cols),
    exec: (command) => remote.exec(command),
    readFile: (path) => remote.readFile(path),
    writeFile: (path, data) => remote.writeFile(path, data),
    listFiles: (path) => remote.listFiles(path),
    watchDirectories: (paths) => remote.watchDirectories(paths),
    checkConfig: (path, text) => remote.checkConfig(path, text),
    editDone: (editId) => remote.editDone(editId),
    setSpeed: (speed) => remote.setSpeed(speed),
    stop: () => remote.stop(),
    eraseDisks: () => remote.eraseDisks(),
    snapshot: () => remote.snapshot(),
    analysePolicy: (xml) => remote.analysePolicy(xml),
    policyFlows: (xml, ignored) => remote.policyFlows(xml, ignored),
    whatIfPolicy: (xml, assertions) => remote.whatIfPolicy(xml, assertions),
    comparePolicies: (oldXml, newXml) => remote.comparePolicies(oldXml, newXml),
    writePolicy: (form, source) => remote.writePolicy(form, source),
    policyInForce: () => remote.policyInForce(),
    watchPolicy: (isOn) => remote.watchPolicy(isOn),
    findRefusal: (...args) => remote.findRefusal(...args),
    readWorkload: (text) => remote.readWorkload(text),
    writeWorkload: (definition) => remote.writeWorkload(definition),
    translateWorkload: (definition, policyName) => remote.translateWorkload(definition, policyName),
    watchMigrations: (isOn) => remote.watchMigrations(isOn),
    cancelMigration: (domid) => remote.cancelMigration(domid),
    changeLink: (change) => remote.changeLink(change),
  };
}

/** The contract knows no DOM; a MessagePort is what it describes. */
export function asPortLike(port: MessagePort): MessagePortLike {
  return port as unknown as MessagePortLike;
}

/** A port on which the worker reports, already listening. */
export function eventPort(receive: (events: readonly LabEvent[]) => void): MessagePortLike {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = (event: MessageEvent<readonly LabEvent[]>) => receive(event.data);
  return asPortLike(port2);
}

/** The value of a request, or an Error with the worker's message for the control that made it. */
export function unwrap<T>(result: LabResult<T>): T {
  if (result.ok) return result.value;
  throw new LabRequestError(result.error.code, result.error.message);
}

export class LabRequestError extends Error {
  override readonly name = 'LabRequestError';
  constructor(
    /** An errno name, a xend error class, or `internal`. */
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
