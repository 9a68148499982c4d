import { useMemo, useState } from 'react';
import type { PolicyReading } from '../../../workers/contract';
import { useBench } from '../bench';
import { text } from '../text';
import { Broken } from './Broken';
import { explainPair } from './explainPair';
import { type Cell, MatrixGrid } from './MatrixGrid';
import { MatrixOverview } from './MatrixOverview';

/** With more rows or columns than this a picture of the whole stands above the grids. */
const LARGE = 40;

export function MatrixView() {
  const reading = useBench((state) => state.analysis?.policy);
  const [filter, setFilter] = useState('');
  const [cell, setCell] = useState<Cell>();
  const { vms, resources } = useMemo(() => found(reading, filter), [reading, filter]);
  if (!reading) return <Broken />;
  const { vmLabels, labels } = reading;
  const isLarge = vmLabels > LARGE || labels.length - vmLabels > LARGE;
  const props = { reading, rows: vms, cell, onChoose: setCell };
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
      <div className={isLarge ? 'matrix-body large' : 'matrix-body'}>
        <div className="matrix-tables">
          {isLarge && <MatrixOverview reading={reading} onChoose={setCell} />}
          {vms.length === 0 && <p className="quiet">{text.matrix.none}</p>}
          {vms.length > 0 && <MatrixGrid {...props} columns={vms} label={text.matrix.shares} />}
          {vms.length > 0 && resources.length > 0 && (
            <MatrixGrid {...props} columns={resources} label={text.matrix.resources} />
          )}
        </div>
        <Explanation reading={reading} cell={cell} />
      </div>
    </div>
  );
}

/** Numbers of the labels with these letters in their names. */
function found(reading: PolicyReading | undefined, filter: string) {
  const numbers = (reading?.labels ?? []).flatMap(({ name }, at) =>
    name.toLowerCase().includes(filter.toLowerCase()) ? [at] : [],
  );
  const vmLabels = reading?.vmLabels ?? 0;
  return { vms: numbers.filter((at) => at < vmLabels), resources: numbers.filter((at) => at >= vmLabels) };
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
