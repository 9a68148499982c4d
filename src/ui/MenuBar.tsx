/** A menu bar as desktop programs have it: arrow keys, Escape, and Alt with a menu's first letter. */
import { type KeyboardEvent, type Ref, useEffect, useImperativeHandle, useRef, useState } from 'react';

export interface MenuItem {
  readonly label: string;
  /** As shown beside it. */
  readonly keys?: string | undefined;
  /** Other keys that do the same. */
  readonly otherKeys?: readonly string[];
  readonly isDisabled?: boolean;
  /** A line above it. */
  readonly hasLine?: boolean;
  run(): void;
}

export interface Menu {
  readonly title: string;
  readonly items: readonly MenuItem[];
}

export interface MenuBarHandle {
  open(title: string): void;
}

export function MenuBar({ menus, label, ref }: { menus: readonly Menu[]; label: string; ref?: Ref<MenuBarHandle> }) {
  const [open, setOpen] = useState<number>();
  const [at, setAt] = useState(0);
  const bar = useRef<HTMLDivElement>(null);
  useImperativeHandle(ref, () => ({
    open: (title) => {
      const menu = menus.findIndex((each) => each.title === title);
      if (menu < 0) return;
      setAt(menu);
      setOpen(menu);
    },
  }));
  useEffect(() => {
    if (open === undefined) return undefined;
    bar.current?.querySelector<HTMLElement>('[role="menu"] button:not(:disabled)')?.focus();
    const onPointerDown = (event: PointerEvent) => {
      if (!bar.current?.contains(event.target as Node)) setOpen(undefined);
    };
    window.addEventListener('pointerdown', onPointerDown);
    return () => window.removeEventListener('pointerdown', onPointerDown);
  }, [open]);
  const titles = () => [...(bar.current?.querySelectorAll<HTMLElement>('[data-menu-title]') ?? [])];
  const goTo = (menu: number) => {
    const next = (menu + menus.length) % menus.length;
    setAt(next);
    if (open === undefined) titles()[next]?.focus();
    else setOpen(next);
  };
  const close = () => {
    setOpen(undefined);
    titles()[at]?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const items = [...(bar.current?.querySelectorAll<HTMLElement>('[role="menu"] button:not(:disabled)') ?? [])];
    const item = items.indexOf(document.activeElement as HTMLElement);
    const step = (by: number) => items[(item + by + items.length) % items.length]?.focus();
    const actions: Record<string, () => void> = {
      ArrowRight: () => goTo(at + 1),
      ArrowLeft: () => goTo(at - 1),
      ArrowDown: () => (open === undefined ? setOpen(at) : step(1)),
      ArrowUp: () => step(-1),
      Escape: close,
    };
    const action = event.ctrlKey || event.altKey ? undefined : actions[event.key];
    if (!action || (event.key === 'Escape' && open === undefined)) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  };
  return (
    <div className="menu-bar" role="menubar" aria-label={label} ref={bar} onKeyDown={onKeyDown}>
      {menus.map(({ title, items }, menu) => (
        <div key={title} className="menu-place">
          <button
            type="button"
            role="menuitem"
            data-menu-title={title}
            aria-haspopup="menu"
            aria-expanded={open === menu}
            tabIndex={at === menu ? 0 : -1}
            onClick={() => {
              setAt(menu);
              setOpen(open === menu ? undefined : menu);
            }}
          >
            {title}
          </button>
          {open === menu && (
            <MenuList
              label={title}
              items={items}
              onDone={(run) => {
                close();
                run();
              }}
            />
          )}
        </div>
      ))}
    </div>
  );
}

export function MenuList(props: { label: string; items: readonly MenuItem[]; onDone: (run: () => void) => void }) {
  const { label, items, onDone } = props;
  return (
    <div role="menu" aria-label={label} className="menu">
      {items.map((item) => (
        <div key={item.label} role="none" className={item.hasLine ? 'with-line' : undefined}>
          <button
            type="button"
            role="menuitem"
            tabIndex={-1}
            disabled={item.isDisabled}
            onClick={() => onDone(() => item.run())}
          >
            <span>{item.label}</span>
            {item.keys && <kbd>{item.keys}</kbd>}
          </button>
        </div>
      ))}
    </div>
  );
}
