import { quoteWord } from '../domains/commands';
import { isEmbedded } from '../secondHost/messages';
import { openSecondHost, openTab } from '../secondHost/secondHost';
import { useLab } from '../store/labStore';
import { TypedCommand } from './TypedCommand';
import { text } from './text';

const CREATE = 'xm create /dev/null kernel=/boot/vmlinuz-2.6.18-xenU memory=64 name=guest';

/** What to type for a first migration. */
export function Guide() {
  const host = useLab((state) => state.host?.name);
  const name = useLab((state) => Object.values(state.domains).find(({ domid }) => domid !== 0)?.name);
  const other = host === 'host2' ? 'host1' : 'host2';
  return (
    <section className="migration-guide" aria-labelledby="migration-guide">
      <h2 id="migration-guide">{text.guide.heading}</h2>
      <ol>
        <li>
          <p>{text.guide.create}</p>
          <TypedCommand command={CREATE} />
        </li>
        <li>
          <p>{text.guide.host}</p>
          {!isEmbedded() && (
            <div className="buttons">
              <button type="button" onClick={openTab}>
                {text.guide.hostButton}
              </button>
              <button type="button" onClick={openSecondHost}>
                {text.guide.hostHereButton}
              </button>
            </div>
          )}
        </li>
        <li>
          <p>{text.guide.migrate}</p>
          <TypedCommand command={`xm migrate --live ${quoteWord(name ?? 'guest')} ${other}`} />
        </li>
      </ol>
      <p className="quiet">{text.guide.after}</p>
    </section>
  );
}
