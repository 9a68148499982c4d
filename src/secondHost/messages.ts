/** What a page and the page in its frame tell each other. Both are this app, from the same origin. */

const QUERY = 'embedded';

/** 1 is forward: the way that F6 goes. */
export type Direction = 1 | -1;

/** From the page to the one in its frame. */
export type ToFrame = { readonly type: 'xen-lab/stop' } | { readonly type: 'xen-lab/enter'; readonly from: Direction };

/** From the page in the frame to the one around it. */
export type FromFrame =
  | { readonly type: 'xen-lab/name'; readonly name: string }
  | { readonly type: 'xen-lab/stopped' }
  | { readonly type: 'xen-lab/leave'; readonly to: Direction };

/** Whether this page is the second host of a page around it. The address alone, opened as a tab, is an ordinary page. */
export function isEmbedded(): boolean {
  return window.parent !== window && new URLSearchParams(window.location.search).has(QUERY);
}

export function embeddedAddress(): string {
  return `${window.location.pathname}?${QUERY}`;
}

export function tellFrame(frame: HTMLIFrameElement, message: ToFrame): void {
  frame.contentWindow?.postMessage(message, window.location.origin);
}

export function tellOuter(message: FromFrame): void {
  window.parent.postMessage(message, window.location.origin);
}

/** Messages of one other window only. Returns the undo. */
export function listenTo<M>(sender: () => Window | null | undefined, receive: (message: M) => void): () => void {
  const onMessage = (event: MessageEvent<unknown>) => {
    if (event.origin === window.location.origin && event.source === sender()) receive(event.data as M);
  };
  window.addEventListener('message', onMessage);
  return () => window.removeEventListener('message', onMessage);
}
