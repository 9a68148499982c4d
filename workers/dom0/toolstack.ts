/**
 * The daemons of the toolstack as they run in Domain-0: xenstored, xenconsoled and xend, and xm as their client.
 *
 * Each daemon is a process of Domain-0 (killing the process ends it); its work is ordinary asynchronous code that is
 * started as a host operation of that process. What they need of Domain-0 is put together here.
 */
import { DOM0, type Domid, SHUTDOWN_suspend, VIRQ_DOM_EXC } from '../abi/xen';
import { ConsoleDaemon } from '../devices/console/daemon';
import { splitDevices } from '../devices/registry';
import { NBD_MAJOR } from '../guest/block/nbdDevice';
import { openHostPty } from '../guest/hostPty';
import type { Kernel } from '../guest/kernel';
import type { LocalStore } from '../guest/localXenbus';
import type { Operation, OperationIo, OperationResult } from '../guest/operations';
import type { KernelServices, Privcmd } from '../guest/services';
import { SysError } from '../guest/sys';
import type { Random } from '../lib/random';
import type { BulkEnd, BulkListener } from '../net/bulk';
import type { XendEnvironment } from '../xend/environment';
import { XendError } from '../xend/errors';
import type { SecurityView } from '../xend/security';
import { Xc } from '../xend/xc';
import { Xend } from '../xend/xend';
import { connectClient, type XenstoreClient } from '../xenstore/client';
import { Xenstored } from '../xenstore/daemon';
import type { XmIo } from '../xm/command';
import { runXm } from '../xm/main';
import type { PythonRunner } from '../xm/python';
import { linkOperation, makeOperation, type RunShell } from './build/operations';
import { dom0Network } from './tcp';
import { openFile, xendFiles } from './xendFiles';

export interface ToolstackHost {
  readonly random: Random;
  readonly python: PythonRunner;
  /** Asynchronous code of this machine may go on: it runs before the next event. */
  wake(): void;
  /** Fetches the contents of a file that is had only on first use; nothing when it is an ordinary one. */
  provideFile?(kernel: Kernel, path: string): Promise<void>;
  /** The kernel's xenbus talks to this store from now on. */
  connectStore(store: LocalStore): void;
  /** One end of a fast way for the data of a connection (net/bulk.ts). */
  openBulk(name: string, listener: BulkListener): BulkEnd;
  /** What the management processor of the machine with this address says. */
  isPoweredOn(address: string): boolean;
  /** Looks on while domains leave and arrive. */
  readonly migrations?: XendEnvironment['migrations'];
  /** What xend made of a decision of the security policy. */
  onVerdict?: XendEnvironment['onVerdict'];
  /** A broken invariant of ours. */
  onBug(error: unknown): void;
}

export class Toolstack {
  readonly #xc: Xc;
  #xenstored: Xenstored | undefined;
  #consoled: ConsoleDaemon | undefined;
  #xend: Xend | undefined;

  constructor(
    readonly kernel: Kernel,
    readonly services: KernelServices,
    readonly host: ToolstackHost,
  ) {
    this.#xc = new Xc(this.#privcmd);
    this.#register('xenstored', (_argument, io) => this.#runXenstored(io));
    this.#register('xenconsoled', (_argument, io) => this.#runConsoled(io));
    this.#register('xend_daemon', (_argument, io) => this.#runXend(io));
    this.#register('xend', (argument, io) => this.#controlXend(argv(argument), io));
    this.#register(
      'make',
      makeOperation(xendFiles(kernel), (...call) => this.#runShell(...call)),
    );
    this.#register('xenlink', linkOperation(xendFiles(kernel)));
    this.#register('xm', (argument, io) => this.#xm(argv(argument), io));
  }

