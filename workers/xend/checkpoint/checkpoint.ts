/**
 * Saving a domain into a stream and making one out of a stream: the frame around the memory image
 * (tools/python/xen/xend/XendCheckpoint.py, Xen 3.4).
 */
import { type ByteSink, type ByteSource, EndOfStream } from '../../lib/byteStream';
import { XenError } from '../../lib/errno';
import { parseSxp, printSxp, type Sxp, SxpError } from '../../lib/sxp';
import { type RestoreObserver, restoreDomain } from '../../migration/restore';
import { type SaveObserver, saveDomain } from '../../migration/save';
import { readHeader, StreamError, writeHeader } from '../../migration/stream';
import type { DomainFiller } from '../domainBuilder';
import type { DomainHost, XendDomainInfo } from '../domainInfo';
import { textOf, XendError } from '../errors';
import { keptSxp } from '../managed';
import { XcRestoredDomain } from './restoredDomain';
import { openSaved } from './savedDomain';
import { SaveLog } from './saveLog';

const XC_SAVE = '/usr/lib/xen/bin/xc_save';
const XC_RESTORE = '/usr/lib/xen/bin/xc_restore';
/** The file descriptor that the helpers get; xend's own files come before it. */
const FD = 22;
const LIVE = 1;
const HVM = 4;

export interface SaveRequest {
  readonly isLive: boolean;
  /** The domain goes on afterwards. */
  readonly isCheckpoint: boolean;
  /** What else the configuration says. */
  readonly extraConfig?: readonly Sxp[];
  /** Everything is sent: resolves when somebody else has the domain and it may be destroyed here. */
  handOver?(): Promise<void>;
  readonly observer?: SaveObserver;
  /** Somebody wants it to end: then nobody waits for a guest that has not answered yet. */
  isUnwanted?(): boolean;
}

/**
 * Sends the domain. Afterwards it is destroyed, or goes on when it is a checkpoint. On failure it goes on under its own name
 * and the error is thrown: XendError, or whatever the sink rejected with.
 */
export async function saveCheckpoint(domain: XendDomainInfo, sink: ByteSink, request: SaveRequest): Promise<void> {
  const { log, xc } = domain.host;
  const { name, domid } = domain;
  if (!request.isCheckpoint) domain.callFor(`migrating-${name}`);
  try {
    await writeHeader(sink, printSxp([...keptSxp({ ...domain.config, name }), ...(request.extraConfig ?? [])]));
    const saveLog = new SaveLog(domain.host, domid);
    const suspend = async () => {
      log.debug('XendCheckpoint:110', 'In saveInputHandler suspend');
      log.debug('XendCheckpoint:112', `Suspending ${domid} ...`);
      await domain.power.suspend(request.isUnwanted);
      log.info('XendCheckpoint:120', `Domain ${domid} suspended.`);
    };
    const saved = openSaved(xc, domid, suspend);
    const flags = (request.isLive ? LIVE : 0) | (saved.p2mFrames ? 0 : HVM);
    const command = `${XC_SAVE} ${FD} ${domid} 0 0 ${flags}`;
    log.debug('XendCheckpoint:103', `[xc_save]: ${command}`);
    try {
      const observers = [saveLog, ...(request.observer ? [request.observer] : [])];
      await saveDomain(saved, sink, { isLive: request.isLive, observers });
    } catch (error) {
      if (error instanceof XendError || error instanceof EndOfStream) throw error;
      log.error('XendCheckpoint:403', textOf(error));
      throw new XendError(`${command} failed`, { cause: error });
    } finally {
      saved.close();
    }
    await request.handOver?.();
    if (request.isCheckpoint) domain.power.resumeHere();
    else {
      domain.destroy();
      await domain.released();
    }
  } catch (error) {
    log.error('XendCheckpoint:138', `Save failed on domain ${name} (${domid}) - resuming.`);
    domain.power.resumeHere();
    if (!request.isCheckpoint) domain.callFor(name);
    throw error;
  }
}

/** The configuration in front of an image; rejects with XendError when the bytes are no state of a guest. */
export async function readConfig(source: ByteSource): Promise<Sxp> {
  try {
    const [config] = parseSxp(await readHeader(source));
    if (config !== undefined) return config;
  } catch (error) {
    if (error instanceof StreamError) throw new XendError(error.message);
    if (!(error instanceof SxpError)) throw error;
  }
  throw new XendError('not a valid guest state file: config parse');
}

/** Fills a new domain with the image that follows the configuration. */
export function imageFiller(
  { xc, log, environment }: DomainHost,
  source: ByteSource,
  observer?: RestoreObserver,
): DomainFiller {
  return {
    check: () => Promise.resolve(),
    async fill(domid, ports) {
      const command = `${XC_RESTORE} ${FD} ${domid} ${ports.storePort} ${ports.consolePort} 0 0 0`;
      log.debug('XendCheckpoint:270', `[xc_restore]: ${command}`);
      const domain = new XcRestoredDomain(xc, environment, domid);
      const say = (line: string) => log.info('XendCheckpoint:403', line);
      try {
        const image = await restoreDomain(source, domain, observer);
        say(`xc_domain_restore start: p2m_size = ${image.p2mSize.toString(16)}`);
        say('Received all pages (0 races)');
        const rings = await domain.finish(image, ports);
        say(`Memory reloaded (${image.received} pages)`);
        say('Domain ready to be built.');
        say('Restore exit with rc=0');
        return { ...rings, notes: undefined };
      } catch (error) {
        // The hypervisor refuses what no guest of its own can have: registers, frames.
        if (!(error instanceof StreamError || error instanceof EndOfStream || error instanceof XenError)) throw error;
        log.error('XendCheckpoint:403', `ERROR Internal error: ${error.message}`);
        throw new XendError('Restore failed');
      }
    },
  };
}
