/**
 * The machine as the page sees it: LabApi over one Host. Every refusal becomes data here (contract/errors.ts), and a
 * broken invariant of ours becomes a notice.
 */
import type {
  ConfigProblem,
  Download,
  FileEntry,
  LabApi,
  LabEvent,
  LabResult,
  LabState,
  LinkState,
  MessagePortLike,
  PolicyForm,
  PolicyTool,
  TerminalTarget,
  WorkloadDefinition,
} from '../contract';
import { xendFiles } from '../dom0/xendFiles';
import type { Kernel } from '../guest/kernel';
import { SysError } from '../guest/sys';
import { XendError } from '../xend/errors';
import { checkConfigText } from './configCheck';
import type { Host, HostPhase } from './createHost';
import { FollowedConsole } from './followedConsole';
import { LabEvents } from './labEvents';
import { LabMigration } from './labMigration';
import { LabPolicy, PolicyRefusal } from './labPolicy';
import { LabSampler } from './labState';
import { changeLink } from './linkState';
import { TerminalLink } from './terminalLink';

/** Serial output that a terminal opened later still gets to see, bytes. */
const SERIAL_BACKLOG = 256 * 1024;
const ROOT = { uid: 0, gid: 0 };

/** A request that cannot be met; crosses to the page as code and message. */
class LabRefusal extends Error {
  override readonly name = 'LabRefusal';
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

export class Lab implements LabApi {
  readonly #events = new LabEvents();
  readonly #sampler: LabSampler;
  readonly #serial = new Set<TerminalLink>();
  /** Terminals that end with this boot of the machine. */
  readonly #links = new Set<TerminalLink>();
  #backlog: Uint8Array[] = [];
  #backlogBytes = 0;
  #serialSize: { readonly rows: number; readonly cols: number } | undefined;
  #port: MessagePortLike | undefined;
  readonly #watched = new Set<string>();
  readonly #edits = new Map<number, () => void>();
  #lastEditId = 0;
  readonly #phaseListeners = new Set<(phase: HostPhase) => void>();
  readonly #policy: LabPolicy;
  readonly #migration: LabMigration;

  constructor(private readonly host: Host) {
    this.#sampler = new LabSampler(host);
    host.onSerial = (bytes) => this.#serialOutput(bytes);
    host.onPhase = (phase) => this.#phaseChanged(phase);
    host.onFileChanged = (path) => this.#fileChanged(path);
    host.onEdit = (path) => this.#edit(path);
    host.onTool = (tool, path) => this.#openTool(tool, path);
    this.#policy = new LabPolicy(host);
    this.#migration = new LabMigration(host);
  }

  // ---------------------------------------------------------------------------------------------- the machine

  async boot({ events }: { readonly events: MessagePortLike }): Promise<LabResult<LabState>> {
    this.#port = events;
    if (this.host.phase === 'off') this.host.boot();
    this.host.world.loop.wake();
    return { ok: true, value: this.#sampler.sample() };
  }

  /** Sends what has happened since the last call to the page. To be called up to 20 times a second. */
  report(wallMs: number): void {
    if (!this.#port) return;
    for (const event of this.#policy.report(wallMs)) this.#events.add(event);
    for (const event of this.#migration.report(wallMs)) this.#events.add(event);
    const events: readonly LabEvent[] = this.#events.batch(this.#sampler.sample(), wallMs);
    if (events.length > 0) this.#port.postMessage(events);
  }

  /** A line for the page's own log. */
  notice(level: 'info' | 'warning' | 'error', text: string, offers?: 'eraseDisks'): void {
    this.#events.add({ type: 'notice', level, text, ...(offers ? { offers } : {}) });
  }

  /** How far something large has come that is being fetched. */
  downloaded(download: Download): void {
    this.#events.downloaded(download);
  }

  async setSpeed(speed: number): Promise<LabResult<null>> {
    if (!(speed >= 0)) return refused('EINVAL', 'The speed is a number from 0 (paused) to Infinity.');
    this.host.world.loop.speed = speed;
    return { ok: true, value: null };
  }

  stop(): Promise<LabResult<null>> {
    return this.#answer(async () => {
      this.host.crash();
      await this.host.disks.save();
      return null;
    });
  }

  eraseDisks(): Promise<LabResult<null>> {
    return this.#answer(async () => {
      await this.host.eraseDisks();
      return null;
    });
  }

