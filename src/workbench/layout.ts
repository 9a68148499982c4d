/** Opens, finds, focuses and remembers panes. Panels call these; only Workbench installs the dock behind them. */
import type { DockviewApi, IDockviewPanel, SerializedDockview } from 'dockview-react';
import { useDocuments } from '../editor/documents';
import { text } from './text';

export type PanelId = 'home' | 'terminal' | 'editor' | 'domains' | 'migration' | 'policy' | 'ezpolicy' | 'xensec_gen';

/** A window of half a screen has a layout of its own. */
const NARROW = 900;
const storageKeys = { wide: 'xen-lab.layout.1', narrow: 'xen-lab.layout.narrow.1' };
let dock: DockviewApi | undefined;
let counter = 0;
/** The terminal pane that was in front last: where the student types commands. */
let lastTerminal = 'terminal';
/** A terminal of this width has room for a pane beside it. */
const WIDE_ENOUGH = 900;
/** A pane that has just come to the front fills its element a little later. */
const framesToWait = 30;

/** Takes over a new dock and fills it: the saved layout, else the original one. Returns the undo. */
export function installLayout(api: DockviewApi, onClosed: (panelId: string) => void): () => void {
  dock = api;
  if (!restoreLayout(api)) originalLayout(api);
  const removed = api.onDidRemovePanel((panel) => onClosed(panel.id));
  const activated = api.onDidActivePanelChange(({ panel }) => {
    if (panel && isTerminal(panel)) lastTerminal = panel.id;
  });
  const changed = api.onDidLayoutChange(() => localStorage.setItem(storageKey(), JSON.stringify(api.toJSON())));
  return () => {
    removed.dispose();
    changed.dispose();
    activated.dispose();
    if (dock === api) dock = undefined;
  };
}

function isNarrow(): boolean {
  return window.innerWidth < NARROW;
}

function storageKey(): string {
  return isNarrow() ? storageKeys.narrow : storageKeys.wide;
}

/**
 * Home | terminal with the domain table below; the editor beside the terminal when there is room for both, and Home behind it
 * when there is room for one.
 */
export function originalLayout(api: DockviewApi): void {
  api.clear();
  const isWide = api.width >= 1650;
  const terminal = addPanel(api, 'terminal', {});
  const home = addPanel(api, 'home', {
    inactive: isNarrow(),
    position: { referencePanel: terminal, direction: isNarrow() ? 'within' : 'left' },
  });
  const editor = addPanel(api, 'editor', {
    inactive: !isWide,
    position: { referencePanel: terminal, direction: isWide ? 'right' : 'within' },
  });
  const domains = addPanel(api, 'domains', { position: { referencePanel: terminal, direction: 'below' } });
  if (!isNarrow()) home.api.setSize({ width: 316 });
  domains.api.setSize({ height: Math.round(Math.min(260, api.height * 0.32)) });
  if (isWide) editor.api.setSize({ width: Math.round((api.width - 316) * 0.46) });
  terminal.api.setActive();
}

export function resetLayout(): void {
  if (dock) originalLayout(dock);
}

/** Brings a pane to the front, opening it when it is closed, and gives it the focus. */
export function showPanel(id: PanelId): void {
  if (!dock) return;
  focusPanel(dock.getPanel(id) ?? addPanel(dock, id, besides(id)));
}

/** Back to the terminal that was used last. */
export function returnToTerminal(): void {
  const panel = dock?.getPanel(lastTerminal);
  if (panel) focusPanel(panel);
  else showPanel('terminal');
}

/** Opens a new pane on a domain's console; several for one domain are allowed. */
export function openConsole(domid: number, name: string): void {
  counter += 1;
  const id = `console-${domid}-${counter}`;
  openTerminalPane(id, 'console', consoleTitle(name, domid, id), { domid, name });
}

/** `VM1 (3)`, on another host `VM1 (on host2)`; for a further pane on the same console `VM1 (3) #2`. */
export function consoleTitle(name: string, where: number | string, panelId: string): string {
  const title = `${name} (${where})`;
  const taken = openPanels()
    .filter((panel) => panel.id !== panelId)
    .map((panel) => panel.title);
  if (!taken.includes(title)) return title;
  let number = 2;
  while (taken.includes(`${title} #${number}`)) number += 1;
  return `${title} #${number}`;
}

export function openShell(): void {
  counter += 1;
  const titles = openPanels().map((panel) => panel.title);
  let number = 1;
  while (titles.includes(`${text.panels.shell} ${number}`)) number += 1;
  openTerminalPane(`shell-${counter}`, 'shell', `${text.panels.shell} ${number}`, {});
}

/** Asks whoever holds the documents to open a file; the editor pane comes to the front. */
export function editFile(path: string): void {
  showPanel('editor');
  useDocuments.getState().request({ path });
}

