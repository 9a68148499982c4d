/** Opens, finds, focuses and remembers panes. Panels call these; only Workbench installs the dock behind them. */
import type { DockviewApi, IDockviewPanel, SerializedDockview } from 'dockview-react';
import { useDocuments } from '../editor/documents';
import { type Direction, isEmbedded, tellFrame, tellOuter } from '../secondHost/messages';
import { useSecondHost } from '../secondHost/secondHost';
import { text } from './text';

export type PanelId = 'home' | 'terminal' | 'editor' | 'domains' | 'migration' | 'policy' | 'ezpolicy' | 'xensec_gen';

/** A window of half a screen has a layout of its own. */
const NARROW = 900;
const storageKeys = {
  wide: 'xen-lab.layout.1',
  narrow: 'xen-lab.layout.narrow.1',
  embedded: 'xen-lab.layout.embedded.1',
};
let dock: DockviewApi | undefined;
let counter = 0;
/** The terminal pane that was in front last: where the student types commands. */
let lastTerminal = 'terminal';
/** A terminal of this width has room for a pane beside it. */
const WIDE_ENOUGH = 900;
/** Two hosts, each with its Home pane. */
const ROOM_FOR_TWO = 1900;
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
  const changed = api.onDidLayoutChange(() => {
    // With a second host in the page the panes have half the room for a while: that is not how they are wanted.
    if (useSecondHost.getState().host.phase === 'closed')
      localStorage.setItem(storageKey(), JSON.stringify(api.toJSON()));
  });
  return () => {
    removed.dispose();
    changed.dispose();
    activated.dispose();
    if (dock === api) dock = undefined;
  };
}

function isNarrow(): boolean {
  return isEmbedded() || window.innerWidth < NARROW;
}

function storageKey(): string {
  if (isEmbedded()) return storageKeys.embedded;
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

/** With a second host beside it, Home stands behind the terminal unless there is room for all. Returns the undo. */
export function makeRoom(): () => void {
  const home = dock?.getPanel('home');
  const terminal = dock?.getPanel('terminal');
  if (!dock || !home || !terminal || home.group === terminal.group || window.innerWidth >= ROOM_FOR_TWO)
    return () => {};
  dock.removePanel(home);
  addPanel(dock, 'home', { inactive: true, position: { referencePanel: terminal, direction: 'within' } });
  return () => {
    const moved = dock?.getPanel('home');
    if (!dock || !moved || moved.group !== dock.getPanel('terminal')?.group) return;
    dock.removePanel(moved);
    addPanel(dock, 'home', { ...besides('home'), inactive: true });
  };
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

interface Place {
  readonly element: Element | null;
  focus(direction: Direction): void;
}

/** Where F6 goes: the toolbar, each group of panes, a second host in this page. */
function placesInOrder(api: DockviewApi): readonly Place[] {
  const frame = document.querySelector<HTMLIFrameElement>('iframe[data-second-host]');
  return [
    { element: toolbar(), focus: focusToolbar },
    ...groupsInReadingOrder(api).map((group) => ({
      element: group.element,
      focus: () => group.activePanel && focusPanel(group.activePanel),
    })),
    ...(frame ? [{ element: frame, focus: (from: Direction) => focusFrame(frame, from) }] : []),
  ];
}

/** Moves the focus to the next place, wherever it is now, and from the last one of a second host out of it: F6 and Shift-F6. */
export function cycleFocus(direction: Direction): void {
  if (!dock) return;
  const places = placesInOrder(dock);
  const here = places.findIndex(({ element }) => element?.contains(document.activeElement));
  const next = here < 0 ? (direction === 1 ? 1 : places.length - 1) : here + direction;
  if (isEmbedded() && (next < 0 || next >= places.length)) tellOuter({ type: 'xen-lab/leave', to: direction });
  else places[(next + places.length) % places.length]?.focus(direction);
}

/** The focus comes from the page around this one. */
export function enterFocus(direction: Direction): void {
  if (dock)
    placesInOrder(dock)
      .at(direction === 1 ? 0 : -1)
      ?.focus(direction);
}

function focusFrame(frame: HTMLIFrameElement, from: Direction): void {
  frame.focus();
  tellFrame(frame, { type: 'xen-lab/enter', from });
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
