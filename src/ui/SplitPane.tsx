/** Two panes side by side, or the left one alone; the line between them is moved with the pointer or the arrow keys. */
import { type KeyboardEvent, type PointerEvent, type ReactNode, useRef, useState } from 'react';

interface Props {
  readonly left: ReactNode;
  /** Null: the left pane has all the room, and keeps its state. */
  readonly right: ReactNode | null;
  /** The accessible name of the line. */
  readonly label: string;
  /** Percent of the left pane at first. */
  readonly initial?: number;
}

const STEP = 4;
const LEAST = 12;

export function SplitPane({ left, right, label, initial = 50 }: Props) {
  const [percent, setPercent] = useState(initial);
  const frame = useRef<HTMLDivElement>(null);
  const set = (value: number) => setPercent(Math.round(Math.min(100 - LEAST, Math.max(LEAST, value))));
  const drag = (event: PointerEvent) => {
    const box = frame.current?.getBoundingClientRect();
    if (box && event.currentTarget.hasPointerCapture(event.pointerId))
      set(((event.clientX - box.left) / box.width) * 100);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowLeft' ? -STEP : event.key === 'ArrowRight' ? STEP : 0;
    if (step === 0) return;
    event.preventDefault();
    set(percent + step);
  };
  return (
    <div
      className="split-pane"
      ref={frame}
      style={{ gridTemplateColumns: right === null ? 'minmax(0, 1fr)' : `${percent}% 7px minmax(0, 1fr)` }}
    >
      <div className="split-side">{left}</div>
      {right !== null && (
        <>
          {/* biome-ignore lint/a11y/useSemanticElements: hr cannot be focused or moved */}
          <div
            role="separator"
            aria-orientation="vertical"
            aria-label={label}
            aria-valuenow={percent}
            aria-valuemin={LEAST}
            aria-valuemax={100 - LEAST}
            tabIndex={0}
            className="split-line"
            onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
            onPointerMove={drag}
            onKeyDown={onKeyDown}
          />
          <div className="split-side">{right}</div>
        </>
      )}
    </div>
  );
}
