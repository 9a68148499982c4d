import { openSecondHost, setTabBlocked, useSecondHost } from '../secondHost/secondHost';
import { text as secondHostText } from '../secondHost/text';
import { useLab } from '../store/labStore';
import { askToErase } from './eraseQuestion';
import { text } from './text';

/** Messages of the lab itself, above the status bar, until they are dismissed. */
export function Notices() {
  const notices = useLab((state) => state.notices);
  const isTabBlocked = useSecondHost((state) => state.isTabBlocked);
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
      {isTabBlocked && (
        <div className="notice notice-warning">
          <span>{secondHostText.blocked}</span>
          <span className="notice-space" />
          <button type="button" onClick={openSecondHost}>
            {secondHostText.openHere}
          </button>
          <button type="button" onClick={() => setTabBlocked(false)}>
            {text.dismiss}
          </button>
        </div>
      )}
    </div>
  );
}
