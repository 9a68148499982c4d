import { useLab } from '../store/labStore';
import { text } from './text';

const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1);

/** What the machine fetches for a guest that is started for the first time: a bar for each file, as long as it takes. */
export function Downloads() {
  const downloads = useLab((state) => state.downloads);
  if (downloads.length === 0) return null;
  return (
    <div className="notices">
      {downloads.map(({ name, loadedBytes, totalBytes }) => (
        <label key={name} className="notice download">
          <span>{text.fetching(name)}</span>
          <progress value={loadedBytes} max={totalBytes} />
          <span>{text.fetched(megabytes(loadedBytes), megabytes(totalBytes))}</span>
        </label>
      ))}
    </div>
  );
}
