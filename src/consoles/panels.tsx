/** The three panels that are terminals: the serial console, a shell in Domain-0, a domain's console. */
import type { IDockviewPanelProps } from 'dockview-react';
import { useEffect, useState } from 'react';
import { useLab } from '../store/labStore';
import { selectConsoleOf } from '../store/selectors';
import { consoleTitle } from '../workbench/layout';
import { useLabHandle } from '../worker/LabContext';
import { TerminalView } from './TerminalView';
import { text } from './text';

export function TerminalPanel() {
  return <TerminalView session={useLabHandle().terminals.serial()} />;
}

export function ShellPanel({ api }: IDockviewPanelProps) {
  const { terminals } = useLabHandle();
  return <TerminalView session={terminals.open(api.id, { kind: 'shell' }, text.shellLabel)} />;
}

export interface ConsoleParams {
  readonly domid: number;
  readonly name: string;
}

export function ConsolePanel({ api, params }: IDockviewPanelProps<ConsoleParams>) {
  const { terminals } = useLabHandle();
  const { domid, name } = params;
  const session = terminals.open(api.id, { kind: 'console', domid }, text.consoleLabel(name));
  const [hasEnded, setEnded] = useState(session.isClosed);
  const successor = useLab(selectConsoleOf(name));

  useEffect(() => {
    session.onClosed = () => setEnded(true);
    return () => {
      session.onClosed = undefined;
    };
  }, [session]);

  // A domain that was rebooted has its name and a new id: the pane follows it.
  useEffect(() => {
    if (!hasEnded || successor === undefined || successor === domid) return;
    session.reopen({ kind: 'console', domid: successor }, text.isBack(name, successor));
    setEnded(false);
    api.updateParameters({ domid: successor, name });
    api.setTitle(consoleTitle(name, successor, api.id));
  }, [api, session, hasEnded, successor, domid, name]);

  return <TerminalView session={session} />;
}
