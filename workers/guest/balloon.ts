/**
 * The balloon driver: brings the guest's memory to the size that the toolstack writes to `memory/target`.
 *
 * To inflate is to take free pages and give their frames back to Xen; to deflate is to ask Xen for memory behind frames
 * that have none. Work is done in batches, so that a large change does not hold up the guest, and is retried after a
 * second while memory is short (linux-2.6.18-xen drivers/xen/balloon; behaviour, not code).
 */
import type { Hypercalls } from './hypercall';
import type { P2m } from './p2m';
import type { PageAllocator } from './pages';
import type { KernelServices } from './services';

const BATCH = 512;
const RETRY_NS = 1_000_000_000;
const PAGES_KIB = 4;
/** Xen's and the kernel's own work for a page that changes hands. */
const PAGE_NS = 300;

export class Balloon {
  /** Pages that the toolstack wants this guest to have. */
  #target: number;
  #isScheduled = false;

  constructor(
    private readonly services: Pick<KernelServices, 'time' | 'xenbus' | 'charge' | 'defer'>,
    private readonly hypercalls: Hypercalls,
    private readonly pages: PageAllocator,
    private readonly p2m: P2m,
  ) {
    this.#target = pages.populatedPages;
  }

  /** Starts to follow `memory/target`. */
  start(): void {
    this.services.xenbus.watch('memory/target', () => {
      this.services.xenbus.read('memory/target', (text) => {
        if (text !== undefined && /^\d+$/.test(text)) this.setTarget(Math.floor(Number(text) / PAGES_KIB));
      });
    });
  }

  get currentKiB(): number {
    return this.pages.populatedPages * PAGES_KIB;
  }

  get targetKiB(): number {
    return this.#target * PAGES_KIB;
  }

  setTarget(pages: number): void {
    this.#target = Math.min(pages, this.pages.maxPfn);
    this.#schedule();
  }

  /** What /proc/xen/balloon shows. */
  describe(): string {
    const line = (name: string, value: string) => `${name}: ${value.padStart(8)} kB\n`;
    const ballooned = this.pages.balloonedPages * PAGES_KIB;
    return (
      line('Current allocation', String(this.currentKiB)) +
      line('Requested target', String(this.targetKiB)) +
      line('Low-mem balloon', String(ballooned)) +
      line('High-mem balloon', '0') +
      line('Driver pages', '0') +
      line('Xen hard limit', '???')
    );
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.services.defer(() => {
      this.#isScheduled = false;
      this.#work();
    });
  }

  #work(): void {
    const missing = this.#target - this.pages.populatedPages;
    if (missing === 0) return;
    const done = missing > 0 ? this.#deflate(Math.min(missing, BATCH)) : this.#inflate(Math.min(-missing, BATCH));
    this.services.charge(done * PAGE_NS);
    if (done === 0) this.services.time.at(this.services.time.nowNs + RETRY_NS, () => this.#schedule());
    else if (this.#target !== this.pages.populatedPages) this.#schedule();
  }

  #inflate(count: number): number {
    const pfns = this.pages.takeForBalloon(count);
    if (pfns.length === 0) return 0;
    const mfns = pfns.map((pfn) => this.pages.at(pfn).mfn);
    for (const pfn of pfns) this.p2m.set(pfn, undefined);
    const given = this.hypercalls.decreaseReservation(mfns);
    // What Xen refused (a page somebody has mapped) stays the guest's.
    pfns.slice(given).forEach((pfn, i) => {
      this.p2m.set(pfn, mfns[given + i]!);
      this.pages.populated(pfn);
    });
    return given;
  }

  #deflate(count: number): number {
    const pfns = this.pages.balloonedFrames(count);
    if (pfns.length === 0) return 0;
    const mfns = this.hypercalls.populatePhysmap(pfns);
    mfns.forEach((mfn, i) => {
      this.p2m.set(pfns[i]!, mfn);
      this.pages.populated(pfns[i]!);
    });
    return mfns.length;
  }
}
