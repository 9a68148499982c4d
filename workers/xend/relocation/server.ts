/**
 * xend's relocation server: other hosts' xends connect to it and send domains (server/relocate.py and XendDomain in Xen 3.4;
 * the last words are ours, see ledger.ts).
 */

import { EndOfStream } from '../../lib/byteStream';
import { type Sxp, sxpText } from '../../lib/sxp';
import type { ArrivalWatch } from '../../migration/watch';
import type { XendDomainInfo } from '../domainInfo';
import type { Connection, XendEnvironment } from '../environment';
import { asXendError, textOf, XendError } from '../errors';
import type { XendLog } from '../log';
import type { XendOptions } from '../options';
import { askOnce, askOther, type OtherHost } from './agreement';
import { errorLine, readLine, STREAM_VERSION, writeLine } from './conversation';
import type { RelocationLedger } from './ledger';
import { checkVolumes } from './volumes';

export interface RelocationHost {
  readonly environment: XendEnvironment;
  readonly log: XendLog;
  readonly options: XendOptions;
  readonly ledger: RelocationLedger;
  /** Makes a domain from the stream; it is left paused, its devices connected. `config` is asked to agree first. */
  receive(connection: Connection, check: (config: Sxp) => ArrivalWatch | undefined): Promise<XendDomainInfo>;
  /** A failure that nobody waits for. */
  onError(error: unknown): void;
}

export class RelocationServer {
  #stop: (() => void) | undefined;

  constructor(private readonly host: RelocationHost) {}

  /** Listens if xend-config.sxp says so. */
  open(): void {
    const { options, environment, log } = this.host;
    if (!options.bool('xend-relocation-server')) return;
    const port = options.int('xend-relocation-port');
    this.#stop = environment.network.listen(options.text('xend-relocation-address') ?? '', port, (connection) => {
      this.#converse(connection).catch((error: unknown) => this.host.onError(error));
    });
    log.debug('relocate:160', `relocation server listening on port ${port}`);
  }

  close(): void {
    this.#stop?.();
    this.#stop = undefined;
  }

  async #converse(connection: Connection): Promise<void> {
    const { log } = this.host;
    if (!this.#isAllowed(connection.peerAddress)) {
      log.warning('connection:150', `Rejected connection from ${connection.peerAddress} (${connection.peerAddress}).`);
      connection.close();
      return;
    }
    try {
      for (;;) {
        const [command = '', argument = ''] = (await readLine(connection)).trim().split(/\s+/);
        if (!(await this.#obey(connection, command, argument))) break;
      }
    } catch (error) {
      if (!(error instanceof EndOfStream)) throw error;
    } finally {
      connection.close();
    }
  }

  /** False: the conversation is over. */
  async #obey(connection: Connection, command: string, argument: string): Promise<boolean> {
    switch (command) {
      case 'receive':
        await writeLine(connection, '(ready receive)');
        connection.hurry();
        await this.#receive(connection);
        return false;
      case 'status':
        await writeLine(connection, `(status (owner ${this.host.ledger.get(argument)}))`);
        return true;
      case 'help':
        await writeLine(connection, '(ok help quit receive sslreceive)');
        return true;
      case 'quit':
        return false;
      default:
        await writeLine(connection, errorLine(new XendError(`Invalid command: ${command}`)));
        return true;
    }
  }

  async #receive(connection: Connection): Promise<void> {
    const { log, ledger } = this.host;
    let token = '';
    let watch: ArrivalWatch | undefined;
    let domain: XendDomainInfo;
    try {
      domain = await this.host.receive(connection, (config) => {
        const version = sxpText(config, 'stream_version');
        if (version !== STREAM_VERSION)
          throw new XendError(
            `migration from a host of another version (stream ${version ?? 'unknown'}, here ${STREAM_VERSION})`,
          );
        checkVolumes(this.host.environment, config);
        token = sxpText(config, 'migration') ?? '';
        watch = this.#watch(connection, token, sxpText(config, 'name') ?? '');
        return watch;
      });
    } catch (error) {
      log.error('relocate:100', `Receiving a domain failed: ${textOf(error)}`);
      const refusal = asXendError(error);
      if (!(refusal instanceof XendError || refusal instanceof EndOfStream)) throw error;
      watch?.ended({ failed: textOf(error) });
      if (!connection.hasEnded) await writeLine(connection, errorLine(refusal));
      else if (token !== '' && (await this.#isCancelled(connection, token))) watch?.ended('cancelled');
      return;
    }
    ledger.set(token, 'arriving');
    if (await this.#isOurs(connection, token)) {
      ledger.set(token, 'owned');
      domain.unpause();
      watch?.running(domain.domid);
      watch?.ended('done');
      if (!connection.hasEnded) await writeLine(connection, '(running)');
    } else {
      ledger.set(token, 'dropped');
      domain.destroy();
      log.info('relocate:120', `Domain ${domain.name} (${domain.domid}) stays where it was.`);
      watch?.ended({ failed: `Domain ${domain.name} stays where it was.` });
      if (await this.#isCancelled(connection, token)) watch?.ended('cancelled');
    }
  }

  #watch(connection: Connection, id: string, domain: string): ArrivalWatch | undefined {
    const { log, environment } = this.host;
    const say = (line: string) => log.info('XendCheckpoint:403', line);
    return environment.migrations?.arriving({ id, domain, peer: connection.peerAddress, say });
  }

  /** Whether somebody at the other host has ended it; says so in the log. */
  async #isCancelled({ peerAddress }: Connection, token: string): Promise<boolean> {
    const { environment, log } = this.host;
    if (!environment.network.isPoweredOn(peerAddress)) return false;
    if ((await askOnce(environment, this.#other(peerAddress), token)) !== 'cancelled') return false;
    log.info('relocate:110', `The migration from ${peerAddress} was cancelled there.`);
    return true;
  }

  #other(address: string): OtherHost {
    return { address, port: this.host.options.int('xend-relocation-port') };
  }

  /** The domain is here whole: does the other host let go of it? */
  async #isOurs(connection: Connection, token: string): Promise<boolean> {
    const { environment } = this.host;
    try {
      await writeLine(connection, '(prepared)');
      return (await readLine(connection)) === 'commit';
    } catch (error) {
      if (!(error instanceof EndOfStream)) throw error;
      const answer = await askOther(environment, this.#other(connection.peerAddress), token, (line) =>
        this.host.log.warning('relocate:130', line),
      );
      // Given away, or gone with the machine that had it: then this is the only one left.
      return answer === 'given' || answer === 'off' || answer === 'unknown';
    }
  }

  #isAllowed(address: string): boolean {
    const patterns = (this.host.options.text('xend-relocation-hosts-allow') ?? '').split(/\s+/).filter(Boolean);
    return patterns.length === 0 || patterns.some((pattern) => isMatch(pattern, address));
  }
}

/** As Python's re.match: from the beginning. A pattern that is none admits nobody. */
function isMatch(pattern: string, address: string): boolean {
  try {
    return new RegExp(`^(?:${pattern})`).test(address);
  } catch {
    return false;
  }
}
