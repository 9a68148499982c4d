/** What xc_save tells while it works, in xend's log (tools/libxc/xc_domain_save.c, print_stats, Xen 3.4). */
import { DOM0 } from '../../abi/xen';
import type { Round, SaveObserver } from '../../migration/save';
import type { DomainHost } from '../domainInfo';

const PAGE_BITS = 4096 * 8;

interface Moment {
  readonly nowMs: number;
  readonly dom0Ns: number;
  readonly targetNs: number;
}

export class SaveLog implements SaveObserver {
  #since: Moment;

  constructor(
    private readonly host: DomainHost,
    private readonly domid: number,
  ) {
    this.#since = this.#now();
  }

  roundEnded({ iteration, sent, skipped, dirtied }: Round): void {
    const { nowMs, dom0Ns, targetNs } = this.#since;
    const now = this.#now();
    this.#since = now;
    const ms = Math.max(1, Math.round(now.nowMs - nowMs));
    const percent = (ns: number) => Math.round(ns / (ms * 10_000));
    const rate = (pages: number) => Math.round((pages * PAGE_BITS) / (ms * 1000));
    this.#say(
      `${String(iteration).padStart(2)}: sent ${sent}, skipped ${skipped}, delta ${ms}ms, dom0 ${percent(now.dom0Ns - dom0Ns)}%, target ${percent(now.targetNs - targetNs)}%, sent ${rate(sent)}Mb/s, dirtied ${rate(dirtied)}Mb/s ${dirtied} pages`,
    );
  }

  lastRound(rule: string): void {
    if (rule !== 'not live') this.#say('Start last iteration');
  }

  /** The guest has stopped. */
  suspended(): void {
    const frame = this.host.xc.domainInfo(this.domid)?.sharedInfoFrame ?? 0;
    this.#say(`SUSPEND shinfo ${frame.toString(16).padStart(8, '0')}`);
  }

  finished(total: number, p2mSize: number): void {
    this.#say(`Total pages sent= ${total} (${(total / p2mSize).toFixed(2)}x)`);
    this.#say('All memory is saved');
    this.#say('Save exit rc=0');
  }

  #now(): Moment {
    const { xc, environment } = this.host;
    return {
      nowMs: environment.nowUnix() * 1000,
      dom0Ns: xc.domainInfo(DOM0)?.cpuTimeNs ?? 0,
      targetNs: xc.domainInfo(this.domid)?.cpuTimeNs ?? 0,
    };
  }

  #say(line: string): void {
    this.host.log.info('XendCheckpoint:403', line);
  }
}