  async snapshot(): Promise<LabResult<LabState>> {
    return { ok: true, value: this.#sampler.sample() };
  }

  #phaseChanged(phase: HostPhase): void {
    if (phase === 'running' && this.#serialSize) this.#resizeSerial(this.#serialSize.rows, this.#serialSize.cols);
    if (phase !== 'running' && phase !== 'booting') {
      for (const link of this.#links) link.close('The machine was switched off.');
      this.#links.clear();
      for (const done of this.#edits.values()) done();
      this.#edits.clear();
    }
    for (const listener of [...this.#phaseListeners]) listener(phase);
  }

  /** Domain-0's kernel once it is up. */
  async #running(): Promise<Kernel> {
    while (this.host.phase === 'booting' || this.host.phase === 'rebooting')
      await new Promise<void>((resolve) => {
        const listener = () => {
          this.#phaseListeners.delete(listener);
          resolve();
        };
        this.#phaseListeners.add(listener);
      });
    return this.#kernel();
  }

  #kernel(): Kernel {
    const { kernel } = this.host;
    if (!kernel) throw new LabRefusal('ENODEV', 'The machine is switched off.');
    return kernel;
  }

  /** Runs in Domain-0's kernel, as soon as the machine's time goes on. */
  #interrupt<T>(action: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.host.interrupt(() => {
        try {
          resolve(action());
        } catch (error) {
          reject(error as Error);
        }
      });
      this.host.world.loop.wake();
    });
  }

  async #answer<T>(body: () => Promise<T> | T): Promise<LabResult<T>> {
    try {
      return { ok: true, value: await body() };
    } catch (error) {
      if (error instanceof LabRefusal) return refused(error.code, error.message);
      if (error instanceof SysError) return refused(error.code, error.message);
      if (error instanceof XendError || error instanceof PolicyRefusal) return refused(error.name, error.message);
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.notice('error', text);
      return refused('internal', error instanceof Error ? error.message : text);
    }
  }

  // ---------------------------------------------------------------------------------------------- terminals

  openTerminal(target: TerminalTarget, port: MessagePortLike, rows: number, cols: number): Promise<LabResult<null>> {
    const link = new TerminalLink(port);
    return this.#answer(async () => {
      try {
        if (target.kind === 'serial') this.#openSerial(link, rows, cols);
        else if (target.kind === 'shell') await this.#openShell(link, rows, cols);
        else await this.#openConsole(link, target.domid);
      } catch (error) {
        link.listen({ input: () => {}, resize: () => {}, closed: () => {} });
        throw error;
      }
      return null;
    });
  }

  #openSerial(link: TerminalLink, rows: number, cols: number): void {
    for (const bytes of this.#backlog) link.write(bytes.slice());
    this.#serial.add(link);
    this.#resizeSerial(rows, cols);
    link.listen({
      input: (bytes) => {
        this.host.serialInput(bytes);
        this.host.world.loop.wake();
      },
      resize: (newRows, newCols) => this.#resizeSerial(newRows, newCols),
      closed: () => void this.#serial.delete(link),
    });
  }

  /** A serial line carries no size; the page tells Domain-0's terminal anyway, so that long lines wrap where they should. */
  #resizeSerial(rows: number, cols: number): void {
    this.#serialSize = { rows, cols };
    const { kernel } = this.host;
    if (!kernel || this.host.phase !== 'running') return;
    this.host.interrupt(() => kernel.terminals.console.resize(rows, cols));
    this.host.world.loop.wake();
  }

  #serialOutput(bytes: Uint8Array): void {
    this.#backlog.push(bytes);
    this.#backlogBytes += bytes.length;
    while (this.#backlogBytes - this.#backlog[0]!.length > SERIAL_BACKLOG)
      this.#backlogBytes -= this.#backlog.shift()!.length;
    for (const link of this.#serial) link.write(bytes.slice());
  }

  async #openShell(link: TerminalLink, rows: number, cols: number): Promise<void> {
    const kernel = await this.#running();
    const session = await this.#interrupt(() =>
      kernel.openSession({
        rows,
        cols,
        onOutput: (bytes) => link.write(bytes.slice()),
        onClose: () => link.close(''),
      }),
    );
    this.#links.add(link);
    const inKernel = (action: () => void) => {
      this.host.interrupt(action);
      this.host.world.loop.wake();
    };
    link.listen({
      input: (bytes) => inKernel(() => session.input(bytes)),
      resize: (newRows, newCols) => inKernel(() => session.resize(newRows, newCols)),
      closed: () => {
        this.#links.delete(link);
        inKernel(() => session.close());
      },
    });
  }

  async #openConsole(link: TerminalLink, domid: number): Promise<void> {
    await this.#running();
    const attached = await this.#interrupt(() =>
      FollowedConsole.open(this.host, domid, {
        data: (bytes) => link.write(bytes.slice()),
        moved: (host, newDomid) => link.moved(host, newDomid),
        closed: (reason) => link.close(reason),
      }),
    );
    if (!attached) throw new LabRefusal('ENOENT', `Domain ${domid} has no console.`);
    this.#links.add(link);
    const inKernel = (action: () => void) => {
      this.host.interrupt(action);
      this.host.world.loop.wake();
    };
    link.listen({
      input: (bytes) => inKernel(() => attached.write(bytes)),
      resize: () => {}, // a console has no size
      closed: () => {
        this.#links.delete(link);
        inKernel(() => attached.detach());
      },
    });
  }

  // ---------------------------------------------------------------------------------------------- commands

  exec(command: string): Promise<LabResult<{ status: number; stdout: string; stderr: string }>> {
    return this.#answer(async () => {
      const kernel = await this.#running();
      const stdout = new Collected();
      const stderr = new Collected();
      const status = await new Promise<number>((resolve, reject) => {
        const hasEnded = () => {
          this.#phaseListeners.delete(hasEnded);
          reject(new LabRefusal('EINTR', 'The machine was switched off.'));
        };
        this.#phaseListeners.add(hasEnded);
        this.#interrupt(() =>
          kernel.spawnHosted({
            argv: ['-sh', '-c', command],
            path: '/bin/sh',
            onStdout: (bytes) => stdout.add(bytes),
            onStderr: (bytes) => stderr.add(bytes),
            onExit: (exitStatus) => {
              this.#phaseListeners.delete(hasEnded);
              resolve(exitStatus);
            },
          }),
        ).catch(reject);
      });
      return { status, stdout: stdout.text(), stderr: stderr.text() };
    });
  }

  // ---------------------------------------------------------------------------------------------- files
  // Files are memory of Domain-0's kernel, and here it is always between two of its slices: no need to wait for one.

  readFile(path: string): Promise<LabResult<Uint8Array>> {
    return this.#answer(async () => {
      const { vfs } = await this.#running();
      const inode = vfs.find('/', path);
      if (inode.kind === 'dir') throw new SysError('EISDIR', path);
      if (inode.node?.read) return new TextEncoder().encode(inode.node.read());
      if (!inode.data) throw new SysError('EINVAL', path);
      return inode.data.read(0, inode.data.size).slice();
    });
  }

  /** The text is on the disk, not only in Domain-0's memory, shortly afterwards. */
  writeFile(path: string, data: Uint8Array): Promise<LabResult<null>> {
    return this.#answer(async () => {
      const kernel = await this.#running();
      kernel.writeFile(path, data);
      this.host.interrupt(() => void kernel.mounting.sync());
      this.host.world.loop.wake();
      return null;
    });
  }

  listFiles(path: string): Promise<LabResult<readonly FileEntry[]>> {
    return this.#answer(async () => {
      const { vfs } = await this.#running();
      const prefix = path === '/' ? '' : path;
      return vfs.readdir('/', path, ROOT).flatMap((name): FileEntry[] => {
        const { inode } = vfs.locate('/', `${prefix}/${name}`, ROOT, false);
        if (!inode) return [];
        const { kind } = inode;
        const isPlain = kind === 'file' || kind === 'dir' || kind === 'symlink';
        return [{ name, kind: isPlain ? kind : 'other', size: inode.data?.size ?? 0 }];
      });
    });
  }

  watchDirectories(paths: readonly string[]): Promise<LabResult<null>> {
    this.#watched.clear();
    for (const path of paths) this.#watched.add(path.replace(/(.)\/+$/, '$1'));
    return Promise.resolve({ ok: true, value: null });
  }

  #fileChanged(path: string): void {
    const directory = path.slice(0, path.lastIndexOf('/')) || '/';
    if (this.#watched.has(directory)) this.#events.fileChanged(path);
  }

  checkConfig(path: string, text: string): Promise<LabResult<readonly ConfigProblem[]>> {
    return this.#answer(async () => {
      const kernel = await this.#running();
      const { sysname, nodename, release, version, machine } = kernel.uname();
      const { loop, python } = this.host.world;
      const world = {
        files: xendFiles(kernel),
        python: { run: (...args: Parameters<typeof python.run>) => loop.hold(python.run(...args)) },
        uname: () => [sysname, nodename, release, version, machine] as const,
      };
      return checkConfigText(world, path, text);
    });
  }

  // ---------------------------------------------------------------------------------------------- the editor

  #edit(path: string): Promise<void> {
    const editId = ++this.#lastEditId;
    this.#events.add({ type: 'editRequested', path, editId });
    return new Promise((resolve) => this.#edits.set(editId, resolve));
  }

  #openTool(tool: PolicyTool, path: string | undefined): Promise<void> {
    const editId = ++this.#lastEditId;
    this.#events.add({ type: 'toolRequested', tool, path, editId });
    return new Promise((resolve) => this.#edits.set(editId, resolve));
  }

  async editDone(editId: number): Promise<LabResult<null>> {
    const done = this.#edits.get(editId);
    if (!done) return refused('ENOENT', `No editor ${editId} is open.`);
    this.#edits.delete(editId);
    done();
    return { ok: true, value: null };
  }

  // ---------------------------------------------------------------------------------------------- migrations

  watchMigrations = (isOn: boolean) => this.#answer(() => this.#migration.watch(isOn));

  changeLink(change: Partial<LinkState>): Promise<LabResult<null>> {
    return this.#answer(() => {
      if (!changeLink(this.host, change)) throw new LabRefusal('EINVAL', 'No cable has this speed or this latency.');
      this.host.world.loop.wake();
      return null;
    });
  }

  cancelMigration(domid: number): Promise<LabResult<null>> {
    return this.#answer(async () => {
      await this.#running();
      const { toolstack } = this.host;
      if (!toolstack) throw new LabRefusal('ENODEV', 'The machine is switched off.');
      await this.#interrupt(() => toolstack.cancelMigration(String(domid)));
      return null;
    });
  }

  // ---------------------------------------------------------------------------------------------- policies

  analysePolicy = (xml: string) => this.#answer(() => this.#policy.analyse(xml));
  policyFlows = (xml: string, ignored: readonly string[]) => this.#answer(() => this.#policy.flows(xml, ignored));
  whatIfPolicy = (xml: string, assertions: string) => this.#answer(() => this.#policy.whatIf(xml, assertions));
  comparePolicies = (oldXml: string, newXml: string) => this.#answer(() => this.#policy.compare(oldXml, newXml));
  writePolicy = (form: PolicyForm, source?: string) => this.#answer(() => this.#policy.write(form, source));
  policyInForce = () => this.#answer(() => this.#policy.inForce());
  watchPolicy = (isOn: boolean) => this.#answer(() => this.#policy.watch(isOn));
  findRefusal = (text: string, back: number, domid?: number) =>
    this.#answer(() => this.#policy.findRefusal(text, back, domid));
  readWorkload = (text: string) => this.#answer(() => this.#policy.readWorkload(text));
  writeWorkload = (definition: WorkloadDefinition) => this.#answer(() => this.#policy.writeWorkload(definition));
  translateWorkload = (definition: WorkloadDefinition, policyName: string) =>
    this.#answer(() => this.#policy.translate(definition, policyName));
}

/** Output of a command as it comes, decoded when all of it is there. */
class Collected {
  readonly #decoder = new TextDecoder();
  #text = '';

  add(bytes: Uint8Array): void {
    this.#text += this.#decoder.decode(bytes, { stream: true });
  }

  text(): string {
    return this.#text + this.#decoder.decode();
  }
}

function refused(
  code: string,
  message: string,
): { readonly ok: false; readonly error: { code: string; message: string } } {
  return { ok: false, error: { code, message } };
}
