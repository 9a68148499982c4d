/* biome-ignore-all lint/a11y/useSemanticElements: only the part in view is drawn, which a table cannot do */
/* biome-ignore-all lint/a11y/useKeyWithClickEvents: the grid has the keys of all its cells */
/* biome-ignore-all lint/a11y/useFocusableInteractive: of a row the cells have the focus */
import { type KeyboardEvent, useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';
import type { PolicyLabelView, PolicyReading } from '../../../workers/contract';
import { useBench } from '../bench';
import { text } from '../text';
import {
  columnsInView,
  type GridPlace,
  type GridSize,
  type GridView,
  numbersOf,
  placeAfterKey,
  rowsInView,
  scrollTo,
  within,
} from './gridWindow';
import { CELL, MatrixRow } from './MatrixRow';

/** A pair of labels, by their numbers in the policy. */
export interface Cell {
  readonly row: number;
  readonly column: number;
}

interface Props {
  readonly reading: PolicyReading;
  /** Numbers of the labels that are shown. */
  readonly rows: readonly number[];
  readonly columns: readonly number[];
  readonly label: string;
  readonly cell: Cell | undefined;
  readonly onChoose: (cell: Cell) => void;
}

const { ROW, COLUMN } = CELL;
/** Before anything is laid out. */
const START: GridView = { top: 0, left: 0, width: 800, height: 500 };

/** All pairs of a policy, of which those in view are drawn: one stop of the Tab key, arrow keys inside. */
export function MatrixGrid({ reading, rows, columns, label, cell, onChoose }: Props) {
  const { labels } = reading;
  const grid = useRef<HTMLDivElement>(null);
  const [view, setView] = useState(START);
  const [wanted, setActive] = useState<GridPlace>({ row: 0, column: 0 });
  const isMoving = useRef(false);
  const size = sizeOf(labels, rows, columns);
  const active = within(wanted, size);
  const { select } = useBench.getState();

  const look = useCallback(() => {
    const element = grid.current;
    if (!element || element.clientHeight === 0) return;
    const { scrollTop: top, scrollLeft: left, clientWidth: width, clientHeight: height } = element;
    setView((was) =>
      was.top === top && was.left === left && was.width === width && was.height === height
        ? was
        : { top, left, width, height },
    );
  }, []);
  useLayoutEffect(look);
  useEffect(() => {
    const observer = new ResizeObserver(look);
    if (grid.current) observer.observe(grid.current);
    return () => observer.disconnect();
  }, [look]);

  const show = (place: GridPlace) => {
    setActive(place);
    const element = grid.current;
    if (!element || element.clientHeight === 0) return;
    const { scrollTop: top, scrollLeft: left, clientWidth: width, clientHeight: height } = element;
    const to = scrollTo(place, size, { top, left, width, height });
    element.scrollTop = to.top;
    element.scrollLeft = to.left;
  };
  // A pair that was chosen elsewhere comes into view.
  const at = cell && { row: rows.indexOf(cell.row), column: columns.indexOf(cell.column) };
  const isElsewhere = at && at.row >= 0 && at.column >= 0 && (at.row !== wanted.row || at.column !== wanted.column);
  // Once for each choice, wherever one goes afterwards.
  useEffect(() => {
    if (isElsewhere) show(at);
  }, [cell]);
  // So does a label that is selected elsewhere, as far as the grid itself scrolls.
  const selected = useBench((state) => state.label);
  useEffect(() => {
    const element = grid.current;
    const row = selected === undefined ? -1 : rows.findIndex((at) => labels[at]?.name === selected);
    if (!element || row < 0 || element.contains(document.activeElement)) return;
    const { scrollTop: top, scrollLeft: left, clientWidth: width, clientHeight: height } = element;
    element.scrollTop = scrollTo({ row, column: -1 }, size, { top, left, width, height }).top;
  }, [selected]);
  useEffect(() => {
    if (!isMoving.current) return;
    isMoving.current = false;
    const stop = grid.current?.querySelector<HTMLElement>('[tabindex="0"]');
    stop?.focus({ preventScroll: true });
    // Of the pane as well; `scrollPadding` keeps it from below the headers.
    stop?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  });

  const choose = (place: GridPlace) => {
    setActive(place);
    const [row, column] = [rows[place.row], columns[place.column]];
    if (row !== undefined && column !== undefined) onChoose({ row, column });
  };
  const selectHeader = ({ row, column }: GridPlace) => {
    const found = labels[(row < 0 ? columns[column] : rows[row]) ?? -1];
    if (found) select(found.name, found.line);
  };
  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>) => {
    if (event.altKey || event.metaKey || event.shiftKey) return;
    const isHeader = active.row < 0 || active.column < 0;
    if (isHeader && (event.key === 'Enter' || event.key === ' ')) {
      event.preventDefault();
      selectHeader(active);
      return;
    }
    const page = Math.max(1, Math.floor((view.height - size.headHeight) / ROW) - 1);
    const next = placeAfterKey(event, active, size, page);
    if (!next) return;
    event.preventDefault();
    isMoving.current = true;
    show(next);
    choose(next);
  };

  const shownColumns = numbersOf(columnsInView(size, view), active.column);
  const shownRows = numbersOf(rowsInView(size, view), active.row);
  const width = size.headWidth + columns.length * COLUMN;
  return (
    <section className="matrix-part">
      <p className="quiet small">{text.matrix.size(label, rows.length, columns.length)}</p>
      <div
        ref={grid}
        className="matrix"
        role="grid"
        aria-label={label}
        aria-rowcount={rows.length + 1}
        aria-colcount={columns.length + 1}
        style={{ scrollPaddingTop: size.headHeight, scrollPaddingLeft: size.headWidth }}
        onScroll={look}
        onKeyDown={onKeyDown}
      >
        <div role="none" style={{ position: 'relative', width, height: size.headHeight + rows.length * ROW }}>
          <ColumnHeads
            {...{ labels, columns, shownColumns, size }}
            stop={active.row < 0 ? active.column : undefined}
            onSelect={(column) => {
              setActive({ row: -1, column });
              selectHeader({ row: -1, column });
            }}
          />
          {shownRows.map((row) => (
            <MatrixRow
              key={rows[row]}
              reading={reading}
              label={labels[rows[row]!]!}
              row={row}
              columns={columns}
              shownColumns={shownColumns.join()}
              headHeight={size.headHeight}
              headWidth={size.headWidth}
              stop={active.row === row ? active.column : undefined}
              chosen={cell && rows[row] === cell.row ? cell.column : undefined}
              onChoose={choose}
              onSelect={selectHeader}
            />
          ))}
        </div>
      </div>
    </section>
  );
}

