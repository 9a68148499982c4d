import type { LucideIcon } from 'lucide-react';

interface Props {
  readonly icon: LucideIcon;
  /** The accessible name. */
  readonly label: string;
  /** The tooltip; the label when absent. */
  readonly title?: string;
  readonly onClick: () => void;
  readonly isDangerous?: boolean;
  readonly isPressed?: boolean;
}

export function IconButton({ icon: Icon, label, title, onClick, isDangerous, isPressed }: Props) {
  return (
    <button
      type="button"
      className={isDangerous ? 'icon-button danger' : 'icon-button'}
      aria-label={label}
      aria-pressed={isPressed}
      title={title ?? label}
      onClick={onClick}
    >
      <Icon size={16} strokeWidth={1.75} aria-hidden="true" />
    </button>
  );
}
