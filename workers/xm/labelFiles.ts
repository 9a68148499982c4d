/** The security label in a domain's configuration file (xm/addlabel.py, rmlabel.py, getlabel.py in Xen 3.4). */
import { XsmError } from '../xend/errors';
import { OptionError, XmError, type XmIo } from './command';

const REQUIRED = ['kernel', 'bootloader', 'memory', 'name'];

/** The file of that name here or in /etc/xen. Throws OptionError. */
export function findConfigFile(name: string, io: XmIo): string {
  const candidates = name.startsWith('/') ? [name] : [`${io.cwd}/${name}`, `/etc/xen/${name}`];
  const found = candidates.find((path) => io.files.exists(path) && !io.files.isDirectory(path));
  if (found === undefined) throw new OptionError(`Configuration file '${name}' not found.`);
  return found;
}

const textOf = (path: string, io: XmIo) => new TextDecoder().decode(io.files.read(path) ?? new Uint8Array(0));

/** Adds a label at the end. Throws XmError for what is no configuration, XsmError for one that has a label. */
export async function addFileLabel(name: string, path: string, label: string, policy: string, io: XmIo): Promise<void> {
  const text = textOf(path, io);
  if (!(await isConfiguration(text, path, io))) {
    io.print('Invalid configuration file.\n');
    throw new XmError('Invalid config file');
  }
  if (/^\s*access_control\s*=/im.test(text)) throw new XsmError(`Config file '${name}' is already labeled.`);
  // Differs from Xen, which writes on after a last line that does not end, and makes a file that Python does not read.
  const start = text === '' || text.endsWith('\n') ? text : `${text}\n`;
  writeFile(path, `${start}access_control = ['policy=${policy},label=${label}']\n`, io);
}

/** Merely a file that says something about a domain: disk images are mistaken for configurations now and then. */
async function isConfiguration(text: string, path: string, io: XmIo): Promise<boolean> {
  const environ = Object.fromEntries(
    Object.entries(io.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  const result = await io.python.run(text, path, {}, { uname: io.uname(), cwd: io.cwd, environ });
  return 'values' in result && REQUIRED.filter((key) => result.values[key] !== undefined).length >= 3;
}

/** `policy=P,label=L` as it stands in the file. Throws XsmError. */
export function fileLabel(path: string, io: XmIo): string {
  const match = /^access_control\s*=\s*\[\s*['"]([^\]]*?)['"]?\s*\]/im.exec(textOf(path, io));
  if (!match) throw new XsmError('Domain not labeled');
  return match[1]!.replace(/\s+/g, '');
}

/** Makes the lines of the label comments. Throws XsmError. */
export function removeFileLabel(path: string, io: XmIo): void {
  let isInside = false;
  let isFound = false;
  const lines = textOf(path, io)
    .split('\n')
    .map((line) => {
      if (/^access_control\s*=/i.test(line)) isInside = true;
      if (!isInside) return line;
      isFound = true;
      if (/['"]\s*\]/.test(line)) isInside = false;
      return `#${line}`;
    });
  if (!isFound) throw new XsmError('Domain not labeled');
  writeFile(path, lines.join('\n'), io);
}

function writeFile(path: string, text: string, io: XmIo): void {
  if (!io.files.write) throw new XmError(`[Errno 30] Read-only file system: '${path}'`);
  io.files.write(path, text);
}
