/** xm save, restore, suspend, resume: a domain's state kept in a file, and continued from it. */
import { getopt } from '../../lib/getopt';
import { XendError } from '../../xend/errors';
import { OptionError, type XmCommand, type XmContext, XmError, type XmResult } from '../command';
import { bringUp } from './create';

const pausedOption = { short: 'p', long: 'paused' };
const saveOptions = [{ short: 'c', long: 'checkpoint', help: 'Leave domain running after creating snapshot' }] as const;
const restoreOptions = [{ ...pausedOption, help: 'Do not unpause domain after restoring it' }];
const resumeOptions = [{ ...pausedOption, help: 'Do not unpause domain after resuming it' }];

export const save: XmCommand = {
  name: 'save',
  usage: '[-c] <Domain> <CheckpointFile>',
  summary: 'Save a domain state to restore later.',
  group: 'domain',
  options: saveOptions,
  async run({ io, xend }, args) {
    const options = getopt(args, saveOptions);
    const [domain, file] = options.words;
    if (domain === undefined || file === undefined || options.words.length > 2)
      throw new OptionError('Expects 2 arguments');
    const path = absolute(io.cwd, file);
    const directory = path.slice(0, path.lastIndexOf('/')) || '/';
    if (!io.files.isDirectory(directory)) throw new XmError(`xm save: Unable to create file ${file}`, { usage: false });
    await xend.save(domain, path, options.has('checkpoint'));
    return 0;
  },
};

export const restore: XmCommand = {
  name: 'restore',
  usage: '<CheckpointFile> [-p]',
  summary: 'Restore a domain from a saved state.',
  group: 'domain',
  options: restoreOptions,
  async run(context, args) {
    const options = getopt(args, restoreOptions);
    const [file] = options.words;
    if (file === undefined || options.words.length > 1) throw new OptionError('Expects 1 argument');
    const path = absolute(context.io.cwd, file);
    const { files } = context.io;
    if (!files.exists(path) || files.isDirectory(path))
      throw new XmError(`xm restore: Unable to read file ${file}`, { usage: false });
    return goOn(context, await context.xend.restore(path), options.has('paused'));
  },
};

export const suspend: XmCommand = {
  name: 'suspend',
  usage: '<DomainName>',
  summary: 'Suspend a Xend managed domain',
  group: 'domain',
  minArgs: 1,
  maxArgs: 1,
  async run({ xend }, [domain]) {
    await xend.suspend(domain!);
    return 0;
  },
};

export const resume: XmCommand = {
  name: 'resume',
  usage: '<DomainName>',
  summary: 'Resume a Xend managed domain',
  group: 'domain',
  options: resumeOptions,
  async run(context, args) {
    const options = getopt(args, resumeOptions);
    const [domain] = options.words;
    if (domain === undefined || options.words.length > 1) throw new OptionError('Wrong number of parameters');
    try {
      const summary = await context.xend.resume(domain);
      return await goOn(context, summary, options.has('paused'));
    } catch (error) {
      if (!(error instanceof XendError)) throw error;
      throw new XmError(`Error occurred when resuming: ${error.message}`, { usage: false });
    }
  },
};

function goOn(
  context: XmContext,
  domain: Awaited<ReturnType<XmContext['xend']['restore']>>,
  isPaused: boolean,
): Promise<XmResult> {
  return bringUp(context, () => Promise.resolve(domain), { isQuiet: true, isPaused, withConsole: false });
}

function absolute(cwd: string, path: string): string {
  return path.startsWith('/') ? path : `${cwd === '/' ? '' : cwd}/${path}`;
}
