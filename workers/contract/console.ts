/**
 * Terminal bytes bypass the store: `openTerminal` hands over one MessagePort per terminal.
 * Port messages are structured-cloneable and small; output buffers are transferred.
 */
export type TerminalTarget =
  /** The machine's serial console: GRUB, Xen, Domain-0's kernel and its login shell. */
  | { readonly kind: 'serial' }
  /** A further root shell in Domain-0 on its own pseudo-terminal. */
  | { readonly kind: 'shell' }
  /** A domain's console, as `xm console` shows it; several readers are allowed. It follows the domain to other hosts and back. */
  | { readonly kind: 'console'; readonly domid: number };

/** Page → worker. */
export type TerminalInput =
  | { readonly type: 'input'; readonly data: Uint8Array }
  | { readonly type: 'resize'; readonly rows: number; readonly cols: number }
  /** The page has drawn this many bytes: flow control, the worker keeps at most 256 KiB in flight. */
  | { readonly type: 'drawn'; readonly bytes: number }
  | { readonly type: 'close' };

/** Worker → page. */
export type TerminalOutput =
  | { readonly type: 'output'; readonly data: Uint8Array }
  /** The domain runs on this host of the network now, under this id; what it prints and reads there comes and goes here. */
  | { readonly type: 'moved'; readonly host: string; readonly domid: number }
  /** The domain is gone or the shell has ended. */
  | { readonly type: 'closed'; readonly reason: string };
