/** The migration that the status bar offers to show: the newest one that nobody has looked at yet. */
import { create } from 'zustand';
import { useLab } from '../store/labStore';

interface Offer {
  /** The newest migration when the pane was last looked at. */
  readonly seen: string | undefined;
}

export const useOffer = create<Offer>()(() => ({ seen: undefined }));

export function markSeen(): void {
  useOffer.setState({ seen: useLab.getState().migrations.at(-1)?.id });
}
