/**
 * After a connection was lost in the middle of the last words: asks the other host what it did, until one of the two hosts
 * has the domain for certain.
 *
 * A host that is switched off has lost what it held in memory; one that does not answer although it is on must be waited
 * for, since it may have the domain.
 */

import { EndOfStream } from '../../lib/byteStream';
import { sxpText } from '../../lib/sxp';
import { ConnectError, sleep, type XendEnvironment } from '../environment';
import { XendError } from '../errors';
import { parseAnswer, readLine, writeLine } from './conversation';
import type { Ownership } from './ledger';

const RETRY_MS = 1000;

export interface OtherHost {
  readonly address: string;
  readonly port: number;
}

/** What the other host says of the token; `off` when its machine is. Asks as long as it takes to get a final answer. */
export async function askOther(
  environment: XendEnvironment,
  other: OtherHost,
  token: string,
  say: (line: string) => void,
  isFinal: (answer: Ownership | 'unknown') => boolean = () => true,
): Promise<Ownership | 'unknown' | 'off'> {
  say(
    `The connection to ${other.address} was lost while a domain was handed over: waiting for its word, unless it is known to be off.`,
  );
  for (;;) {
    const answer = await askOnce(environment, other, token);
    if (answer && isFinal(answer)) return answer;
    if (!environment.network.isPoweredOn(other.address)) return 'off';
    await sleep(environment, RETRY_MS);
  }
}

/** The same without patience: undefined when it does not answer. */
export async function askOnce(
  { network }: XendEnvironment,
  { address, port }: OtherHost,
  token: string,
): Promise<Ownership | 'unknown' | undefined> {
  try {
    const connection = await network.connect(address, port);
    try {
      await writeLine(connection, `status ${token}`);
      const { rest } = parseAnswer(await readLine(connection));
      return sxpText(rest, 'owner') as Ownership | 'unknown' | undefined;
    } finally {
      connection.close();
    }
  } catch (error) {
    if (error instanceof ConnectError || error instanceof EndOfStream || error instanceof XendError) return undefined;
    throw error;
  }
}
