/** What the command palette offers; the toolbar and keys use the same rows. */
import type { DomainState } from '../../workers/contract';
import { openComputerDialog } from '../computers/dialog';
import { text as computersText } from '../computers/text';
import { speeds } from '../home/SpeedControl';
import { text as homeText } from '../home/text';
import { text as policyText } from '../policy/text';
import { openLastRefusal } from '../policy/why';
import { isEmbedded } from '../secondHost/messages';
import { closeSecondHost, openSecondHost, openTab, useSecondHost } from '../secondHost/secondHost';
import { text as secondHostText } from '../secondHost/text';
import { useTheme } from '../ui/theme';
import type { LabHandle } from '../worker/LabContext';
import { askToErase } from './eraseQuestion';
import {
  closeActivePanel,
  cycleFocus,
  focusPanel,
  openConsole,
  openPanels,
  openShell,
  resetLayout,
  showPanel,
} from './layout';
import { text } from './text';

export interface Action {
  readonly id: string;
  readonly title: string;
  readonly keys?: string;
  run(): void;
}

export function actionsNow(lab: LabHandle, domains: readonly DomainState[]): readonly Action[] {
  const terminalPanes = openPanels().filter((panel) => ['shell', 'console'].includes(panel.view.contentComponent));
  return [
    ...(['home', 'terminal', 'editor', 'domains', 'migration', 'policy', 'ezpolicy', 'xensec_gen'] as const).map(
      (id) => ({
        id: `show-${id}`,
        title: text.show(text.panels[id]),
        run: () => showPanel(id),
      }),
    ),
    ...terminalPanes.map((panel) => ({
      id: `show-${panel.id}`,
      title: text.show(panel.title ?? panel.id),
      run: () => focusPanel(panel),
    })),
    { id: 'why', title: policyText.lastRefusal, run: () => void openLastRefusal(lab.api) },
    { id: 'new-shell', title: text.newShell, run: openShell },
    ...domains
      .filter((domain) => domain.hasConsole)
      .map((domain) => ({
        id: `console-${domain.domid}`,
        title: text.consoleOf(domain.name),
        run: () => openConsole(domain.domid, domain.name),
      })),
    ...speeds.map((speed) => ({
      id: `speed-${speed}`,
      title: text.speed(homeText.speeds[String(speed)] ?? String(speed)),
      run: () => void lab.api.setSpeed(speed),
    })),
    { id: 'next-pane', title: text.nextPane, keys: 'F6', run: () => cycleFocus(1) },
    { id: 'previous-pane', title: text.previousPane, keys: 'Shift-F6', run: () => cycleFocus(-1) },
    { id: 'close-pane', title: text.closePane, run: closeActivePanel },
    { id: 'reset-layout', title: text.resetLayout, run: resetLayout },
    { id: 'dark', title: text.toDark, run: () => useTheme.getState().choose('dark') },
    { id: 'light', title: text.toLight, run: () => useTheme.getState().choose('light') },
    { id: 'system', title: text.followSystem, run: () => useTheme.getState().choose('system') },
    ...hostActions(),
    { id: 'restart', title: text.restartMachine, run: () => lab.restart() },
    { id: 'erase', title: text.erase.command, run: askToErase },
  ];
}

/** A second host in a page has none of its own. */
function hostActions(): readonly Action[] {
  if (isEmbedded()) return [];
  const { host } = useSecondHost.getState();
  return [
    { id: 'add-host', title: text.addHost, run: openTab },
    host.phase === 'closed'
      ? { id: 'add-host-here', title: secondHostText.open, run: openSecondHost }
      : { id: 'close-host-here', title: secondHostText.close(host.name), run: closeSecondHost },
    { id: 'other-computer', title: computersText.command, run: openComputerDialog },
  ];
}

/** All words of the query occur in the title, in any order. */
export function matchingActions(actions: readonly Action[], query: string): readonly Action[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  return actions.filter((action) => words.every((word) => action.title.toLowerCase().includes(word)));
}
