import { ChevronDown } from 'lucide-react';
import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import { openComputerDialog } from '../computers/dialog';
import { text as computersText } from '../computers/text';
import { MenuList } from '../ui/MenuBar';
import { text as workbenchText } from '../workbench/text';
import { closeSecondHost, openSecondHost, openTab, useSecondHost } from './secondHost';
import { text } from './text';

/** `Host +` opens a tab; the menu beside it has the other way. */
export function AddHost() {
  const host = useSecondHost((state) => state.host);
  const [isOpen, setOpen] = useState(false);
  const place = useRef<HTMLDivElement>(null);
  const arrow = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (!isOpen) return undefined;
    place.current?.querySelector<HTMLElement>('[role="menu"] button')?.focus();
    const onPointerDown = (event: PointerEvent) => {
      if (!place.current?.contains(event.target as Node)) setOpen(false);
    };
    window.addEventListener('pointerdown', onPointerDown);
    return () => window.removeEventListener('pointerdown', onPointerDown);
  }, [isOpen]);
  const onKeyDown = (event: KeyboardEvent) => {
    if (!isOpen) return;
    if (event.key === 'Tab') setOpen(false);
    const items = [...(place.current?.querySelectorAll<HTMLElement>('[role="menu"] button') ?? [])];
    const at = items.indexOf(document.activeElement as HTMLElement);
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step === 0 && event.key !== 'Escape') return;
    event.preventDefault();
    if (step !== 0) items[(at + step + items.length) % items.length]?.focus();
    else {
      setOpen(false);
      arrow.current?.focus();
    }
  };
  const inPage =
    host.phase === 'closed'
      ? { label: text.inPage, run: openSecondHost }
      : { label: text.close(host.name), run: closeSecondHost };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the keys are those of the menu inside
    <div className="add-host" ref={place} onKeyDown={onKeyDown}>
      <button type="button" onClick={openTab} title={workbenchText.addHost}>
        {workbenchText.newHost} +
      </button>
      <button
        type="button"
        className="with-icon"
        ref={arrow}
        aria-haspopup="menu"
        aria-expanded={isOpen}
        aria-label={text.menu}
        title={text.menu}
        onClick={() => setOpen(!isOpen)}
      >
        <ChevronDown size={14} aria-hidden="true" />
      </button>
      {isOpen && (
        <MenuList
          label={text.menu}
          items={[
            { label: text.inTab, run: openTab },
            inPage,
            { label: computersText.menuItem, hasLine: true, run: openComputerDialog },
          ]}
          onDone={(run) => {
            setOpen(false);
            arrow.current?.focus();
            run();
          }}
        />
      )}
    </div>
  );
}
