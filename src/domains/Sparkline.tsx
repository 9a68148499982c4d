const width = 64;
const height = 18;

/** A small line of the last cpu percentages; `ceiling` is the percentage at the top edge. */
export function Sparkline({ values, ceiling }: { values: readonly number[]; ceiling: number }) {
  const step = width / 39;
  const points = values.map((value, index) => {
    const x = width - (values.length - 1 - index) * step;
    const y = height - 1 - (Math.min(value, ceiling) / ceiling) * (height - 2);
    return `${x.toFixed(1)},${y.toFixed(1)}`;
  });
  return (
    <svg className="sparkline" viewBox={`0 0 ${width} ${height}`} width={width} height={height} aria-hidden="true">
      <line x1="0" x2={width} y1={height - 0.5} y2={height - 0.5} className="sparkline-base" />
      <polyline points={points.join(' ')} className="sparkline-line" />
    </svg>
  );
}
