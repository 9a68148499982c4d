import { type KeyboardEvent, useState } from 'react';
import type { PolicyLabelView, PolicyReading } from '../../../workers/contract';
import { useBench } from '../bench';
import { text } from '../text';
import { Broken } from './Broken';
import { SHARE, TOGETHER } from './bits';
import { explainPair } from './explainPair';
import { MatrixOverview } from './MatrixOverview';

/** More rows or columns than this are no table that anybody reads. */
const MOST = 40;

interface Cell {
  readonly row: number;
  readonly column: number;
}

export function MatrixView() {
  const reading = useBench((state) => state.analysis?.policy);
  const [filter, setFilter] = useState('');
  const [cell, setCell] = useState<Cell>();
  if (!reading) return <Broken />;
  const isShown = ({ name }: PolicyLabelView) => name.toLowerCase().includes(filter.toLowerCase());
  const all = reading.labels.map((label, at) => ({ label, at }));
  const found = all.filter(({ label }) => isShown(label));
  const vms = found.filter(({ at }) => at < reading.vmLabels).map(({ at }) => at);
  const resources = found.filter(({ at }) => at >= reading.vmLabels).map(({ at }) => at);
  const isTooLarge = vms.length > MOST || resources.length > MOST;
  const props = { reading, rows: vms.slice(0, MOST), cell, onChoose: setCell };
  return (
    <div className="matrix-view">
      <div className="view-head">
        <input
          type="search"
          aria-label={text.filter}
          placeholder={text.filter}
          value={filter}
          onChange={(event) => setFilter(event.target.value)}
        />
        <ul className="legend">
          {text.matrix.legend.map(([sign, meaning]) => (
            <li key={sign}>
              <span className="sign" aria-hidden="true">
                {sign}
              </span>
              {meaning}
            </li>
          ))}
        </ul>
      </div>
      {isTooLarge && (
        <p className="warning small">{text.matrix.more(Math.min(MOST, vms.length), reading.labels.length)}</p>
      )}
      <div className="matrix-body">
        <div className="matrix-tables">
          {isTooLarge && <MatrixOverview reading={reading} onChoose={setCell} />}
          <Table {...props} columns={vms.slice(0, MOST)} label={text.matrix.shares} />
          {resources.length > 0 && (
            <Table {...props} columns={resources.slice(0, MOST)} label={text.matrix.resources} />
          )}
        </div>
        <Explanation reading={reading} cell={cell} />
      </div>
    </div>
  );
}

interface TableProps {
  readonly reading: PolicyReading;
  readonly rows: readonly number[];
  readonly columns: readonly number[];
  readonly label: string;
  readonly cell: Cell | undefined;
  readonly onChoose: (cell: Cell) => void;
}

/** A grid: one stop of the Tab key, arrow keys inside. */
function Table({ reading, rows, columns, label, cell, onChoose }: TableProps) {
  const selected = useBench((state) => state.label);
  const { select } = useBench.getState();
  const names = reading.labels;
  const isHere = cell !== undefined && rows.includes(cell.row) && columns.includes(cell.column);
  const onKeyDown = (event: KeyboardEvent<HTMLTableElement>) => {
    const moves: Record<string, readonly [number, number]> = {
      ArrowUp: [-1, 0],
      ArrowDown: [1, 0],
      ArrowLeft: [0, -1],
      ArrowRight: [0, 1],
    };
    const move = moves[event.key];
    const target = event.target as HTMLElement;
    if (!move || target.dataset['row'] === undefined) return;
    event.preventDefault();
    const row = rows.indexOf(Number(target.dataset['row'])) + move[0];
    const column = columns.indexOf(Number(target.dataset['column'])) + move[1];
    if (rows[row] === undefined || columns[column] === undefined) return;
    onChoose({ row: rows[row], column: columns[column] });
    const query = `[data-row="${rows[row]}"][data-column="${columns[column]}"]`;
    event.currentTarget.querySelector<HTMLElement>(query)?.focus();
  };
  return (
    <table className="matrix" aria-label={label} onKeyDown={onKeyDown}>
      <caption>{label}</caption>
      <thead>
        <tr>
          <td />
          {columns.map((column) => (
            <th key={column} scope="col" className={names[column]!.name === selected ? 'selected' : undefined}>
              <span>{names[column]!.name}</span>
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row, rowAt) => (
          <tr key={row}>
            <th scope="row" className={names[row]!.name === selected ? 'selected' : undefined}>
              <button
                type="button"
                className="plain"
                tabIndex={-1}
                onClick={() => select(names[row]!.name, names[row]!.line)}
              >
                {names[row]!.name}
              </button>
            </th>
            {columns.map((column, columnAt) => {
              const bits = reading.cells[row * names.length + column]!;
              const isChosen = cell?.row === row && cell.column === column;
              const isStop = isHere ? isChosen : rowAt === 0 && columnAt === 0;
              return (
                <td key={column} className={classOf(bits, column < reading.vmLabels)}>
                  <button
                    type="button"
                    data-row={row}
                    data-column={column}
                    tabIndex={isStop ? 0 : -1}
                    aria-pressed={isChosen}
                    aria-label={cellLabel(names[row]!, names[column]!, bits, column < reading.vmLabels)}
                    onClick={() => onChoose({ row, column })}
                  >
                    {signOf(bits, column < reading.vmLabels)}
                  </button>
                </td>
              );
            })}
          </tr>
        ))}
      </tbody>
    </table>
  );
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

function Explanation({ reading, cell }: { reading: PolicyReading; cell: Cell | undefined }) {
  const row = cell && reading.labels[cell.row];
  const column = cell && reading.labels[cell.column];
  if (!cell || !row || !column) return <p className="quiet small beside">{text.matrix.hint}</p>;
  const bits = reading.cells[cell.row * reading.labels.length + cell.column]!;
  const [title, ...lines] = explainPair(row, column, bits, reading.conflictSets);
  return (
    <output className="explanation beside">
      <strong>{title}</strong>
      {lines.map((line) => (
        <span key={line}>{line}</span>
      ))}
    </output>
  );
}
