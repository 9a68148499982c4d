import { Building2, ChevronDown, ChevronRight, Users } from 'lucide-react';
import { type KeyboardEvent, type MouseEvent, useRef, useState } from 'react';
import { type MenuItem, MenuList } from '../../ui/MenuBar';
import { entryOf, UNLABELED, type Workload } from './definition';
import { useEzPolicy } from './state';
import { text } from './text';

interface Row extends Workload {
  readonly isExpanded?: boolean;
  readonly hasChildren: boolean;
}

interface Props {
  readonly onAdd: () => void;
  readonly onRename: () => void;
  readonly onDelete: () => void;
}

/** Two levels below a hidden root; several items can be selected. */
export function WorkloadTree(props: Props) {
  const organizations = useEzPolicy((state) => state.definition.organizations);
  const selection = useEzPolicy((state) => state.selection);
  const expanded = useEzPolicy((state) => state.expanded);
  const [current, setCurrent] = useState('');
  const [menu, setMenu] = useState<{ readonly x: number; readonly y: number; readonly workload: Workload }>();
  const list = useRef<HTMLDivElement>(null);
  const { select, expand } = useEzPolicy.getState();
  const rows: readonly Row[] = organizations.flatMap(({ name, departments }) => {
    const isExpanded = expanded.includes(name);
    const below = isExpanded
      ? departments.map((department) => ({ organization: name, department, hasChildren: false }))
      : [];
    return [{ organization: name, isExpanded, hasChildren: departments.length > 0 }, ...below];
  });
  const isSelected = (row: Workload) => selection.some((each) => entryOf(each) === entryOf(row));
  const stop = rows.some((row) => entryOf(row) === current) ? current : rows[0] && entryOf(rows[0]);
  const toggle = ({ organization }: Workload, isOpen: boolean) =>
    expand(isOpen ? [...expanded, organization] : expanded.filter((each) => each !== organization));
  const focusRow = (row: Row | undefined) => {
    if (!row) return;
    setCurrent(entryOf(row));
    list.current?.querySelector<HTMLElement>(`[data-entry="${CSS.escape(entryOf(row))}"]`)?.focus();
  };
  const openMenu = (row: Row, x: number, y: number) => {
    if (!isSelected(row)) select(row, false);
    setMenu({ x, y, workload: row });
  };
  const onKeyDown = (event: KeyboardEvent, row: Row, at: number) => {
    const place = event.currentTarget.getBoundingClientRect();
    const actions: Record<string, () => void> = {
      ArrowDown: () => focusRow(rows[at + 1]),
      ArrowUp: () => focusRow(rows[at - 1]),
      Home: () => focusRow(rows[0]),
      End: () => focusRow(rows.at(-1)),
      ArrowRight: () => row.isExpanded === false && toggle(row, true),
      ArrowLeft: () =>
        row.isExpanded ? toggle(row, false) : focusRow(rows.find((each) => each.organization === row.organization)),
      ' ': () => select(row, event.ctrlKey),
      Enter: () => select(row, event.ctrlKey),
      ContextMenu: () => openMenu(row, place.left + 30, place.bottom),
    };
    const key = event.key === 'F10' && event.shiftKey ? 'ContextMenu' : event.key;
    const action = actions[key];
    if (!action || (event.ctrlKey && key !== ' ')) return;
    event.preventDefault();
    action();
  };
  if (rows.length === 0) return <p className="quiet padded">{text.noOrgs}</p>;
  return (
    <div className="workloads" role="tree" aria-label={text.tree} aria-multiselectable="true" ref={list}>
      {rows.map((row, at) => {
        const entry = entryOf(row);
        const Icon = row.department === undefined ? Building2 : Users;
        return (
          <div
            key={entry}
            role="treeitem"
            data-entry={entry}
            aria-level={row.department === undefined ? 1 : 2}
            aria-selected={isSelected(row)}
            aria-expanded={row.department === undefined && row.hasChildren ? row.isExpanded : undefined}
            tabIndex={entry === stop ? 0 : -1}
            className={row.department === undefined ? 'organization' : 'department'}
            onClick={(event: MouseEvent) => {
              setCurrent(entry);
              select(row, event.ctrlKey || event.metaKey);
            }}
            onDoubleClick={() => row.isExpanded !== undefined && toggle(row, !row.isExpanded)}
            onContextMenu={(event) => {
              event.preventDefault();
              openMenu(row, event.clientX, event.clientY);
            }}
            onKeyDown={(event) => onKeyDown(event, row, at)}
          >
            {row.department === undefined && <Chevron row={row} onToggle={(isOpen) => toggle(row, isOpen)} />}
            <Icon size={14} aria-hidden="true" />
            {row.department ?? row.organization}
          </div>
        );
      })}
      {menu && (
        <ContextMenu
          {...props}
          {...menu}
          isMultiple={selection.length > 1}
          onLeave={() => setMenu(undefined)}
          onClose={() => {
            setMenu(undefined);
            focusRow(rows.find((row) => entryOf(row) === entryOf(menu.workload)));
          }}
        />
      )}
    </div>
  );
}

function Chevron({ row, onToggle }: { row: Row; onToggle: (isOpen: boolean) => void }) {
  if (!row.hasChildren) return <span className="no-chevron" />;
  const Icon = row.isExpanded ? ChevronDown : ChevronRight;
  return (
    <Icon
      size={14}
      aria-hidden="true"
      onClick={(event) => {
        event.stopPropagation();
        onToggle(row.isExpanded !== true);
      }}
    />
  );
}

interface MenuProps extends Props {
  readonly x: number;
  readonly y: number;
  readonly workload: Workload;
  readonly isMultiple: boolean;
  /** The focus goes back to the item. */
  readonly onClose: () => void;
  readonly onLeave: () => void;
}

function ContextMenu({ x, y, workload, isMultiple, onClose, onLeave, onAdd, onRename, onDelete }: MenuProps) {
  const isOrganization = workload.department === undefined;
  const isFixed = isMultiple || (isOrganization && workload.organization === UNLABELED);
  const items: readonly MenuItem[] = [
    ...(isOrganization ? [{ label: text.addDepartment, keys: 'Ctrl-A', isDisabled: isFixed, run: onAdd }] : []),
    { label: text.rename(isOrganization), keys: 'Ctrl-R', isDisabled: isFixed, hasLine: isOrganization, run: onRename },
    { label: text.delete(isOrganization), keys: 'Ctrl-D', run: onDelete },
  ];
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: moves the focus inside the menu that it holds
    <div
      className="context-menu"
      style={{ left: x, top: y }}
      ref={(element) => element?.querySelector<HTMLElement>('button:not(:disabled)')?.focus()}
      onBlur={(event) => {
        // Somewhere else in the page; when it goes with its menu, nothing has the focus.
        if (event.relatedTarget && !event.currentTarget.contains(event.relatedTarget)) onLeave();
      }}
      onKeyDown={(event) => {
        event.stopPropagation();
        const buttons = [...event.currentTarget.querySelectorAll<HTMLElement>('button:not(:disabled)')];
        const at = buttons.indexOf(document.activeElement as HTMLElement);
        if (event.key === 'Escape') onClose();
        if (event.key === 'ArrowDown') buttons[(at + 1) % buttons.length]?.focus();
        if (event.key === 'ArrowUp') buttons[(at - 1 + buttons.length) % buttons.length]?.focus();
      }}
    >
      <MenuList
        label={entryOf(workload)}
        items={items}
        onDone={(run) => {
          onClose();
          run();
        }}
      />
    </div>
  );
}
