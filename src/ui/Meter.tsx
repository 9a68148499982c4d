/** A small bar from 0 to 100 percent. */
export function Meter({ percent, label }: { percent: number; label: string }) {
  const value = Math.max(0, Math.min(100, percent));
  return (
    <span className="meter" role="img" aria-label={`${label}: ${Math.round(value)} %`}>
      <span style={{ transform: `scaleX(${value / 100})` }} />
    </span>
  );
}