  #register(name: string, run: Operation): void {
    this.kernel.registerOperation(name, (argument, io) => {
      this.host.wake();
      return run(argument, io);
    });
  }

  /** A connection to the store, over its socket or as Domain-0's kernel has it; undefined while xenstored does not run. */
  connect(way: { readonly socket: boolean } = { socket: true }): XenstoreClient | undefined {
    const defer = (action: () => void) => this.services.defer(action);
    return (
      this.#xenstored &&
      connectClient(this.#xenstored, { defer, ...(way.socket ? {} : { directory: '/local/domain/0' }) })
    );
  }

  /** What the store holds at a path, without the cost of a request; for views from outside the machine. */
  peek(path: string): string | undefined {
    return this.#xenstored?.peek(path);
  }

  /** Policies and labels as xend has them, for views from outside; undefined while xend does not run. */
  get securityView(): SecurityView | undefined {
    return this.#xend?.securityView;
  }

  /** Ends a migration that leaves from here; rejects with XendError. */
  async cancelMigration(key: string): Promise<void> {
    const api = this.#xend?.api;
    if (!api) throw new XendError('xend does not run');
    await api.cancelMigration(key);
  }

  get consoles(): ConsoleDaemon | undefined {
    return this.#consoled;
  }

  get #privcmd(): Privcmd {
    return this.services.privcmd!;
  }

  // ---------------------------------------------------------------------------------------------- daemons

  async #runXenstored(io: OperationIo): Promise<OperationResult> {
    if (this.#xenstored) {
      io.eprint('FATAL: Could not create internal socket: xenstored is already running\n');
      return { status: 1 };
    }
    const { services } = this;
    const daemon = new Xenstored({
      mapRing: (domid, mfn) => this.#mapPage(domid, mfn),
      bindInterdomain: (domid, port, onEvent) => this.#bind(domid, port, onEvent),
      domainState: (domid) => {
        const info = this.#xc.domainInfo(domid);
        if (!info || info.domid !== domid) return 'gone';
        return info.dying ? 'dying' : info.shutdown ? 'shutdown' : 'alive';
      },
      charge: (ns) => services.charge(ns),
      log: (line) => services.log.printk(`xenstored: ${line}`),
    });
    this.#xenstored = daemon;
    const exceptions = services.events.bindVirq(VIRQ_DOM_EXC);
    services.events.handle(exceptions, () => daemon.domainEvent());
    const defer = (action: () => void) => services.defer(action);
    const store = connectClient(daemon, { defer, directory: '/local/domain/0' });
    this.host.connectStore(store);
    const files = xendFiles(this.kernel);
    files.write('/var/run/xenstore.pid', `${io.pid}\n`);
    await cancelled(io, this.host);
    files.remove('/var/run/xenstore.pid');
    services.events.close(exceptions);
    this.#xenstored = undefined;
    return { status: 0 };
  }

  async #runConsoled(io: OperationIo): Promise<OperationResult> {
    const store = this.connect();
    if (!store) {
      io.eprint('Failed to contact xenstore (Connection refused).  Is it running?\n');
      return { status: 1 };
    }
    const { services, kernel } = this;
    const daemon = new ConsoleDaemon({
      store,
      time: services.time,
      domains: () => this.#xc.domainInfoList().flatMap((info) => (info.dying ? [] : [info.domid])),
      isSuspended: (domid) => {
        const info = this.#xc.domainInfo(domid);
        return info?.shutdown === true && info.shutdownReason === SHUTDOWN_suspend;
      },
      mapForeign: (domid, mfn) => this.#mapPage(domid, mfn),
      bindInterdomain: (domid, port, handler) => this.#bind(domid, port, handler),
      openPty: (input) => openHostPty(kernel.terminals, input),
      charge: (ns) => services.charge(ns),
    });
    this.#consoled = daemon;
    daemon.start();
    const files = xendFiles(kernel);
    files.write('/var/run/xenconsoled.pid', `${io.pid}\n`);
    await cancelled(io, this.host);
    files.remove('/var/run/xenconsoled.pid');
    daemon.stop();
    this.#consoled = undefined;
    return { status: 0 };
  }

  async #runXend(io: OperationIo): Promise<OperationResult> {
    const store = this.connect();
    if (!store || this.#xend) return { status: 1 };
    const xend = new Xend(this.#environment(store, io.pid), (error) => this.host.onBug(error));
    this.#xend = xend;
    const status = await xend.start();
    if (status === 0) await cancelled(io, this.host);
    await xend.stop();
    this.#xend = undefined;
    this.host.wake();
    return { status };
  }

  #mapPage(domid: number, mfn: number): { readonly page: Uint8Array; unmap(): void } {
    const mapping = this.#privcmd.mapForeign(domid as Domid, [mfn]);
    return { page: mapping.page(0), unmap: () => mapping.unmap() };
  }

  #bind(domid: number, remotePort: number, handler: () => void) {
    const { events } = this.services;
    const port = events.bindInterdomain(domid as Domid, remotePort as never);
    events.handle(port, handler);
    return {
      notify: () => events.notify(port),
      setMasked: (masked: boolean) => events.setMasked(port, masked),
      close: () => events.close(port),
    };
  }

  // ---------------------------------------------------------------------------------------------- xend

  #environment(store: XenstoreClient, pid: number): XendEnvironment {
    const { kernel, services } = this;
    const after: XendEnvironment['after'] = (ms, action) => services.time.at(services.time.nowNs + ms * 1e6, action);
    return {
      privcmd: this.#privcmd,
      store,
      files: {
        ...xendFiles(kernel),
        provide: async (path) => {
          await this.host.provideFile?.(kernel, path);
          this.host.wake();
        },
      },
      openFile: (path, mode) => openFile(kernel, path, mode),
      network: dom0Network({
        sockets: kernel.net!.daemons,
        openBulk: (name, listener) => this.host.openBulk(name, listener),
        isPoweredOn: (address) => this.host.isPoweredOn(address),
        after,
        wake: () => this.host.wake(),
      }),
      volumeServer: (number) => {
        const server = number >> 8 === NBD_MAJOR ? kernel.nbd.find(number & 0xff)?.server : undefined;
        return server && `${server.address}:${server.port}`;
      },
      random: this.host.random,
      devices: splitDevices,
      uname: () => kernel.uname(),
      runScript: (path, args, env) => this.#runScript(path, args, env),
      after,
      nowUnix: () => kernel.wallClock(),
      wake: () => this.host.wake(),
      onVerdict: (verdict) => this.host.onVerdict?.(verdict),
      ...(this.host.migrations ? { migrations: this.host.migrations } : {}),
      pid,
    };
  }

  #runShell(...[command, cwd, env, onStdout, onStderr]: Parameters<RunShell>): Promise<number> {
    return new Promise((resolve) => {
      const onExit = (status: number) => {
        resolve(status);
        this.host.wake();
      };
      this.kernel.spawnHosted({ argv: ['/bin/sh', '-c', command], env, cwd, onStdout, onStderr, onExit });
    });
  }

  #runScript(path: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<number> {
    const log = (bytes: Uint8Array) =>
      xendFiles(this.kernel).append('/var/log/xen/xend-debug.log', new TextDecoder().decode(bytes));
    return new Promise((resolve) => {
      const onExit = (status: number) => {
        resolve(status);
        this.host.wake();
      };
      try {
        this.kernel.spawnHosted({
          argv: [path, ...args],
          env: { ...SCRIPT_ENV, ...env },
          cwd: '/',
          onStdout: log,
          onStderr: log,
          onExit,
        });
      } catch (error) {
        if (!(error instanceof SysError)) throw error;
        log(new TextEncoder().encode(`${path}: ${error.message}\n`));
        onExit(error.code === 'EACCES' ? 126 : 127);
      }
    });
  }

  /** `xend start`, `stop` and so on: starts and ends the daemons' processes (tools/misc/xend). */
  async #controlXend(args: readonly string[], io: OperationIo): Promise<OperationResult> {
    if (io.uid !== 0) {
      const line = '*'.repeat(70);
      io.eprint(`${line}\n*** Xend must be run as root.\n${line}\n`);
      return { status: 1 };
    }
    switch (args[0]) {
      case undefined:
        io.print('usage: xend {start|stop|reload|restart}\n');
        return { status: 1 };
      case 'start':
      case 'trace_start':
        return { status: await this.#startAll() };
      case 'stop':
        return { status: await this.#stopXend() };
      case 'restart':
      case 'force-reload':
        await this.#stopXend();
        return { status: await this.#startAll() };
      case 'reload':
        if (!this.#xend) return { status: 1 };
        await this.#stopXend();
        return { status: await this.#startAll() };
      case 'status':
        return { status: this.#xend?.isRunning ? 0 : 3 };
      default:
        io.print(`not an option: ${args[0]}\n`);
        return { status: 1 };
    }
  }

  /** Whatever of the daemons does not run yet. */
  async #startAll(): Promise<number> {
    this.#spawn(
      ['xenstored', '--pid-file=/var/run/xenstore.pid'],
      '/usr/sbin/xenstored',
      () => this.#xenstored === undefined,
    );
    if (!(await this.#until(() => this.#xenstored !== undefined))) return 1;
    const store = this.connect()!;
    describeDom0(store);
    store.close();
    this.#spawn(['xenconsoled'], '/usr/sbin/xenconsoled', () => this.#consoled === undefined);
    if (this.#xend?.isRunning) return 0;
    let hasEnded = false;
    const ended = () => {
      hasEnded = true;
    };
    this.#spawn(
      ['python', '/usr/sbin/xend', 'start'],
      '/usr/lib/xen/bin/xend_daemon',
      () => this.#xend === undefined,
      ended,
    );
    await this.#until(() => this.#xend?.isRunning === true || hasEnded, 60_000);
    return this.#xend?.isRunning ? 0 : 1;
  }

  #spawn(argv: readonly string[], path: string, isNeeded: () => boolean, onExit: () => void = () => {}): void {
    if (isNeeded()) this.kernel.spawnHosted({ argv, path, env: SCRIPT_ENV, cwd: '/', onExit });
  }

  async #stopXend(): Promise<number> {
    if (!this.#xend) return 0;
    const daemon = this.kernel.processes.all().find(({ record }) => record.program === 'xend_daemon');
    if (daemon) this.kernel.processes.signal(daemon, 'TERM');
    return (await this.#until(() => this.#xend === undefined, 60_000)) ? 0 : 1;
  }

  /** Polls on virtual time; false when it did not come about within `ms`. */
  async #until(condition: () => boolean, ms = 10_000): Promise<boolean> {
    const { time } = this.services;
    const deadline = time.nowNs + ms * 1e6;
    while (!condition()) {
      if (time.nowNs >= deadline) return false;
      await this.#sleep(10);
    }
    return true;
  }

  #sleep(ms: number): Promise<void> {
    const { time } = this.services;
    return new Promise((resolve) => {
      time.at(time.nowNs + ms * 1e6, () => {
        resolve();
        this.host.wake();
      });
    });
  }

  // ---------------------------------------------------------------------------------------------- xm

  async #xm(args: readonly string[], io: OperationIo): Promise<OperationResult> {
    const { kernel, services } = this;
    const files = xendFiles(kernel);
    const { sysname, nodename, release, version, machine } = kernel.uname();
    const context: XmIo = {
      print: (text) => io.print(text),
      eprint: (text) => io.eprint(text),
      cwd: io.cwd,
      uid: io.uid,
      env: io.env,
      files,
      python: this.host.python,
      uname: () => [sysname, nodename, release, version, machine],
      connect: () => this.#xend?.api ?? (files.exists('/var/run/xend.pid') ? 'refused' : 'missing'),
      sleep: (ms) => this.#sleep(ms),
      get isCancelled() {
        return io.cancelled.isCancelled;
      },
      onCancel: (listener) =>
        io.cancelled.onCancel(() => {
          listener();
          this.host.wake();
        }),
      nowUnix: () => kernel.wallClock(),
      uptimeSeconds: () => services.time.nowNs / 1e9,
    };
    const result = await runXm(args, context);
    return { status: result.status, ...(result.exec ? { value: { exec: result.exec } } : {}) };
  }
}

const SCRIPT_ENV = { PATH: '/sbin:/bin:/usr/sbin:/usr/bin', HOME: '/root', LANG: 'C' };

function argv(argument: unknown): readonly string[] {
  return (argument as { argv: readonly string[] }).argv.slice(1);
}

/** Resolves when the process that started the operation is killed. */
function cancelled(io: OperationIo, host: ToolstackHost): Promise<void> {
  return new Promise((resolve) => {
    io.cancelled.onCancel(() => {
      resolve();
      host.wake();
    });
  });
}

/** What the init script tells a fresh store about Domain-0 (tools/misc/xend). */
function describeDom0(store: XenstoreClient): void {
  if (store.read(`/local/domain/${DOM0}/name`) !== undefined) return;
  store.write(`/local/domain/${DOM0}/name`, 'Domain-0');
  store.write(`/local/domain/${DOM0}/domid`, '0');
}
