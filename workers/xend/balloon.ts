/**
 * Finds memory for a new domain by shrinking Domain-0 (tools/python/xen/xend/balloon.py in Xen 3.4). Sizes are KiB.
 */
import { VmError } from './errors';
import type { XendLog } from './log';

const RETRY_LIMIT = 20;
/** Further tries per GiB that is missing. */
const RETRY_LIMIT_PER_GIB = 5;
const SLEEP_STEP_MS = 100;

export interface BalloonHost {
  /** All in KiB. */
  memory(): { readonly totalKiB: number; readonly freeKiB: number; readonly scrubKiB: number };
  dom0AllocationKiB(): number;
  setDom0TargetMiB(mebibytes: number): void;
  readonly dom0MinMemKiB: number;
  readonly ballooningEnabled: boolean;
  sleep(ms: number): Promise<void>;
  readonly log: XendLog;
}

/** Resolves once `needKiB` are free; rejects with VmError, Domain-0's target put back when it did not comply. */
export async function freeMemory(host: BalloonHost, needKiB: number): Promise<void> {
  const need = Math.ceil(needKiB);
  const floor = host.dom0MinMemKiB;
  const startAllocation = host.dom0AllocationKiB();
  const { totalKiB } = host.memory();
  const limit = host.ballooningEnabled ? totalKiB - floor : totalKiB - startAllocation;
  if (need >= limit) throw tooMuch(host, need);

  let retries = 0;
  let rlimit = RETRY_LIMIT;
  let lastNew: number | undefined;
  let lastFree: number | undefined;
  let sleepMs = 0;
  for (;;) {
    const { freeKiB, scrubKiB } = host.memory();
    const allocation = host.dom0AllocationKiB();
    if (freeKiB >= need) {
      host.log.debug('balloon:162', `Balloon: ${freeKiB} KiB free; need ${need}; done.`);
      return;
    }
    if (retries === 0) rlimit += Math.floor(((need - freeKiB) / 1024 / 1024) * RETRY_LIMIT_PER_GIB);
    const target = allocation - (need - freeKiB - scrubKiB);
    if (freeKiB + scrubKiB >= need) {
      // What is being scrubbed will do: Domain-0 keeps what it has.
      if (lastNew === undefined) host.log.debug('balloon:166', 'Balloon: waiting on scrubbing');
      lastNew ??= allocation;
    } else if (host.ballooningEnabled && target >= floor) {
      const targetMiB = Math.floor(target / 1024);
      if (lastNew === undefined || Math.floor(lastNew / 1024) !== targetMiB) {
        host.log.debug('balloon:172', `Balloon: setting dom0 target to ${targetMiB} MiB.`);
        host.setDom0TargetMiB(targetMiB);
      }
      lastNew = target;
    }
    if (lastFree !== undefined && freeKiB + scrubKiB <= lastFree) retries++;
    else if (lastFree === undefined) retries = 1;
    lastFree = freeKiB + scrubKiB;
    if (retries > rlimit) break;
    sleepMs += SLEEP_STEP_MS;
    host.log.debug(
      'balloon:178',
      `Balloon: ${freeKiB} KiB free; ${scrubKiB} to scrub; need ${need}; retries: ${rlimit}.`,
    );
    await host.sleep(sleepMs);
  }
  if (!host.ballooningEnabled || host.dom0AllocationKiB() - (need - lastFree) < floor) throw tooMuch(host, need);
  host.setDom0TargetMiB(Math.floor(startAllocation / 1024));
  throw new VmError('Not enough memory is available, and dom0 cannot be shrunk any further');
}

function tooMuch(host: BalloonHost, need: number): VmError {
  const { freeKiB, scrubKiB } = host.memory();
  if (!host.ballooningEnabled)
    return new VmError(
      `Not enough free memory and enable-dom0-ballooning is False, so I cannot release any more.  I need ${need} KiB but only have ${freeKiB}.`,
    );
  const floor = host.dom0MinMemKiB;
  const left = freeKiB + scrubKiB + host.dom0AllocationKiB() - floor;
  return new VmError(
    `I need ${need} KiB, but dom0_min_mem is ${floor} and shrinking to ${floor} KiB would leave only ${left} KiB free.`,
  );
}
