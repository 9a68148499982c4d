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
  const [place, setPlace] = useState(session.place);
  const own = useLab((state) => state.host?.name);
  const successor = useLab(selectConsoleOf(name));

  useEffect(() => {
    session.onClosed = () => setEnded(true);
    session.onMoved = setPlace;
    return () => {
      session.onClosed = undefined;
      session.onMoved = undefined;
    };
  }, [session]);

  // The session follows the domain to its host; the pane says where that is.
  useEffect(() => {
    if (!place || own === undefined) return;
    const isHere = place.host === own;
    if (isHere) api.updateParameters({ domid: place.domid, name });
    api.setTitle(consoleTitle(name, isHere ? place.domid : text.at(place.host), api.id));
  }, [api, place, own, name]);

  // A domain that was rebooted has its name and a new id: the pane follows it.
  useEffect(() => {
    if (!hasEnded || successor === undefined || successor === domid) return;
    session.reopen({ kind: 'console', domid: successor }, text.isBack(name, successor));
    setEnded(false);
    setPlace(undefined);
    api.updateParameters({ domid: successor, name });
    api.setTitle(consoleTitle(name, successor, api.id));
  }, [api, session, hasEnded, successor, domid, name]);

  return <TerminalView session={session} />;
}
