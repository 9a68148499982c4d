import fc from 'fast-check';
import { expect, it } from 'vitest';
import { columnsInView, type GridSize, numbersOf, placeAfterKey, rowsInView, scrollTo, within } from './gridWindow';

const size: GridSize = { rows: 200, columns: 400, rowHeight: 22, columnWidth: 24, headHeight: 100, headWidth: 150 };
const view = { top: 0, left: 0, width: 750, height: 500 };
const views = fc.record({
  top: fc.nat({ max: 5000 }),
  left: fc.nat({ max: 12000 }),
  width: fc.integer({ min: 200, max: 2000 }),
  height: fc.integer({ min: 140, max: 1500 }),
});
const places = fc.record({ row: fc.integer({ min: -1, max: 199 }), column: fc.integer({ min: -1, max: 399 }) });

it('draws what is in view and not the rest', () => {
  fc.assert(
    fc.property(views, (each) => {
      const [from, to] = rowsInView(size, each);
      const inView = (row: number) =>
        (row + 1) * 22 > each.top && row * 22 < each.top + each.height - 100 && row >= 0 && row < 200;
      for (let row = 0; row < 200; row++) if (inView(row)) expect(row >= from && row < to).toBe(true);
      expect(to - from).toBeLessThanOrEqual(Math.ceil((each.height - 100) / 22) + 10);
      const [left, right] = columnsInView(size, each);
      expect(right - left).toBeLessThanOrEqual(Math.ceil((each.width - 150) / 24) + 10);
    }),
  );
  expect(rowsInView({ ...size, rows: 3 }, { ...view, top: 4000 })).toEqual([0, 3]);
});

it('always draws the place of the focus, once', () => {
  fc.assert(
    fc.property(views, places, (each, { row }) => {
      const rows = numbersOf(rowsInView(size, each), row);
      expect(new Set(rows).size).toBe(rows.length);
      expect(rows).toEqual([...rows].sort((a, b) => a - b));
      if (row >= 0) expect(rows).toContain(row);
    }),
  );
});

it('scrolls a place beside the headers, and not at all when it is there', () => {
  fc.assert(
    fc.property(views, places, (each, place) => {
      const { top, left } = scrollTo(place, size, each);
      if (place.row >= 0) {
        expect(place.row * 22).toBeGreaterThanOrEqual(top - (each.height < 122 ? 22 : 0));
        expect((place.row + 1) * 22).toBeLessThanOrEqual(top + each.height - 100);
      }
      expect(scrollTo(place, size, { ...each, top, left })).toEqual({ top, left });
    }),
  );
});

it('goes with the keys to every cell and header, and past no edge', () => {
  const go = (key: string, from: { row: number; column: number }, ctrlKey = false) =>
    placeAfterKey({ key, ctrlKey }, from, size, 15);
  expect(go('ArrowUp', { row: 0, column: 5 })).toEqual({ row: -1, column: 5 });
  expect(go('ArrowLeft', { row: -1, column: 0 })).toEqual({ row: 0, column: -1 });
  expect(go('ArrowRight', { row: 3, column: 399 })).toEqual({ row: 3, column: 399 });
  expect(go('PageDown', { row: 190, column: 1 })).toEqual({ row: 199, column: 1 });
  expect(go('PageUp', { row: 4, column: 1 })).toEqual({ row: 0, column: 1 });
  expect(go('End', { row: 4, column: 1 })).toEqual({ row: 4, column: 399 });
  expect(go('End', { row: 4, column: 1 }, true)).toEqual({ row: 199, column: 399 });
  expect(go('Home', { row: 4, column: 9 }, true)).toEqual({ row: 0, column: 0 });
  expect(go('x', { row: 4, column: 9 })).toBeUndefined();
  // After a filter has taken cells away.
  expect(within({ row: 150, column: 3 }, { ...size, rows: 2, columns: 2 })).toEqual({ row: 1, column: 1 });
});
