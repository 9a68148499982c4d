import { Command, Moon, Sun } from 'lucide-react';
import { AddHost } from '../secondHost/AddHost';
import { isEmbedded } from '../secondHost/messages';
import { useLab } from '../store/labStore';
import { HostName } from '../ui/HostName';
import { IconButton } from '../ui/IconButton';
import { useTheme } from '../ui/theme';
import { openShell, showPanel } from './layout';
import { text } from './text';

export function Toolbar({ onCommands }: { onCommands: () => void }) {
  const host = useLab((state) => state.host?.name);
  const theme = useTheme((state) => state.theme);
  const choose = useTheme((state) => state.choose);
  return (
    <header className="toolbar" data-pane="toolbar">
      <h1>{text.title}</h1>
      {host !== undefined && <HostName name={host} />}
      <nav aria-label={text.panes}>
        {(['home', 'terminal', 'editor', 'domains', 'migration', 'policy'] as const).map((id) => (
          <button key={id} type="button" onClick={() => showPanel(id)}>
            {text.panels[id]}
          </button>
        ))}
        <button type="button" onClick={openShell} title={text.newShell}>
          {text.panels.shell} +
        </button>
      </nav>
      <span className="toolbar-space" />
      {!isEmbedded() && <AddHost />}
      <button type="button" className="with-icon" onClick={onCommands} title={text.commandsHint}>
        <Command size={14} aria-hidden="true" /> {text.commands} <kbd>F1</kbd>
      </button>
      {/* A second host has the colours of the page around it. */}
      {!isEmbedded() && (
        <IconButton
          icon={theme === 'dark' ? Sun : Moon}
          label={theme === 'dark' ? text.toLight : text.toDark}
          onClick={() => choose(theme === 'dark' ? 'light' : 'dark')}
        />
      )}
    </header>
  );
}
