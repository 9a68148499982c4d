/**
 * How a domain comes to its end or to rest: what it is asked for through its control node, and what is done when it has shut
 * down or suspended (XendDomainInfo.py, Xen 3.4: shutdown, _maybeRestart, _restart, refreshShutdown).
 */
import { SHUTDOWN_crash, SHUTDOWN_suspend } from '../abi/xen';
import type { ShutdownWord } from './api';
import { cancelSuspend } from './checkpoint/cancelSuspend';
import { dumpDomain } from './coreDump/dumpDomain';
import { pauseDisks, unpauseDisks } from './diskPause';
import { cloneConfig } from './domainConfig';
import type { XendDomainInfo } from './domainInfo';
import { sleep } from './environment';
import { textOf, XendError } from './errors';
import type { DomainInfo } from './xc';

/** Restarts that come sooner than this after the start are refused, seconds. */
const MINIMUM_RESTART_TIME = 60;
const SHUTDOWN_TIMEOUT_MS = 300_000;
/** How long a guest may take to suspend, ms. */
const SUSPEND_TIMEOUT_MS = 60_000;
const SUSPEND_POLL_MS = 1;
const REASON_NAMES = ['poweroff', 'reboot', 'suspend', 'crash', 'halt'];

export class DomainPower {
  #unwatch: (() => void)[] = [];
  #timers: { cancel(): void }[] = [];
  #isHandled = false;
  /** False: a request to suspend was taken back. */
  #mayStaySuspended = true;
  /** `xm shutdown -H`: a guest powers off for it as well, but it does not come back. */
  #isToHalt = false;

  constructor(private readonly domain: XendDomainInfo) {}

