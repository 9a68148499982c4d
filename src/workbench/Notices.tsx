import { useLab } from '../store/labStore';
import { askToErase } from './eraseQuestion';
import { text } from './text';

/** Messages of the lab itself, above the status bar, until they are dismissed. */
export function Notices() {
  const notices = useLab((state) => state.notices);
  const dismiss = useLab((state) => state.dismissNotice);
  return (
    <div className="notices" role="log" aria-label={text.notices}>
      {notices.map((notice) => (
        <div key={notice.id} className={`notice notice-${notice.level}`}>
          <span>{notice.text}</span>
          <span className="notice-space" />
          {notice.offers === 'eraseDisks' && (
            <button type="button" onClick={askToErase}>
              {text.erase.button}
            </button>
          )}
          <button type="button" onClick={() => dismiss(notice.id)}>
            {text.dismiss}
          </button>
        </div>
      ))}
    </div>
  );
}
