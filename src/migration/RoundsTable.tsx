import type { MigrationRound } from '../../workers/contract';
import { type MigrationPair, mainOf } from './pairs';
import { text } from './text';

/** A row for each round: numbers with bars behind them. */
export function RoundsTable({ pair }: { pair: MigrationPair }) {
  const main = mainOf(pair);
  const { rounds, role } = main;
  const most = Math.max(1, ...rounds.flatMap(({ sent, skipped, dirtied }) => [sent, skipped ?? 0, dirtied ?? 0]));
  const { columns } = text;
  if (rounds.length === 0) return <p className="quiet">{text.noRounds}</p>;
  return (
    <>
      <table className="facts-table rounds">
        <caption>{text.roundsCaption}</caption>
        <thead>
          <tr>
            <th scope="col">{columns.round}</th>
            <th scope="col">{role === 'source' ? columns.sent : columns.arrived}</th>
            <th scope="col">{columns.skipped}</th>
            <th scope="col">{columns.dirtied}</th>
            <th scope="col" className="number" title={text.virtualHint}>
              {columns.time}
            </th>
            <th scope="col" className="number" title={text.wallHint}>
              {columns.wall}
            </th>
            <th scope="col" className="number">
              {columns.speed}
            </th>
          </tr>
        </thead>
        <tbody>
          {rounds.map((round) => (
            <Row key={round.iteration} round={round} most={most} />
          ))}
        </tbody>
      </table>
      {role === 'destination' && <p className="quiet small">{text.sourceOnly}</p>}
    </>
  );
}

function Row({ round, most }: { round: MigrationRound; most: number }) {
  const { iteration, sent, skipped, dirtied, span, mbitPerS, isLast } = round;
  return (
    <tr className={isLast ? 'last-round' : undefined}>
      <th scope="row">
        {iteration === 0 ? text.unknownRound : iteration}
        {isLast && <span className="round-mark">{text.lastMark}</span>}
      </th>
      <Bar kind="sent" value={sent} most={most} />
      <Bar kind="skipped" value={skipped} most={most} />
      <Bar kind="dirtied" value={isLast ? null : dirtied} most={most} />
      <td className="number">{text.milliseconds(span.virtualMs)}</td>
      <td className="number">{span.wallMs === null ? text.dash : text.milliseconds(span.wallMs)}</td>
      <td className="number">{mbitPerS === null ? text.noTime : text.pages(Math.round(mbitPerS))}</td>
    </tr>
  );
}

function Bar({ kind, value, most }: { kind: 'sent' | 'skipped' | 'dirtied'; value: number | null; most: number }) {
  if (value === null) return <td className="bar-cell quiet">{text.dash}</td>;
  const share = Math.log1p(value) / Math.log1p(most);
  return (
    <td className="bar-cell">
      <span className="bar-number">{text.pages(value)}</span>
      <span className={`round-bar round-bar-${kind}`} style={{ width: `${share * 100}%` }} aria-hidden="true" />
    </td>
  );
}
