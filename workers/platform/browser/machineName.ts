/** Which machine this tab is: `host1` for the first one, `host2` for a tab opened beside it. One tab owns a machine. */

const LOCK = 'xen-lab/host';

/** After a reload, the page before this one may still hold the machine for a moment. */
const PATIENCE_MS = 700;

/** The number of a machine that belongs to this tab as long as this worker lives; the wanted one if it is free. */
export async function claimMachine(wanted?: number): Promise<number> {
  if (!('locks' in navigator)) return 1;
  if (wanted !== undefined && (await claim(wanted, { signal: AbortSignal.timeout(PATIENCE_MS) }))) return wanted;
  if (await claim(1, { signal: AbortSignal.timeout(PATIENCE_MS) })) return 1;
  for (let number = 2; ; number++) if (await claim(number, { ifAvailable: true })) return number;
}

/** Numbers of the machines whose tabs are there now. */
export async function liveMachines(): Promise<ReadonlySet<number>> {
  const { held = [] } = await navigator.locks.query();
  return new Set(held.flatMap(({ name }) => (name?.startsWith(LOCK) ? Number(name.slice(LOCK.length)) : [])));
}

/** Keeps a number from all tabs. The answer gives it back; undefined: a tab has it. */
export function reserveNumber(number: number): Promise<(() => void) | undefined> {
  return new Promise((resolve, reject) => {
    navigator.locks
      .request(`${LOCK}${number}`, { ifAvailable: true }, (lock) => {
        if (lock === null) return resolve(undefined);
        return new Promise<void>((release) => resolve(release));
      })
      .catch(reject);
  });
}

function claim(number: number, options: LockOptions): Promise<boolean> {
  return new Promise((resolve, reject) => {
    navigator.locks
      .request(`${LOCK}${number}`, options, (lock) => {
        resolve(lock !== null);
        // Held until the worker ends.
        return lock === null ? undefined : new Promise<never>(() => {});
      })
      .catch((error: unknown) => {
        if (error instanceof DOMException && error.name === 'TimeoutError') resolve(false);
        else reject(error as Error);
      });
  });
}
