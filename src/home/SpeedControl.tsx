import { useLab } from '../store/labStore';
import { useLabHandle } from '../worker/LabContext';
import { text } from './text';

export const speeds = [0, 0.01, 0.1, 1, 10, Number.POSITIVE_INFINITY] as const;

export function SpeedControl() {
  const { api } = useLabHandle();
  const speed = useLab((state) => state.host?.speed ?? 1);
  return (
    <section aria-labelledby="home-speed">
      <h2 id="home-speed">{text.speed}</h2>
      <fieldset className="segments" aria-labelledby="home-speed">
        {speeds.map((value) => (
          <button key={value} type="button" aria-pressed={speed === value} onClick={() => void api.setSpeed(value)}>
            {text.speeds[String(value)]}
          </button>
        ))}
      </fieldset>
      <p className="quiet small">{text.speedHint}</p>
    </section>
  );
}
