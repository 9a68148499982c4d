/** Every kind of pane: one row each. */
import type { IDockviewPanelProps } from 'dockview-react';
import type { FunctionComponent } from 'react';
import { ConsolePanel, ShellPanel, TerminalPanel } from '../consoles/panels';
import { DomainListPanel } from '../domains/DomainListPanel';
import { EditorPanel } from '../editor/EditorPanel';
import { HomePanel } from '../home/HomePanel';
import { MigrationPane } from '../migration/panels';
import { EzPolicyPane, GenPane, PolicyPanel } from '../policy/panels';

export const panels = {
  home: HomePanel,
  terminal: TerminalPanel,
  shell: ShellPanel,
  console: ConsolePanel as FunctionComponent<IDockviewPanelProps>,
  editor: EditorPanel,
  domains: DomainListPanel,
  migration: MigrationPane,
  policy: PolicyPanel,
  ezpolicy: EzPolicyPane,
  xensec_gen: GenPane,
} satisfies Record<string, FunctionComponent<IDockviewPanelProps>>;
