/** Whether the dialog is open, and what was pasted into it: that outlives a restart of the machine. */
import { create } from 'zustand';

export const useComputerDialog = create<{ readonly isOpen: boolean; readonly pasted: string }>()(() => ({
  isOpen: false,
  pasted: '',
}));

export function openComputerDialog(): void {
  useComputerDialog.setState({ isOpen: true });
}
