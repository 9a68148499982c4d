/** Mbit/s over the time of a migration: a line for what was sent, steps for what the guest dirtied in each round. */
import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { MigrationRecord } from '../../workers/contract';
import { useTheme } from '../ui/theme';
import { text } from './text';

const HEIGHT = 150;
const PAGE_KBIT = 32.768;

/** Times and the two curves over them; a curve has null where it says nothing. */
export function curvesOf({ rates, rounds }: MigrationRecord): uPlot.AlignedData {
  const sent: uPlot.AlignedData = [rates.map(({ atMs }) => atMs), rates.map(({ mbitPerS }) => mbitPerS)];
  const live = rounds.filter(({ dirtied, isLast, span }) => dirtied !== null && !isLast && span.virtualMs > 0);
  const dirtied: uPlot.AlignedData = [
    live.map(({ endedMs }) => endedMs),
    live.map((round) => (round.dirtied! * PAGE_KBIT) / round.span.virtualMs),
  ];
  return uPlot.join([sent, dirtied]);
}

export function RatePlot({ record }: { record: MigrationRecord }) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const theme = useTheme((state) => state.theme);
  const data = curvesOf(record);
  const latest = useRef(data);
  latest.current = data;
  const isArrival = record.role === 'destination';
  const isEmpty = record.rates.length === 0;
  useEffect(() => {
    const element = place.current;
    // Without a canvas (in tests) the words and the table are all there is.
    if (!element || isEmpty || typeof Path2D === 'undefined') return undefined;
    plot.current = new uPlot(optionsFor(element, isArrival), latest.current, element);
    const observer = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height: HEIGHT }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.current?.destroy();
      plot.current = undefined;
    };
  }, [isArrival, isEmpty, theme]);
  useEffect(() => plot.current?.setData(data));
  if (isEmpty) return <p className="quiet">{text.noRates}</p>;
  return <div ref={place} className="rate-plot" role="img" aria-label={text.rateCaption} />;
}

function optionsFor(element: HTMLElement, isArrival: boolean): uPlot.Options {
  const style = getComputedStyle(element);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const axis = {
    stroke: colour('--muted'),
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { stroke: colour('--line'), width: 1 },
    font: '11px system-ui, sans-serif',
  };
  return {
    width: element.clientWidth,
    height: HEIGHT,
    scales: { x: { time: false } },
    cursor: { drag: { x: false, y: false } },
    legend: { live: false },
    axes: [
      { ...axis, size: 28, values: (_plot, values) => values.map((value) => `${value} ${text.rateTime}`) },
      { ...axis, size: 56 },
    ],
    series: [
      {},
      {
        label: isArrival ? text.rateArrived : text.rateSent,
        stroke: colour('--accent'),
        width: 2,
        spanGaps: true,
        points: { show: false },
      },
      {
        label: text.rateDirtied,
        stroke: colour('--warn'),
        width: 2,
        dash: [5, 4],
        spanGaps: true,
        points: { show: true, size: 5, fill: colour('--warn') },
        paths: uPlot.paths.stepped!({ align: -1 }),
      },
    ],
  };
}
