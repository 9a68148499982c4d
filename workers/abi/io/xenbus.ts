/** How far a split device has come, written by each end into its own `state` node (public/io/xenbus.h). */
export const XenbusState = {
  Unknown: 0,
  Initialising: 1,
  InitWait: 2,
  Initialised: 3,
  Connected: 4,
  Closing: 5,
  Closed: 6,
  Reconfiguring: 7,
  Reconfigured: 8,
} as const;

/** A `state` node's text as a number; what is absent or unreadable counts as Unknown. */
export function parseXenbusState(text: string | undefined): number {
  const state = Number(text ?? '');
  return Number.isInteger(state) && state >= 0 && state <= 8 ? state : XenbusState.Unknown;
}
