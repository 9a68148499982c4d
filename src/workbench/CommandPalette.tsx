import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from 'react';
import { useLab } from '../store/labStore';
import { useLabHandle } from '../worker/LabContext';
import { actionsNow, matchingActions } from './actions';
import { text } from './text';

/** A filter box over a list of actions; Escape or a click outside closes it and gives the focus back. */
export function CommandPalette({ onClose }: { onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const lab = useLabHandle();
  const [query, setQuery] = useState('');
  const [selected, setSelected] = useState(0);
  const actions = useMemo(() => actionsNow(lab, Object.values(useLab.getState().domains)), [lab]);
  const found = matchingActions(actions, query);
  const current = found[Math.min(selected, found.length - 1)];

  useEffect(() => dialog.current?.showModal(), []);
  useEffect(() => {
    if (current) document.getElementById(`action-${current.id}`)?.scrollIntoView?.({ block: 'nearest' });
  }, [current]);

  const choose = (index: number) => {
    const action = found[index];
    if (!action) return;
    dialog.current?.close(); // gives the focus back first, so that an action may move it
    action.run();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step !== 0 && found.length > 0) {
      event.preventDefault();
      setSelected((Math.min(selected, found.length - 1) + step + found.length) % found.length);
    } else if (event.key === 'Enter') {
      event.preventDefault();
      choose(Math.min(selected, found.length - 1));
    }
  };

  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the keyboard closes a dialog with Escape
    <dialog
      ref={dialog}
      className="palette"
      aria-label={text.commands}
      onClose={onClose}
      onClick={(event) => event.target === dialog.current && dialog.current.close()}
    >
      <input
        role="combobox"
        aria-expanded="true"
        aria-controls="palette-list"
        aria-activedescendant={current ? `action-${current.id}` : undefined}
        aria-label={text.filter}
        placeholder={text.filterHint}
        autoComplete="off"
        spellCheck={false}
        value={query}
        onChange={(event) => {
          setQuery(event.target.value);
          setSelected(0);
        }}
        onKeyDown={onKeyDown}
      />
      <div id="palette-list" role="listbox" aria-label={text.commands}>
        {found.map((action, index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: keys are handled by the combobox
          // biome-ignore lint/a11y/useFocusableInteractive: aria-activedescendant keeps the focus in the combobox
          <div
            key={action.id}
            id={`action-${action.id}`}
            role="option"
            aria-selected={action === current}
            onClick={() => choose(index)}
          >
            <span>{action.title}</span>
            {action.keys && <kbd>{action.keys}</kbd>}
          </div>
        ))}
      </div>
      {found.length === 0 && (
        <p className="quiet padded" role="status">
          {text.noMatch}
        </p>
      )}
    </dialog>
  );
}
