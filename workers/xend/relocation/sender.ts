/**
 * `xm migrate` on the host that has the domain: connects to the other xend, sends the domain, and gives it away with the last
 * word (XendDomain.domain_migrate in Xen 3.4; the last words are ours, see ledger.ts).
 */

import { type ByteSink, EndOfStream } from '../../lib/byteStream';
import type { Sxp } from '../../lib/sxp';
import type { DepartureWatch } from '../../migration/watch';
import { saveCheckpoint } from '../checkpoint/checkpoint';
import type { XendDomainInfo } from '../domainInfo';
import { ConnectError, type Connection, randomUuid, sleep, type XendEnvironment } from '../environment';
import { textOf, XendError } from '../errors';
import { askOther } from './agreement';
import { type Cancellation, MigrationCancelled } from './cancellation';
import { parseAnswer, readLine, STREAM_VERSION, writeLine } from './conversation';
import type { RelocationLedger } from './ledger';
import { volumesOf } from './volumes';

export interface MigrateRequest {
  readonly host: string;
  readonly port: number;
  readonly isLive: boolean;
  /** Of the link, Mbit/s; undefined: as fast as it goes. */
  readonly rateMbps: number | undefined;
}

/** Rejects with XendError; the domain goes on here then. */
export async function sendDomain(
  environment: XendEnvironment,
  ledger: RelocationLedger,
  domain: XendDomainInfo,
  request: MigrateRequest,
  cancellation: Cancellation,
): Promise<void> {
  const volumes = volumesOf(domain);
  const { name, domid } = domain;
  const { log } = domain.host;
  const token = randomUuid(environment.random);
  const watch = environment.migrations?.leaving({
    id: token,
    domain: name,
    domid,
    peer: request.host,
    isLive: request.isLive,
    rateMbps: request.rateMbps,
    say: (line) => log.info('XendCheckpoint:403', line),
  });
  try {
    await send(environment, ledger, domain, {
      ...request,
      volumes,
      token,
      watch,
      cancellation,
      warn: (line) => log.warning('XendDomain:1305', line),
    });
    watch?.ended('done');
  } catch (error) {
    const isCancelled = error instanceof MigrationCancelled;
    if (isCancelled)
      log.info('XendDomain:1310', `Migration of ${name} (${domid}) to ${request.host} was cancelled: it goes on here.`);
    watch?.ended(isCancelled ? 'cancelled' : { failed: textOf(error) });
    if (error instanceof XendError && error.isByPolicy)
      environment.onVerdict?.({
        asked: 'migrate',
        who: name,
        resource: request.host,
        isPermitted: false,
        // As the other host's policy tools said it, without the quotation marks.
        text: error.message.replace(/^(['"])(.*)\1$/, '$2'),
        reason: `The policy of ${request.host} refused it: its own decision, and the reason, are kept on that host.`,
      });
    throw error;
  }
}

interface Sending extends MigrateRequest {
  readonly warn: (line: string) => void;
  /** Where its disks are, for the other host to compare. */
  readonly volumes: Sxp;
  readonly token: string;
  readonly watch: DepartureWatch | undefined;
  readonly cancellation: Cancellation;
}

async function send(
  environment: XendEnvironment,
  ledger: RelocationLedger,
  domain: XendDomainInfo,
  sending: Sending,
): Promise<void> {
  const { token, watch, cancellation } = sending;
  const { name } = domain;
  const connection = await connect(environment, name, sending);
  ledger.set(token, 'leaving');
  cancellation.onWanted(() => {
    ledger.set(token, 'cancelled');
    connection.close();
  });
  try {
    await writeLine(connection, 'receive');
    const { word, rest } = parseAnswer(await readLine(connection));
    if (word !== 'ready' || rest[1] !== 'receive') throw new XendError(`unexpected answer: ${word}`);
    connection.hurry();
    watch?.connected();
    const sink = sending.rateMbps === undefined ? connection : paced(environment, connection, sending.rateMbps);
    await saveCheckpoint(domain, sink, {
      isLive: sending.isLive,
      isCheckpoint: false,
      ...(watch ? { observer: watch } : {}),
      extraConfig: [['migration', token], ['stream_version', STREAM_VERSION], sending.volumes],
      isUnwanted: () => cancellation.isWanted,
      handOver: () => handOver(environment, ledger, connection, sending),
    });
  } catch (error) {
    if (cancellation.isWanted) throw new MigrationCancelled(name, sending.host);
    throw (await refusalOf(connection)) ?? asFailure(error);
  } finally {
    connection.close();
  }
}

/** Rejects with XendError, also when somebody loses patience. */
async function connect(environment: XendEnvironment, domain: string, sending: Sending): Promise<Connection> {
  const { host, port, cancellation } = sending;
  const connecting = environment.network.connect(host, port);
  const cancelled = new Promise<never>((_, reject) => {
    cancellation.onWanted(() => reject(new MigrationCancelled(domain, host)));
  });
  try {
    return await Promise.race([connecting, cancelled]);
  } catch (error) {
    // It may still come about, and then nobody has a use for it.
    connecting.then(
      (connection) => connection.close(),
      () => {},
    );
    if (error instanceof ConnectError) throw new XendError(`can't connect: ${error.message}`);
    throw error;
  }
}

/** The other host has everything: it says so, hears that the domain is its own, and says that it runs. */
async function handOver(
  environment: XendEnvironment,
  ledger: RelocationLedger,
  connection: Connection,
  { token, port, watch, cancellation, warn }: Sending,
): Promise<void> {
  const { word } = parseAnswer(await readLine(connection));
  if (word !== 'prepared') throw new XendError(`unexpected answer: ${word}`);
  if (!cancellation.seal()) throw new EndOfStream('cancelled');
  ledger.set(token, 'given');
  try {
    await writeLine(connection, 'commit');
    parseAnswer(await readLine(connection));
  } catch (error) {
    if (!(error instanceof EndOfStream)) throw error;
    const other = { address: connection.peerAddress, port };
    // While it says `arriving` it has yet to decide.
    const owner = await askOther(environment, other, token, warn, (answer) => answer !== 'arriving');
    if (owner !== 'owned') throw new XendError('the connection was lost');
  }
  watch?.running();
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
