import { X } from 'lucide-react';
import { useEffect, useRef } from 'react';
import { IconButton } from '../ui/IconButton';
import { cycleFocus } from '../workbench/layout';
import { embeddedAddress, type FromFrame, listenTo, tellFrame } from './messages';
import { closeSecondHost, type SecondHost, secondHostGone, secondHostNamed } from './secondHost';
import { text } from './text';

/** A machine that has not answered by then is switched off as by closing its tab. */
const STOP_MS = 2000;

/** The same app in a frame: a worker, a lock, a number and disks of its own, as in a tab. */
export function SecondHostPane({ host }: { host: Exclude<SecondHost, { phase: 'closed' }> }) {
  const frame = useRef<HTMLIFrameElement>(null);
  const isStopping = host.phase === 'stopping';
  useEffect(
    () =>
      listenTo<FromFrame>(
        () => frame.current?.contentWindow,
        (message) => {
          if (message.type === 'xen-lab/name') secondHostNamed(message.name);
          else if (message.type === 'xen-lab/stopped') secondHostGone();
          else if (message.type === 'xen-lab/leave') cycleFocus(message.to);
        },
      ),
    [],
  );
  useEffect(() => {
    if (!isStopping || !frame.current) return undefined;
    tellFrame(frame.current, { type: 'xen-lab/stop' });
    const timer = setTimeout(secondHostGone, STOP_MS);
    return () => clearTimeout(timer);
  }, [isStopping]);
  return (
    <section className="second-host" aria-label={text.frame(host.name)}>
      <header>
        <h2>{text.title(host.name)}</h2>
        <span className="quiet">{isStopping ? text.stopping : text.note}</span>
        <IconButton icon={X} label={text.close(host.name)} onClick={closeSecondHost} />
      </header>
      <iframe
        ref={frame}
        data-second-host=""
        title={text.frame(host.name)}
        src={embeddedAddress()}
        onLoad={() => frame.current?.focus()}
      />
    </section>
  );
}
