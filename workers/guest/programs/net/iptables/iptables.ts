/** iptables: the rules by which the kernel lets packets through (iptables 1.3.5). */
import type { Program } from '../../../sys';
import { command } from '../../adapters';
import { parseCommandLine } from './commandLine';
import { report, VERSION } from './complaint';
import { HELP } from './help';
import { readTable, runCommand, writeTable } from './runCommand';

export const iptables: Program = command('iptables', (sys, args) => {
  try {
    const line = parseCommandLine(sys, args);
    if ('information' in line) {
      if (line.information === 'help') sys.print(HELP + line.rule.help());
      else sys.print(line.information === 'version' ? `iptables v${VERSION}\n` : `Not ${VERSION} ;-)\n`);
      return 0;
    }
    const table = readTable(sys, line.table);
    if (runCommand(sys, line, table)) writeTable(sys, line.table, table);
    return 0;
  } catch (error) {
    return report(sys, 'iptables', error);
  }
});
