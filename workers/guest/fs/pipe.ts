/** Pipes, with and without a name: 64 KiB of bytes between processes. */
import type { FileOps, OpenFile } from '../openFile';
import { SysError } from '../sys';
import { WaitQueue } from '../waitQueue';

export const PIPE_CAPACITY = 65536;
/** A write up to this size is taken whole or not at all (PIPE_BUF). */
const PIPE_BUF = 4096;

export interface PipeState {
  readonly id: number;
  readonly chunks: readonly Uint8Array[];
  readonly hadWriter: boolean;
}

interface Pipe {
  readonly id: number;
  chunks: Uint8Array[];
  length: number;
  readers: number;
  writers: number;
  /** A reader of a named pipe sees no end of file before the first writer came. */
  hadWriter: boolean;
  readonly queue: WaitQueue;
}

export class Pipes implements FileOps {
  readonly kind = 'pipe';
  readonly #pipes = new Map<number, Pipe>();
  #nextId = 1;

  /** A new pipe's number; it goes away with its last open end. */
  create(): number {
    const id = this.#nextId++;
    this.#pipes.set(id, {
      id,
      chunks: [],
      length: 0,
      readers: 0,
      writers: 0,
      hadWriter: false,
      queue: new WaitQueue(),
    });
    return id;
  }

  opened(file: OpenFile): void {
    const pipe = this.#of(file);
    if (file.canRead) pipe.readers++;
    if (file.canWrite) {
      pipe.writers++;
      pipe.hadWriter = true;
    }
    pipe.queue.wake();
  }

  release(file: OpenFile): void {
    const pipe = this.#of(file);
    if (file.canRead) pipe.readers--;
    if (file.canWrite) pipe.writers--;
    if (pipe.readers + pipe.writers === 0) {
      this.#pipes.delete(pipe.id);
      if (file.inode) file.inode.pipe = 0;
    }
    pipe.queue.wake();
  }

  read(file: OpenFile, max: number): Uint8Array | undefined {
    const pipe = this.#of(file);
    const first = pipe.chunks[0];
    if (!first) return pipe.writers === 0 && pipe.hadWriter ? new Uint8Array(0) : undefined;
    const out = takeFrom(pipe.chunks, max);
    pipe.length -= out.length;
    pipe.queue.wake();
    return out;
  }

  write(file: OpenFile, bytes: Uint8Array): number {
    const pipe = this.#of(file);
    if (pipe.readers === 0) throw new SysError('EPIPE');
    const room = PIPE_CAPACITY - pipe.length;
    if (room < Math.min(bytes.length, PIPE_BUF)) return 0;
    const taken = bytes.slice(0, room);
    appendTo(pipe.chunks, taken);
    pipe.length += taken.length;
    pipe.queue.wake();
    return taken.length;
  }

  isReadable(file: OpenFile): boolean {
    const pipe = this.#of(file);
    return pipe.length > 0 || (pipe.writers === 0 && pipe.hadWriter);
  }

  isWritable(file: OpenFile): boolean {
    const pipe = this.#of(file);
    return pipe.readers === 0 || PIPE_CAPACITY - pipe.length >= PIPE_BUF;
  }

  queue(file: OpenFile): WaitQueue {
    return this.#of(file).queue;
  }

  /** Bytes held by all pipes together, for the memory account. */
  get bytes(): number {
    let total = 0;
    for (const pipe of this.#pipes.values()) total += pipe.length;
    return total;
  }

  save(): { nextId: number; pipes: PipeState[] } {
    const pipes = [...this.#pipes.values()].map(({ id, chunks, hadWriter }) => ({
      id,
      chunks: [...chunks],
      hadWriter,
    }));
    return { nextId: this.#nextId, pipes };
  }

  /** Before the open files are restored, which count readers and writers again. */
  restore(state: { nextId: number; pipes: readonly PipeState[] }): void {
    this.#nextId = state.nextId;
    for (const { id, chunks, hadWriter } of state.pipes) {
      const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
      const queue = new WaitQueue();
      this.#pipes.set(id, { id, chunks: [...chunks], length, readers: 0, writers: 0, hadWriter, queue });
    }
  }

  #of(file: OpenFile): Pipe {
    return this.#pipes.get(file.object)!;
  }
}

/** Adds to a byte queue; small pieces are put together, so that many short writes do not make a long list. */
export function appendTo(chunks: Uint8Array[], bytes: Uint8Array): void {
  const last = chunks[chunks.length - 1];
  if (!last || last.length + bytes.length > 1024) {
    chunks.push(bytes);
    return;
  }
  const joined = new Uint8Array(last.length + bytes.length);
  joined.set(last);
  joined.set(bytes, last.length);
  chunks[chunks.length - 1] = joined;
}

/** Takes up to `max` bytes off the front of a byte queue. */
export function takeFrom(chunks: Uint8Array[], max: number): Uint8Array {
  let total = 0;
  let whole = 0;
  while (whole < chunks.length && total + chunks[whole]!.length <= max) total += chunks[whole++]!.length;
  const rest = whole < chunks.length ? max - total : 0;
  if (whole === 1 && rest === 0) return chunks.shift()!;
  const out = new Uint8Array(total + rest);
  let at = 0;
  for (const chunk of chunks.splice(0, whole)) {
    out.set(chunk, at);
    at += chunk.length;
  }
  if (rest > 0) {
    out.set(chunks[0]!.subarray(0, rest), at);
    chunks[0] = chunks[0]!.subarray(rest);
  }
  return out;
}
