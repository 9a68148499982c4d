/** How long the guest stood still, by three observers, in front of what others have published; a figure and its table. */
import type { MigrationSpan } from '../../workers/contract';
import type { MigrationPair } from './pairs';
import { text } from './text';

/** Published downtimes, ms: Clark et al., Live Migration of Virtual Machines, NSDI 2005; Users' Manual, ch. Migration. */
const QUAKE_MS = 60;
const SPECWEB_MS = 210;
const MANUAL_MS = [60, 300] as const;

const WIDTH = 560;
const ROW = 26;
const TOP = 34;
const LEFT = 86;
const RIGHT = 64;
const ticks = [1, 10, 100, 1000, 10_000];

interface Observed {
  readonly name: 'source' | 'destination' | 'guest';
  readonly span: MigrationSpan | null;
}

export function observedOf({ source, destination }: MigrationPair): readonly Observed[] {
  return [
    { name: 'source', span: source?.downtime ?? null },
    { name: 'destination', span: destination?.downtime ?? null },
    { name: 'guest', span: destination?.heartbeat ?? null },
  ];
}

const shortNames = { source: text.source, destination: text.destination, guest: 'Guest' };

/** The wall's clock where there is one: a guest that moves between two tabs has two virtual clocks. */
function measured(span: MigrationSpan | null): number | null {
  return span && (span.wallMs ?? span.virtualMs);
}

function x(ms: number): number {
  const share = Math.log10(Math.min(10_000, Math.max(1, ms))) / 4;
  return LEFT + share * (WIDTH - LEFT - RIGHT);
}

export function DowntimeFigure({ pair }: { pair: MigrationPair }) {
  const rows = observedOf(pair);
  const bottom = TOP + rows.length * ROW;
  const words = rows.map(({ name, span }) => {
    const ms = measured(span);
    return `${shortNames[name]} ${ms === null ? text.notMeasured : text.milliseconds(ms)}`;
  });
  return (
    <svg
      className="downtime-figure"
      viewBox={`0 0 ${WIDTH} ${bottom + 20}`}
      role="img"
      aria-label={`${text.downtime}: ${words.join('; ')}. ${text.published}: 60 ms, 210 ms, 60–300 ms.`}
    >
      <rect
        className="published-band"
        x={x(MANUAL_MS[0])}
        width={x(MANUAL_MS[1]) - x(MANUAL_MS[0])}
        y={TOP - 4}
        height={bottom - TOP + 4}
      />
      {[QUAKE_MS, SPECWEB_MS].map((ms) => (
        <line key={ms} className="published-line" x1={x(ms)} x2={x(ms)} y1={TOP - 4} y2={bottom} />
      ))}
      <text className="published-name" x={x(QUAKE_MS) - 4} y={TOP - 10} textAnchor="end">
        Quake 3, 60 ms
      </text>
      <text className="published-name" x={x(SPECWEB_MS) + 4} y={TOP - 10}>
        SPECweb99, 210 ms
      </text>
      <text className="published-name" x={(x(MANUAL_MS[0]) + x(MANUAL_MS[1])) / 2} y={TOP - 22} textAnchor="middle">
        Users’ Manual, 60–300 ms
      </text>
      {ticks.map((ms) => (
        <g key={ms}>
          <line className="axis-tick" x1={x(ms)} x2={x(ms)} y1={bottom} y2={bottom + 4} />
          <text className="axis-label" x={x(ms)} y={bottom + 16} textAnchor="middle">
            {ms >= 1000 ? `${ms / 1000} s` : `${ms} ms`}
          </text>
        </g>
      ))}
      <line className="axis-tick" x1={LEFT} x2={WIDTH - RIGHT} y1={bottom} y2={bottom} />
      {rows.map(({ name, span }, i) => {
        const ms = measured(span);
        const y = TOP + i * ROW;
        return (
          <g key={name}>
            <text className="bar-name" x={LEFT - 8} y={y + 15} textAnchor="end">
              {shortNames[name]}
            </text>
            {ms !== null && (
              <rect className="own-bar" x={LEFT} width={Math.max(2, x(ms) - LEFT)} y={y + 4} height={ROW - 12} />
            )}
            <text className="bar-value" x={ms === null ? LEFT + 6 : x(ms) + 6} y={y + 15}>
              {ms === null ? text.notMeasured : text.milliseconds(ms)}
            </text>
          </g>
        );
      })}
    </svg>
  );
}

export function DowntimeTable({ pair }: { pair: MigrationPair }) {
  const value = (ms: number | null | undefined) =>
    ms === null || ms === undefined ? text.notMeasured : text.milliseconds(ms);
  return (
    <>
      <table className="facts-table">
        <caption>{text.downtimeCaption}</caption>
        <thead>
          <tr>
            <th scope="col">{text.downtime}</th>
            <th scope="col" className="number" title={text.virtualHint}>
              {text.virtual}
            </th>
            <th scope="col" className="number" title={text.wallHint}>
              {text.wall}
            </th>
          </tr>
        </thead>
        <tbody>
          {observedOf(pair).map(({ name, span }) => (
            <tr key={name}>
              <th scope="row">{text.observers[name]}</th>
              <td className="number">{value(span?.virtualMs)}</td>
              <td className="number">{value(span?.wallMs)}</td>
            </tr>
          ))}
          {(
            [
              [text.figures.quake, `${QUAKE_MS} ms`],
              [text.figures.specweb, `${SPECWEB_MS} ms`],
              [text.figures.manual, `${MANUAL_MS.join('–')} ms`],
            ] as const
          ).map(([name, ms]) => (
            <tr key={name} className="quiet">
              <th scope="row">
                {text.published}: {name}
              </th>
              <td className="number">{text.dash}</td>
              <td className="number">{ms}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className="quiet small">{text.clocks}</p>
    </>
  );
}