export function closePanel(id: PanelId): void {
  const panel = dock?.getPanel(id);
  if (dock && panel) dock.removePanel(panel);
}

export function closeActivePanel(): void {
  const panel = dock?.activePanel;
  if (dock && panel) dock.removePanel(panel);
}

export function openPanels(): readonly IDockviewPanel[] {
  return dock?.panels ?? [];
}

/** Moves the focus to the next group of panes (the toolbar counts as one), wherever it is now: F6 and Shift-F6. */
export function cycleFocus(direction: 1 | -1): void {
  if (!dock) return;
  const places: (() => void)[] = [
    focusToolbar,
    ...groupsInReadingOrder(dock).map((group) => () => group.activePanel && focusPanel(group.activePanel)),
  ];
  const focused = document.activeElement;
  const groupIndex = groupsInReadingOrder(dock).findIndex((group) => group.element.contains(focused));
  const here = groupIndex >= 0 ? groupIndex + 1 : toolbar()?.contains(focused) ? 0 : -1;
  const next =
    here < 0 ? (direction === 1 ? 1 : places.length - 1) : (here + direction + places.length) % places.length;
  places[next]?.();
}

export function focusPanel(panel: IDockviewPanel): void {
  panel.api.setActive();
  focusContent(panel, framesToWait);
}

function focusContent(panel: IDockviewPanel, frames: number): void {
  if (dock?.activePanel !== panel) return; // another one was chosen meanwhile
  const content = panel.view.content.element;
  const target =
    content.querySelector<HTMLElement>(
      '.xterm-helper-textarea, .monaco-editor textarea, .monaco-editor .native-edit-context',
    ) ??
    content.querySelector<HTMLElement>('[data-autofocus]') ??
    content.querySelector<HTMLElement>('button, input, [tabindex="0"]');
  if (target) target.focus();
  else if (frames > 0) requestAnimationFrame(() => focusContent(panel, frames - 1));
}

export function isTerminal(panel: IDockviewPanel): boolean {
  return ['terminal', 'shell', 'console'].includes(panel.view.contentComponent);
}

function groupsInReadingOrder(api: DockviewApi) {
  return [...api.groups].sort((a, b) => {
    const [boxA, boxB] = [a.element.getBoundingClientRect(), b.element.getBoundingClientRect()];
    return boxA.left - boxB.left || boxA.top - boxB.top;
  });
}

function toolbar(): HTMLElement | null {
  return document.querySelector<HTMLElement>('[data-pane="toolbar"]');
}

function focusToolbar(): void {
  toolbar()?.querySelector('button')?.focus();
}

function openTerminalPane(id: string, component: string, title: string, params: object): void {
  if (!dock) return;
  const terminal = dock.getPanel('terminal');
  const panel = dock.addPanel({
    id,
    component,
    title,
    params,
    ...(terminal ? { position: { referencePanel: terminal, direction: 'within' as const } } : {}),
  });
  focusPanel(panel);
}

function addPanel(api: DockviewApi, id: PanelId, options: Partial<Parameters<DockviewApi['addPanel']>[0]>) {
  return api.addPanel({ id, component: id, title: text.panels[id], ...options } as Parameters<
    DockviewApi['addPanel']
  >[0]);
}

/** Where a pane that was closed comes back. */
function besides(id: PanelId): Partial<Parameters<DockviewApi['addPanel']>[0]> {
  const terminal = dock?.getPanel('terminal');
  if (id === 'home' && !isNarrow()) return { position: { direction: 'left' }, initialWidth: 316 };
  if (id === 'domains')
    return {
      position: terminal ? { referencePanel: terminal, direction: 'below' } : { direction: 'below' },
      initialHeight: 240,
    };
  // Beside the terminal, in which the migration is typed.
  if (id === 'migration' && terminal && terminal.api.width >= WIDE_ENOUGH)
    return {
      position: { referencePanel: terminal, direction: 'right' },
      initialWidth: Math.round(terminal.api.width * 0.55),
    };
  return terminal ? { position: { referencePanel: terminal, direction: 'within' } } : {};
}

function restoreLayout(api: DockviewApi): boolean {
  const saved = localStorage.getItem(storageKey());
  if (!saved) return false;
  try {
    api.fromJSON(JSON.parse(saved) as SerializedDockview);
  } catch {
    localStorage.removeItem(storageKey()); // written by another version: the original layout is as good
    return false;
  }
  // Domain ids of an earlier run name nothing in this one; a new shell is a new shell.
  const stale = api.panels.filter((panel) => panel.view.contentComponent === 'console');
  for (const panel of stale) api.removePanel(panel);
  counter = api.panels.length;
  for (const panel of api.panels) counter = Math.max(counter, Number(/-(\d+)$/.exec(panel.id)?.[1] ?? 0));
  return api.panels.length > 0;
}
