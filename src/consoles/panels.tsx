/** The three panels that are terminals: the serial console, a shell in Domain-0, a domain's console. */
import type { IDockviewPanelProps } from 'dockview-react';
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
  const target = { kind: 'console', domid: params.domid } as const;
  return <TerminalView session={terminals.open(api.id, target, text.consoleLabel(params.name))} />;
}
