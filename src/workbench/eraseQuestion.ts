/** Whether the page is asking to erase the machine's disks; whoever wants that opens the question. */
import { create } from 'zustand';

export const useEraseQuestion = create<{ readonly isOpen: boolean }>()(() => ({ isOpen: false }));

export function askToErase(): void {
  useEraseQuestion.setState({ isOpen: true });
}

export function stopAsking(): void {
  useEraseQuestion.setState({ isOpen: false });
}
