/** which: the file that a command name stands for. */
import { quietly, tool } from '../options';

export const which = tool('which', { usage: '[-a] name ...', options: 'a' }, (sys, options, words) => {
  let status = 0;
  for (const name of words) {
    const places = name.includes('/')
      ? [name]
      : (sys.env['PATH'] ?? '').split(':').map((dir) => `${dir || '.'}/${name}`);
    const found = places.filter((path) => quietly(() => sys.stat(path))?.kind === 'file' && sys.access(path, 'x'));
    if (found.length === 0) {
      sys.eprint(`/usr/bin/which: no ${name} in (${sys.env['PATH'] ?? ''})\n`);
      status = 1;
    }
    for (const path of options.has('a') ? found : found.slice(0, 1)) sys.print(`${path}\n`);
  }
  return status;
});
