/**
 * Which virtual pages of the map window are in use: the part of a kernel's address space where it sees pages that are
 * not its own memory (shared_info, grant table frames, granted and foreign pages).
 */
import { MAP_WINDOW_END, MAP_WINDOW_START } from '../abi/cpu';
import { PAGE_SIZE } from '../abi/xen';
import { SysError } from './sys';

export class MapWindow {
  #next = MAP_WINDOW_START;
  /** Freed ranges by length in pages: the common lengths (1, 32 …) are found again at once. */
  readonly #free = new Map<number, number[]>();

  /** Virtual address of `pages` unused pages in a row; SysError ENOMEM. */
  allocate(pages: number): number {
    const again = this.#free.get(pages)?.pop();
    if (again !== undefined) return again;
    const va = this.#next;
    if (va + pages * PAGE_SIZE > MAP_WINDOW_END) throw new SysError('ENOMEM', 'map window');
    this.#next = va + pages * PAGE_SIZE;
    return va;
  }

  release(va: number, pages: number): void {
    const list = this.#free.get(pages);
    if (list) list.push(va);
    else this.#free.set(pages, [va]);
  }
}