function sizeOf(labels: readonly PolicyLabelView[], rows: readonly number[], columns: readonly number[]): GridSize {
  const longest = (shown: readonly number[]) => shown.reduce((most, at) => Math.max(most, labels[at]!.name.length), 0);
  return {
    rows: rows.length,
    columns: columns.length,
    rowHeight: ROW,
    columnWidth: COLUMN,
    headHeight: Math.min(104, Math.max(40, longest(columns) * 6.6 + 14)),
    headWidth: Math.min(170, Math.max(60, longest(rows) * 6.8 + 16)),
  };
}

interface HeadsProps {
  readonly labels: readonly PolicyLabelView[];
  readonly columns: readonly number[];
  readonly shownColumns: readonly number[];
  readonly size: GridSize;
  readonly stop: number | undefined;
  readonly onSelect: (column: number) => void;
}

function ColumnHeads({ labels, columns, shownColumns, size, stop, onSelect }: HeadsProps) {
  const selected = useBench((state) => state.label);
  return (
    <div role="row" aria-rowindex={1} className="matrix-heads" style={{ height: size.headHeight }}>
      <span className="matrix-corner" aria-hidden="true" style={{ width: size.headWidth }} />
      {shownColumns.map((column) => {
        const { name } = labels[columns[column]!]!;
        return (
          <span
            key={column}
            role="columnheader"
            aria-colindex={column + 2}
            title={name}
            className={name === selected ? 'selected' : undefined}
            style={{ left: size.headWidth + column * COLUMN, width: COLUMN, height: size.headHeight }}
            tabIndex={stop === column ? 0 : -1}
            onClick={() => onSelect(column)}
          >
            <span style={{ maxHeight: size.headHeight - 4 }}>{name}</span>
          </span>
        );
      })}
    </div>
  );
}
