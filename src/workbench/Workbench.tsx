import 'dockview-react/dist/styles/dockview.css';
import { DockviewReact, type DockviewReadyEvent, type DockviewTheme, type IDockviewPanelProps } from 'dockview-react';
import { type FunctionComponent, useCallback, useEffect, useRef, useState } from 'react';
import { ComputerDialog } from '../computers/ComputerDialog';
import { useDocumentRequests } from '../editor/useDocumentRequests';
import { takeToolRequests, toolClosed } from '../policy/tools';
import { useSharedPolicy } from '../policy/useShared';
import { useSecondHost } from '../secondHost/secondHost';
import { useEmbedded } from '../secondHost/useEmbedded';
import { useLab } from '../store/labStore';
import { ErrorBoundary } from '../ui/ErrorBoundary';
import { useTheme } from '../ui/theme';
import { useLabHandle } from '../worker/LabContext';
import { CommandPalette } from './CommandPalette';
import { Downloads } from './Downloads';
import { EraseDialog } from './EraseDialog';
import { useHostIdentity } from './hostIdentity';
import { cycleFocus, installLayout, makeRoom, showPanel } from './layout';
import { Notices } from './Notices';
import { panels } from './panels';
import { StatusBar } from './StatusBar';
import { GroupActions, Tab } from './Tab';
import { Toolbar } from './Toolbar';
import { text } from './text';

const dockTheme: DockviewTheme = { name: 'xen-lab', className: 'dock-theme', gap: 6, tabGroupIndicator: 'none' };

const guarded = Object.fromEntries(
  Object.entries(panels).map(([id, Panel]) => [id, withBoundary(Panel as FunctionComponent<IDockviewPanelProps>)]),
);

export function Workbench() {
  const { terminals, api: lab } = useLabHandle();
  const theme = useTheme((state) => state.theme);
  const { palette, openPalette, closePalette } = usePalette();
  const uninstall = useRef<() => void>(undefined);
  const onReady = useCallback(
    ({ api }: DockviewReadyEvent) => {
      uninstall.current?.();
      uninstall.current = installLayout(api, (panelId) => {
        terminals.release(panelId);
        toolClosed(lab, panelId);
      });
    },
    [terminals, lab],
  );
  useEffect(() => () => uninstall.current?.(), []);
  useHostIdentity();
  useDocumentRequests();
  useToolRequests();
  useSharedPolicy();
  useEmbedded();
  useRoom();
  usePageKeys(openPalette);

  return (
    <div className="workbench">
      <Toolbar onCommands={openPalette} />
      <main aria-label={text.workbench}>
        <DockviewReact
          components={guarded}
          defaultTabComponent={Tab}
          rightHeaderActionsComponent={GroupActions}
          watermarkComponent={Watermark}
          getTabContextMenuItems={() => ['close', 'closeOthers', 'maximize']}
          theme={{ ...dockTheme, colorScheme: theme }}
          onReady={onReady}
        />
      </main>
      <Notices />
      <Downloads />
      <StatusBar />
      <EraseDialog />
      <ComputerDialog />
      {palette > 0 && <CommandPalette key={palette} onClose={() => closePalette(palette)} />}
    </div>
  );
}

/** `xensec_ezpolicy` or `xensec_gen` was typed in Domain-0. */
function useToolRequests(): void {
  const requests = useLab((state) => state.toolRequests);
  useEffect(() => {
    if (requests.length > 0) takeToolRequests(showPanel);
  }, [requests]);
}

/** A second host takes half of the page. */
function useRoom(): void {
  const isShared = useSecondHost((state) => state.host.phase !== 'closed');
  useEffect(() => (isShared ? makeRoom() : undefined), [isShared]);
}

/** The number of the open palette, 0 for none. A dialog reports its end late, when the next one may be open already. */
function usePalette() {
  const [palette, setPalette] = useState(0);
  const last = useRef(0);
  const openPalette = useCallback(() => {
    if (document.querySelector('dialog.palette[open]')) return;
    last.current += 1;
    setPalette(last.current);
  }, []);
  const closePalette = useCallback((ended: number) => setPalette((now) => (now === ended ? 0 : now)), []);
  return { palette, openPalette, closePalette };
}

function Watermark() {
  return <p className="quiet padded">{text.empty}</p>;
}

/** Keys of the page itself; terminals and the editor let them through. */
function usePageKeys(openPalette: () => void): void {
  const open = useRef(openPalette);
  open.current = openPalette;
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      const isPaletteKey = event.key === 'F1' || (event.ctrlKey && event.shiftKey && event.code === 'KeyP');
      if (!isPaletteKey && event.key !== 'F6') return;
      event.preventDefault();
      event.stopPropagation();
      if (isPaletteKey) open.current();
      else cycleFocus(event.shiftKey ? -1 : 1);
    };
    // Capturing, so that the editor's own meaning of F1 does not come first.
    window.addEventListener('keydown', onKeyDown, { capture: true });
    return () => window.removeEventListener('keydown', onKeyDown, { capture: true });
  }, []);
}

function withBoundary(Panel: FunctionComponent<IDockviewPanelProps>): FunctionComponent<IDockviewPanelProps> {
  return function GuardedPanel(props) {
    return (
      <ErrorBoundary
        fallback={(message, retry) => (
          <div className="padded" role="alert">
            <p>
              <strong>{text.panelFailed}</strong>: {message}
            </p>
            <button type="button" onClick={retry}>
              {text.retry}
            </button>
          </div>
        )}
      >
        <Panel {...props} />
      </ErrorBoundary>
    );
  };
}
