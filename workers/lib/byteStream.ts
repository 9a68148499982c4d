/** Bytes that go somewhere or come from somewhere, in order: a file, a connection. */

/** Where bytes go. Resolves when they are on their way; rejects when they cannot be. */
export interface ByteSink {
  write(bytes: Uint8Array): Promise<void>;
}

export interface ByteSource {
  /** Exactly so many bytes; rejects with EndOfStream when there are fewer. */
  read(length: number): Promise<Uint8Array>;
}

/** There are fewer bytes than somebody needs. */
export class EndOfStream extends Error {
  override readonly name = 'EndOfStream';
}
