import type { IDockviewHeaderActionsProps, IDockviewPanelHeaderProps } from 'dockview-react';
import { X } from 'lucide-react';
import { useEffect, useState } from 'react';
import { IconButton } from '../ui/IconButton';
import { text } from './text';

/** A tab without an inner button: the tab itself is the control; closing stands beside the tabs. */
export function Tab({ api }: IDockviewPanelHeaderProps) {
  const [title, setTitle] = useState(api.title);
  useEffect(() => {
    const listener = api.onDidTitleChange((event) => setTitle(event.title));
    return () => listener.dispose();
  }, [api]);
  return <span className="tab-title">{title}</span>;
}

/** Right of a group's tabs: closes the pane that is in front. */
export function GroupActions({ activePanel, containerApi }: IDockviewHeaderActionsProps) {
  if (!activePanel) return null;
  return (
    <div className="group-actions">
      <IconButton
        icon={X}
        label={text.closePaneNamed(activePanel.title ?? activePanel.id)}
        onClick={() => containerApi.removePanel(activePanel)}
      />
    </div>
  );
}