  /** Asks the guest; it decides. Throws XendError. */
  shutdown(reason: ShutdownWord): void {
    const { domain } = this;
    if (domain.isPrivileged) throw new XendError('Domain 0 cannot be shutdown');
    if (!domain.isRunning || domain.info?.shutdown) throw new XendError('Domain cannot be shutdown');
    const { store } = domain.host.environment;
    this.#isToHalt = reason === 'halt';
    store.remove(`${domain.domPath}/xend/shutdown_completed`);
    store.write(this.#controlNode, reason);
  }

  /** Asks the guest to suspend and waits until it has stopped and its disks are quiet, or until nobody wants it any more. */
  async suspend(isUnwanted: () => boolean = () => false): Promise<void> {
    const { domain } = this;
    const { environment, xc } = domain.host;
    const { store } = environment;
    this.#mayStaySuspended = true;
    this.shutdown('suspend');
    for (let waited = 0; ; waited += SUSPEND_POLL_MS) {
      const info = xc.domainInfo(domain.domid);
      if (!info || info.dying) throw new XendError(`Domain ${domain.domid} is gone`);
      if (info.shutdown && info.shutdownReason === SHUTDOWN_suspend) return pauseDisks(domain);
      if (info.shutdown) throw new XendError(`Domain ${domain.domid} did not suspend`);
      // Differs from Xen, which waits for ever for a guest that has said yes and does not do it.
      const isLate = waited >= SUSPEND_TIMEOUT_MS;
      if (isLate || (isUnwanted() && store.read(this.#controlNode) === 'suspend')) {
        this.#mayStaySuspended = false;
        store.write(this.#controlNode, '');
        throw new XendError(
          isLate ? `Timeout waiting for domain ${domain.domid} to suspend` : `Domain ${domain.domid} need not suspend`,
        );
      }
      await sleep(environment, SUSPEND_POLL_MS);
    }
  }

  /** A suspended domain goes on where it is (xc_domain_resume, the guest's SUSPEND_CANCEL). Harmless when it runs. */
  resumeHere(): void {
    const { domain } = this;
    const { xc, environment } = domain.host;
    const info = domain.isRunning ? xc.domainInfo(domain.domid) : undefined;
    if (!info?.shutdown || info.shutdownReason !== SHUTDOWN_suspend) return;
    unpauseDisks(domain);
    cancelSuspend(xc, domain.domid);
    environment.store.remove(`${domain.domPath}/xend/shutdown_completed`);
    this.#isHandled = false;
    domain.look();
  }

  /** From now on a guest that was asked and does not go is noted as unresponsive. */
  watch(): void {
    const { domain } = this;
    const { environment, log } = domain.host;
    const { store } = environment;
    const node = this.#controlNode;
    this.#unwatch.push(
      store.watch(node, () => {
        const reason = store.read(node);
        if (!reason || reason === 'suspend') return;
        if (store.read(`${domain.domPath}/xend/shutdown_start_time`) !== undefined) return;
        store.write(`${domain.domPath}/xend/shutdown_start_time`, String(environment.nowUnix()));
        const expired = () => {
          if (domain.isDestroyed || domain.info?.shutdown) return;
          log.info('XendDomainInfo:1301', `Domain shutdown timeout expired: name=${domain.name} id=${domain.domid}`);
          store.write(`${domain.domPath}/xend/unresponsive`, 'True');
        };
        this.#timers.push(environment.after(SHUTDOWN_TIMEOUT_MS, expired));
      }),
    );
  }

  /** Ends `watch`. */
  ignore(): void {
    for (const unwatch of this.#unwatch) unwatch();
    for (const timer of this.#timers) timer.cancel();
    this.#unwatch = [];
    this.#timers = [];
  }

  /** What follows from the domain's state, once for each shutdown. Resolves when it is done. */
  async follow(info: DomainInfo): Promise<void> {
    const { domain } = this;
    const { config, host } = domain;
    if (info.dying || !info.shutdown || this.#isHandled || domain.isPrivileged) return;
    const { store } = host.environment;
    if (store.read(`${domain.domPath}/xend/shutdown_completed`) !== undefined) return;
    this.#isHandled = true;
    const reason = REASON_NAMES[info.shutdownReason] ?? 'unknown';
    if (info.shutdownReason === SHUTDOWN_crash)
      host.log.warning('XendDomainInfo:1443', `Domain has crashed: name=${domain.name} id=${domain.domid}.`);
    else
      host.log.info(
        'XendDomainInfo:1460',
        `Domain has shutdown: name=${domain.name} id=${domain.domid} reason=${reason}.`,
      );
    store.write(`${domain.vmPath}/xend/last_shutdown_reason`, reason);
    if (reason === 'suspend') {
      // It had read the request before that was taken back.
      if (!this.#mayStaySuspended) this.resumeHere();
      return;
    }
    if (reason === 'crash' && (config.onCrash.startsWith('coredump') || host.options.bool('enable-dump'))) {
      host.environment.wake();
      await dumpDomain(domain).catch((error: unknown) => {
        // It stands in the log already, and nothing more can be done here.
        if (!(error instanceof XendError)) throw error;
      });
      if (domain.isDestroyed) return;
    }
    const actions: Readonly<Record<string, string>> = {
      poweroff: this.#isToHalt ? 'destroy' : config.onPoweroff,
      reboot: config.onReboot,
      crash: config.onCrash,
    };
    // Nobody waits for this: without the wake the rest would happen whenever the run loop next lets promises settle.
    host.environment.wake();
    await this.#act(actions[reason] ?? 'destroy');
  }

  get #controlNode(): string {
    return `${this.domain.domPath}/control/shutdown`;
  }

  async #act(action: string): Promise<void> {
    const { domain } = this;
    switch (action) {
      case 'restart':
      case 'coredump-restart':
        return this.#restart(false);
      case 'rename-restart':
        return this.#restart(true);
      case 'preserve':
        domain.host.log.info('XendDomainInfo:1564', `Preserving dead domain ${domain.name} (${domain.domid}).`);
        domain.detach();
        domain.host.environment.store.write(`${domain.domPath}/xend/shutdown_completed`, 'True');
        return;
      default:
        domain.destroy();
    }
  }

  async #restart(rename: boolean): Promise<void> {
    const { domain } = this;
    const { environment, log } = domain.host;
    const { store } = environment;
    const { domid } = domain;
    if (store.read(`${domain.vmPath}/xend/restart_in_progress`) !== undefined) {
      log.error(
        'XendDomainInfo:1500',
        `Xend failed during restart of domain ${domid}.  Refusing to restart to avoid loops.`,
      );
      domain.destroy();
      return;
    }
    const elapsed = environment.nowUnix() - domain.startTime;
    if (elapsed < MINIMUM_RESTART_TIME) {
      log.error(
        'XendDomainInfo:1520',
        `VM ${domain.name} restarting too fast (Elapsed time: ${elapsed.toFixed(6)} seconds). Refusing to restart to avoid loops.`,
      );
      domain.destroy();
      return;
    }
    store.write(`${domain.vmPath}/xend/restart_in_progress`, 'True');
    const restarts = Number(store.read(`${domain.vmPath}/xend/restart_count`) ?? '0') + 1;
    const config = cloneConfig(domain.config);
    try {
      if (rename) domain.becomeZombie();
      else domain.destroy();
      await domain.released();
      const next = await domain.host.restart(config);
      store.write(`${next.vmPath}/xend/restart_count`, String(restarts));
    } catch (error) {
      log.error('XendDomainInfo:1550', `Failed to restart domain ${domid}. ${textOf(error)}`);
    }
  }
}
