import { type ReactNode, useEffect, useRef } from 'react';
import { SecondHostPane } from './secondHost/SecondHostPane';
import { useSecondHost } from './secondHost/secondHost';
import { text as secondHostText } from './secondHost/text';
import { useLab } from './store/labStore';
import { ErrorBoundary } from './ui/ErrorBoundary';
import { SplitPane } from './ui/SplitPane';
import { text } from './workbench/text';
import { Workbench } from './workbench/Workbench';
import { type Connect, LabProvider, useLabHandle } from './worker/LabContext';

export function App({ connect }: { connect: Connect }) {
  return (
    <ErrorBoundary fallback={(message) => <Stopped reason={message} onRestart={() => location.reload()} />}>
      <Machines>
        <LabProvider connect={connect}>
          <Workbench />
          <CrashDialog />
        </LabProvider>
      </Machines>
    </ErrorBoundary>
  );
}

/** This page's machine, and the second host beside it: outside of the first one's provider, which starts anew with it. */
function Machines({ children }: { children: ReactNode }) {
  const host = useSecondHost((state) => state.host);
  return (
    <SplitPane
      label={secondHostText.split}
      left={<div className="page">{children}</div>}
      right={host.phase === 'closed' ? null : <SecondHostPane host={host} />}
    />
  );
}

/** Shown when the worker itself has failed; everything behind it is a picture of a machine that is gone. */
function CrashDialog() {
  const machine = useLab((state) => state.machine);
  const { restart } = useLabHandle();
  if (machine.phase !== 'failed') return null;
  return <Stopped reason={machine.reason} onRestart={restart} />;
}

function Stopped({ reason, onRestart }: { reason: string; onRestart: () => void }) {
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => button.current?.focus(), []);
  return (
    <div className="curtain">
      <div role="alertdialog" aria-modal="true" aria-labelledby="crash-title" aria-describedby="crash-body">
        <h2 id="crash-title">{text.crashHeading}</h2>
        <div id="crash-body">
          <p>{text.crashBody}</p>
          <pre>{reason}</pre>
        </div>
        <button type="button" className="primary" ref={button} onClick={onRestart}>
          {text.restartMachine}
        </button>
      </div>
    </div>
  );
}
