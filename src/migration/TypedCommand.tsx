import { useState } from 'react';
import { useLab } from '../store/labStore';
import { showPanel } from '../workbench/layout';
import { useLabHandle } from '../worker/LabContext';
import { text } from './text';

/** A command line for Domain-0, which the page types when it is asked to. */
export function TypedCommand({ command }: { command: string }) {
  const { terminals } = useLabHandle();
  const commandTyped = useLab((state) => state.commandTyped);
  const isOn = useLab((state) => state.host?.phase === 'running');
  const [isBusy, setBusy] = useState(false);
  const type = () => {
    const serial = terminals.serial();
    const isFree = serial.isAtEmptyPrompt();
    setBusy(!isFree);
    showPanel('terminal');
    serial.focus();
    if (!isFree) return;
    serial.type(`${command}\r`);
    commandTyped(command);
  };
  return (
    <div className="typed-command">
      <code className="step-command">
        <span className="prompt"># </span>
        {command}
      </code>
      <button type="button" onClick={type} disabled={!isOn} aria-label={`${text.typeIt}: ${command}`}>
        {text.typeIt}
      </button>
      {isBusy && (
        <p role="status" className="warning small">
          {text.busy}
        </p>
      )}
    </div>
  );
}
