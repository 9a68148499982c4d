/* biome-ignore-all lint/a11y/useSemanticElements: only the part in view is drawn, which a table cannot do */
/* biome-ignore-all lint/a11y/useKeyWithClickEvents: the grid has the keys of all its cells */
/* biome-ignore-all lint/a11y/useFocusableInteractive: of a row the cells have the focus */
import { memo } from 'react';
import type { PolicyLabelView, PolicyReading } from '../../../workers/contract';
import { useBench } from '../bench';
import { text } from '../text';
import { SHARE, TOGETHER } from './bits';
import type { GridPlace } from './gridWindow';

/** Of one cell, in pixels; policy.css says the same. */
export const CELL = { ROW: 22, COLUMN: 24 };

interface RowProps {
  readonly reading: PolicyReading;
  readonly label: PolicyLabelView;
  readonly row: number;
  readonly columns: readonly number[];
  readonly shownColumns: string;
  readonly headHeight: number;
  readonly headWidth: number;
  readonly stop: number | undefined;
  readonly chosen: number | undefined;
  readonly onChoose: (place: GridPlace) => void;
  readonly onSelect: (place: GridPlace) => void;
}

/** A label with the pairs that are in view; drawn anew only when they change. */
export const MatrixRow = memo(function MatrixRow(props: RowProps) {
  const { reading, label, row, columns, shownColumns, headHeight, headWidth, stop, chosen, onChoose, onSelect } = props;
  const isSelected = useBench((state) => state.label === label.name);
  const { labels, vmLabels, cells } = reading;
  return (
    <div role="row" aria-rowindex={row + 2} className="matrix-row" style={{ top: headHeight + row * CELL.ROW }}>
      <span
        role="rowheader"
        aria-colindex={1}
        title={label.name}
        className={isSelected ? 'selected' : undefined}
        style={{ width: headWidth }}
        tabIndex={stop === -1 ? 0 : -1}
        onClick={() => onSelect({ row, column: -1 })}
      >
        {label.name}
      </span>
      {shownColumns.split(',').map((shown) => {
        const column = Number(shown);
        const other = columns[column];
        if (other === undefined) return null;
        const bits = cells[label.row * labels.length + other]!;
        const isVm = other < vmLabels;
        return (
          <span
            key={column}
            role="gridcell"
            aria-colindex={column + 2}
            aria-selected={chosen === other}
            aria-label={cellLabel(label, labels[other]!, bits, isVm)}
            className={classOf(bits, isVm)}
            style={{ left: headWidth + column * CELL.COLUMN }}
            tabIndex={stop === column ? 0 : -1}
            onClick={() => onChoose({ row, column })}
          >
            {signOf(bits, isVm)}
          </span>
        );
      })}
    </div>
  );
}, isSameRow);

/** What a row shows; its handlers mean the same from one drawing to the next. */
function isSameRow(a: RowProps, b: RowProps): boolean {
  const keys = [
    'reading',
    'label',
    'row',
    'columns',
    'shownColumns',
    'headHeight',
    'headWidth',
    'stop',
    'chosen',
  ] as const;
  return keys.every((key) => a[key] === b[key]);
}

function signOf(bits: number, isVm: boolean): string {
  const excluded = isVm && !(bits & TOGETHER) ? '×' : '';
  return `${bits & SHARE ? '●' : excluded === '' ? '·' : ''}${excluded}`;
}

function classOf(bits: number, isVm: boolean): string {
  if (isVm && !(bits & TOGETHER)) return 'excluded';
  return bits & SHARE ? 'shares' : 'apart';
}

function cellLabel(row: PolicyLabelView, column: PolicyLabelView, bits: number, isVm: boolean): string {
  const share = bits & SHARE ? text.matrix.legend[0][1] : text.matrix.legend[1][1];
  const wall = isVm && !(bits & TOGETHER) ? `, ${text.matrix.legend[2][1]}` : '';
  return `${row.name} – ${isVm ? '' : 'resource '}${column.name}: ${share}${wall}`;
}
