/** A domain's state in a file of Domain-0, written and read at the speed of a disk. */
import type { ByteSink, ByteSource } from '../../lib/byteStream';
import { EndOfStream } from '../../lib/byteStream';
import { sleep, type XendEnvironment } from '../environment';

/** What a disk of the time took and gave: 80 MB/s (docs/costs.md). */
const BYTES_PER_MS = 80_000;

/** Waits as long as a disk would take, in whole milliseconds. */
class DiskPace {
  #owed = 0;

  constructor(private readonly environment: XendEnvironment) {}

  async moved(bytes: number): Promise<void> {
    this.#owed += bytes / BYTES_PER_MS;
    const ms = Math.floor(this.#owed);
    if (ms === 0) return;
    this.#owed -= ms;
    await sleep(this.environment, ms);
  }
}

/** Runs `work` with the file as its sink. Throws SysError when it cannot be made or has no room. */
export async function withSink(
  environment: XendEnvironment,
  path: string,
  work: (sink: ByteSink) => Promise<void>,
): Promise<void> {
  const file = environment.openFile(path, 'write');
  const pace = new DiskPace(environment);
  try {
    await work({
      async write(bytes) {
        file.write(bytes);
        await pace.moved(bytes.length);
      },
    });
  } finally {
    file.close();
  }
}

/** Runs `work` with the file as its source. Throws SysError when it cannot be read. */
export async function withSource<T>(
  environment: XendEnvironment,
  path: string,
  work: (source: ByteSource) => Promise<T>,
): Promise<T> {
  const file = environment.openFile(path, 'read');
  const pace = new DiskPace(environment);
  try {
    return await work({
      async read(length) {
        const bytes = file.read(length);
        if (bytes.length < length) throw new EndOfStream(`${length - bytes.length} bytes are missing`);
        await pace.moved(length);
        return bytes;
      },
    });
  } finally {
    file.close();
  }
}
