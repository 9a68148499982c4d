/** A pseudo-terminal whose master side is held by a daemon of Domain-0 that runs beside the kernel (xenconsoled). */
import type { Terminals } from './terminals';

/** Bytes that may wait for a slow reader. */
const ROOM = 8192;

export interface HostPty {
  /** `/dev/pts/3`. */
  readonly slavePath: string;
  /** How many bytes it took: none while nobody has the slave open, or while the reader is behind. */
  write(bytes: Uint8Array): number;
  /** Called whenever `write` may take something again. */
  onWritable(action: () => void): void;
  close(): void;
}

/** Opens one in raw mode; what processes write into the slave comes to `input`. SysError ENOSPC. */
export function openHostPty(terminals: Terminals, input: (bytes: Uint8Array) => void): HostPty {
  const tty = terminals.createPty(0);
  tty.setTermios({ icanon: false, echo: false, isig: false, icrnl: false, onlcr: false });
  terminals.attachHost(tty.id, { onOutput: input, onClose: () => {}, keepsOpen: true });
  const hasRoom = () => terminals.find(tty.id) === tty && terminals.entry(tty.id).slaves > 0 && tty.readyLength < ROOM;
  return {
    slavePath: tty.name,
    write: (bytes) => {
      if (!hasRoom()) return 0;
      tty.input(bytes);
      return bytes.length;
    },
    onWritable: (action) =>
      tty.masterQueue.add({
        recheck: () => {
          if (hasRoom()) action();
        },
      }),
    close: () => terminals.detachHost(tty.id),
  };
}
