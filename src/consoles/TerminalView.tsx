import '@xterm/xterm/css/xterm.css';
import { useEffect, useRef } from 'react';
import type { TerminalElement, TerminalSession } from './sessions';

/** Shows a session and keeps its size; the session itself belongs to TerminalSessions. */
export function TerminalView({ session }: { session: TerminalSession }) {
  const host = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element: TerminalElement | null = host.current;
    if (!element) return;
    session.attach(element);
    const observer = new ResizeObserver(() => session.fit());
    observer.observe(element);
    return () => observer.disconnect();
  }, [session]);
  return (
    <section className="terminal" aria-label={session.label}>
      <div className="terminal-host" ref={host} data-testid="terminal" />
    </section>
  );
}
