/** The geometry of a large grid: which of its cells are in view, and where a key leads. Headers are row or column -1. */

export interface GridSize {
  readonly rows: number;
  readonly columns: number;
  readonly rowHeight: number;
  readonly columnWidth: number;
  /** Of the row of column headers, and of the column of row headers. */
  readonly headHeight: number;
  readonly headWidth: number;
}

export interface GridView {
  readonly top: number;
  readonly left: number;
  readonly width: number;
  readonly height: number;
}

export interface GridPlace {
  readonly row: number;
  readonly column: number;
}

/** From the first to before the second. */
export type Span = readonly [from: number, to: number];

/** Drawn beyond the edges, so that nothing is blank while it scrolls. */
const MARGIN = 4;

export function rowsInView({ rows, rowHeight, headHeight }: GridSize, { top, height }: GridView): Span {
  return span(top / rowHeight, (top + height - headHeight) / rowHeight, rows);
}

export function columnsInView({ columns, columnWidth, headWidth }: GridSize, { left, width }: GridView): Span {
  return span(left / columnWidth, (left + width - headWidth) / columnWidth, columns);
}

function span(first: number, last: number, count: number): Span {
  const from = Math.max(0, Math.min(count - 1, Math.floor(first)) - MARGIN);
  return [from, Math.max(from, Math.min(count, Math.ceil(last) + MARGIN))];
}

/** The numbers of a span, and one that may stand beside it. */
export function numbersOf([from, to]: Span, also: number): readonly number[] {
  const numbers = Array.from({ length: to - from }, (_, i) => from + i);
  if (also < 0 || (also >= from && also < to)) return numbers;
  return also < from ? [also, ...numbers] : [...numbers, also];
}

/** Undefined: the key is none of the grid's. Past an edge one stays there. */
export function placeAfterKey(
  { key, ctrlKey }: { readonly key: string; readonly ctrlKey: boolean },
  { row, column }: GridPlace,
  size: GridSize,
  page: number,
): GridPlace | undefined {
  const moves: Readonly<Record<string, GridPlace>> = {
    ArrowUp: { row: row - 1, column },
    ArrowDown: { row: row + 1, column },
    ArrowLeft: { row, column: column - 1 },
    ArrowRight: { row, column: column + 1 },
    PageUp: { row: Math.max(0, row - page), column },
    PageDown: { row: row + page, column },
    Home: { row: ctrlKey ? 0 : row, column: 0 },
    End: { row: ctrlKey ? size.rows - 1 : row, column: size.columns - 1 },
  };
  const next = moves[key];
  return next && within(next, size);
}

/** The nearest place that is there; the corner between the headers is none. */
export function within({ row, column }: GridPlace, { rows, columns }: GridSize): GridPlace {
  const inside = {
    row: Math.max(-1, Math.min(rows - 1, row)),
    column: Math.max(-1, Math.min(columns - 1, column)),
  };
  return inside.row === -1 && inside.column === -1 ? { row: 0, column: -1 } : inside;
}

/** Where to scroll so that a place stands beside the headers, not below them. */
export function scrollTo(
  { row, column }: GridPlace,
  { rowHeight, columnWidth, headHeight, headWidth }: GridSize,
  { top, left, width, height }: GridView,
): { readonly top: number; readonly left: number } {
  const along = (at: number, size: number, now: number, room: number) =>
    at < 0 ? now : Math.max(Math.min(now, at * size), (at + 1) * size - room);
  return {
    top: along(row, rowHeight, top, height - headHeight),
    left: along(column, columnWidth, left, width - headWidth),
  };
}
