/** What two xends say to each other besides the stream: lines, as in Xen 3.4, and s-expressions as answers. */

import { type ByteSource, EndOfStream } from '../../lib/byteStream';
import { parseSxp, printSxp, type Sxp, SxpError, sxpName, sxpText } from '../../lib/sxp';
import type { Connection } from '../environment';
import { textOf, XendError } from '../errors';

/** Longer lines are nobody's. */
const MAX_LINE = 4096;
const NEWLINE = 10;

/** Hosts whose streams say something else are of another version. */
export const STREAM_VERSION = '1';

/** Without its end. Rejects with EndOfStream. */
export async function readLine(source: ByteSource): Promise<string> {
  const bytes: number[] = [];
  for (;;) {
    const [byte] = await source.read(1);
    if (byte === NEWLINE) return new TextDecoder().decode(Uint8Array.from(bytes));
    bytes.push(byte!);
    if (bytes.length > MAX_LINE) throw new EndOfStream('a line without an end');
  }
}

export function writeLine(connection: Connection, line: string): Promise<void> {
  return connection.write(new TextEncoder().encode(`${line}\n`));
}

/** `(err (type T) (value V))`, and `(by policy)` when the security policy of this host refuses. */
export function errorLine(error: unknown): string {
  const type = error instanceof Error ? error.name : 'Error';
  const by: Sxp[] = error instanceof XendError && error.isByPolicy ? [['by', 'policy']] : [];
  return printSxp(['err', ['type', type], ['value', textOf(error)], ...by]);
}

/** The answer's first word and the rest of it; an `(err …)` is thrown as the XendError that it tells of. */
export function parseAnswer(line: string): { readonly word: string; readonly rest: Sxp } {
  let sxp: Sxp | undefined;
  try {
    [sxp] = parseSxp(line);
  } catch (error) {
    if (!(error instanceof SxpError)) throw error;
  }
  const word = sxpName(sxp);
  if (sxp === undefined || word === undefined) throw new XendError(`unexpected answer: ${line}`);
  if (word === 'err') {
    const error = new XendError(sxpText(sxp, 'value') ?? line);
    error.isByPolicy = sxpText(sxp, 'by') === 'policy';
    throw error;
  }
  return { word, rest: sxp };
}
