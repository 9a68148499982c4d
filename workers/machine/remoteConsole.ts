/**
 * A domain's console, shown to another machine of this network: what `ssh HOST xm console DOMAIN` is in the world. A machine
 * shows the consoles of those domains only that have come to it by migration, to whoever can name the migration.
 *
 * One pipe of the network (net/bulk.ts) for each reader, and it goes through the machines' cables. A message to the reader
 * begins with a byte that says what follows; in the other direction go bytes that were typed.
 */
import type { BulkEnd, BulkListener } from '../net/bulk';
import type { Host } from './createHost';

/** Bytes of the console; the first message, which may be empty, says that somebody is there. */
const OUTPUT = 0;
/** The domain runs here no more. */
const GONE = 1;

/** Waits for the link; what would not fit any more is dropped, as on a line that nobody reads. */
const ROOM = 1 << 20;
/** A machine that has not answered by then cannot be reached. */
const PATIENCE_NS = 10e9;

const nameOf = (machine: string) => `console/${machine}/`;

export interface RemoteReader {
  data(bytes: Uint8Array): void;
  /** gone: the domain has left that machine. lost: the machine cannot be reached. Called once. */
  closed(how: 'gone' | 'lost'): void;
}

export interface OpenedConsole {
  write(bytes: Uint8Array): void;
  detach(): void;
}

/** Answers the other machines. Returns what ends this. */
export function serveConsoles(host: Host): () => void {
  const prefix = nameOf(host.options.name);
  return host.world.lan.bulk.answer(prefix, (name) => serve(host, name, name.slice(prefix.length).split('/')[0]!));
}

/** False: this machine is off. */
function serve(host: Host, name: string, migration: string): boolean {
  let attached: OpenedConsole | undefined;
  const end = host.bulk(name, {
    received: (bytes) => {
      end?.take(bytes.length);
      attached?.write(bytes);
    },
    ended: () => attached?.detach(),
  });
  if (!end) return false;
  let waiting = 0;
  const send = (kind: number, bytes: Uint8Array) => {
    if (waiting + bytes.length > ROOM) return;
    waiting += bytes.length;
    end.send(tagged(kind, bytes), () => {
      waiting -= bytes.length;
    });
  };
  const gone = () => {
    send(GONE, new Uint8Array());
    end.close();
  };
  host.interrupt(() => {
    const { records } = host.migrations.recorder;
    const domid = records.find(({ id, role }) => id === migration && role === 'destination')?.domid ?? -1;
    send(OUTPUT, new Uint8Array());
    attached = host.toolstack?.consoles?.attach(domid, { data: (bytes) => send(OUTPUT, bytes), closed: gone });
    if (!attached) gone();
  });
  return true;
}

let lastCall = 0;

/** The console of the domain that came to another machine by this migration. Undefined: this machine is off. */
export function callConsole(
  host: Host,
  machine: string,
  migration: string,
  reader: RemoteReader,
): OpenedConsole | undefined {
  let hasAnswered = false;
  let isOver = false;
  const over = (how: 'gone' | 'lost') => {
    if (isOver) return;
    isOver = true;
    end?.close();
    reader.closed(how);
  };
  const listener: BulkListener = {
    received: (message) => {
      end?.take(message.length);
      if (isOver) return;
      hasAnswered = true;
      if (message[0] === GONE) over('gone');
      else if (message.length > 1) reader.data(message.subarray(1));
    },
    ended: () => over('lost'),
  };
  const end: BulkEnd | undefined = host.bulk(
    `${nameOf(machine)}${migration}/${host.options.name}/${++lastCall}`,
    listener,
  );
  if (!end) return undefined;
  const timer = host.clock.at(host.clock.nowNs + PATIENCE_NS, () => {
    if (!hasAnswered) host.interrupt(() => over('lost'));
  });
  return {
    write: (bytes) => end.send(bytes.slice(), () => {}),
    detach: () => {
      isOver = true;
      timer.cancel();
      end.close();
    },
  };
}

function tagged(kind: number, bytes: Uint8Array): Uint8Array {
  const message = new Uint8Array(bytes.length + 1);
  message[0] = kind;
  message.set(bytes, 1);
  return message;
}
