/**
 * `xm migrate` on the host that has the domain: connects to the other xend, sends the domain, and gives it away with the last
 * word (XendDomain.domain_migrate in Xen 3.4; the last words are ours, see ledger.ts).
 */

import { type ByteSink, EndOfStream } from '../../lib/byteStream';
import type { SaveObserver } from '../../migration/save';
import { saveCheckpoint } from '../checkpoint/checkpoint';
import type { XendDomainInfo } from '../domainInfo';
import { ConnectError, type Connection, randomUuid, sleep, type XendEnvironment } from '../environment';
import { XendError } from '../errors';
import { askOther } from './agreement';
import { parseAnswer, readLine, STREAM_VERSION, writeLine } from './conversation';
import type { RelocationLedger } from './ledger';
import { volumesOf } from './volumes';

export interface MigrateRequest {
  readonly host: string;
  readonly port: number;
  readonly isLive: boolean;
  /** Of the link, Mbit/s; undefined: as fast as it goes. */
  readonly rateMbps: number | undefined;
  readonly observer?: SaveObserver;
}

/** Rejects with XendError; the domain goes on here then. */
export async function sendDomain(
  environment: XendEnvironment,
  ledger: RelocationLedger,
  domain: XendDomainInfo,
  request: MigrateRequest,
): Promise<void> {
  const volumes = volumesOf(domain);
  const connection = await connect(environment, request);
  const token = randomUuid(environment.random);
  ledger.set(token, 'leaving');
  try {
    await writeLine(connection, 'receive');
    const { word, rest } = parseAnswer(await readLine(connection));
    if (word !== 'ready' || rest[1] !== 'receive') throw new XendError(`unexpected answer: ${word}`);
    connection.hurry();
    const sink = request.rateMbps === undefined ? connection : paced(environment, connection, request.rateMbps);
    await saveCheckpoint(domain, sink, {
      isLive: request.isLive,
      isCheckpoint: false,
      ...(request.observer ? { observer: request.observer } : {}),
      extraConfig: [['migration', token], ['stream_version', STREAM_VERSION], volumes],
      handOver: () => handOver(environment, ledger, connection, { ...request, token }),
    });
  } catch (error) {
    throw (await refusalOf(connection)) ?? asFailure(error);
  } finally {
    connection.close();
  }
}

async function connect(environment: XendEnvironment, { host, port }: MigrateRequest): Promise<Connection> {
  try {
    return await environment.network.connect(host, port);
  } catch (error) {
    if (error instanceof ConnectError) throw new XendError(`can't connect: ${error.message}`);
    throw error;
  }
}

/** The other host has everything: it says so, hears that the domain is its own, and says that it runs. */
async function handOver(
  environment: XendEnvironment,
  ledger: RelocationLedger,
  connection: Connection,
  { token, port }: { token: string; port: number },
): Promise<void> {
  const { word } = parseAnswer(await readLine(connection));
  if (word !== 'prepared') throw new XendError(`unexpected answer: ${word}`);
  ledger.set(token, 'given');
  try {
    await writeLine(connection, 'commit');
    parseAnswer(await readLine(connection));
  } catch (error) {
    if (!(error instanceof EndOfStream)) throw error;
    const other = { address: connection.peerAddress, port };
    // While it says `arriving` it has yet to decide.
    const owner = await askOther(environment, other, token, (answer) => answer !== 'arriving');
    if (owner !== 'owned') throw new XendError('the connection was lost');
  }
}

/** What the other host said before it closed the connection. */
async function refusalOf(connection: Connection): Promise<XendError | undefined> {
  if (!connection.hasEnded) return undefined;
  try {
    parseAnswer(await readLine(connection));
  } catch (error) {
    if (error instanceof XendError) return error;
    if (!(error instanceof EndOfStream)) throw error;
  }
  return undefined;
}

function asFailure(error: unknown): unknown {
  return error instanceof EndOfStream ? new XendError('the connection was lost') : error;
}

/** No more than so many bits in a second. */
function paced(environment: XendEnvironment, connection: Connection, mbps: number): ByteSink {
  let owedMs = 0;
  return {
    async write(bytes) {
      await connection.write(bytes);
      owedMs += (bytes.length * 8) / (mbps * 1000);
      const ms = Math.floor(owedMs);
      if (ms === 0) return;
      owedMs -= ms;
      await sleep(environment, ms);
    },
  };
}
