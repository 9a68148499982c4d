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
  /** Hangs up, once a reader that is there has read everything and `rest`. */
  close(rest?: Uint8Array): void;
}

/** Opens one in raw mode; what processes write into the slave comes to `input`. SysError ENOSPC. */
export function openHostPty(terminals: Terminals, input: (bytes: Uint8Array) => void): HostPty {
  const tty = terminals.createPty(0);
  tty.setTermios({ icanon: false, echo: false, isig: false, icrnl: false, onlcr: false });
  terminals.attachHost(tty.id, { onOutput: input, onClose: () => {}, keepsOpen: true });
  const hasRoom = () => terminals.find(tty.id) === tty && terminals.entry(tty.id).slaves > 0 && tty.readyLength < ROOM;
  const isRead = () => terminals.find(tty.id) === tty && terminals.entry(tty.id).slaves > 0;
  const close = (given = new Uint8Array(0)) => {
    let rest = given;
    const last = {
      recheck: () => {
        while (rest.length > 0 && hasRoom()) {
          const part = rest.subarray(0, ROOM);
          rest = rest.subarray(part.length);
          tty.input(part);
        }
        if (isRead() && (rest.length > 0 || tty.readyLength > 0)) return;
        tty.masterQueue.remove(last);
        terminals.detachHost(tty.id);
      },
    };
    tty.masterQueue.add(last);
    last.recheck();
  };
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
    close,
  };
}
