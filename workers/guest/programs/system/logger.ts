/** logger: a line for /var/log/messages in syslog's format (util-linux 2.13). */
import { exit, type Program, wait } from '../../sys';
import { formatDate } from '../dates';
import { optionsOf, type ToolSpec } from '../options';
import { type LineReader, lineReader, nextLine } from '../text/lines';
import { userName } from '../users';

const SPEC: ToolSpec = {
  usage: '[-is] [-f file] [-p pri] [-t tag] [message ...]',
  options: 'isf:p:t:u:d',
  stopAtWord: true,
};
const LOG = '/var/log/messages';

interface LoggerState {
  readonly status: number;
  readonly tag: string;
  readonly isEchoed: boolean;
  readonly message: string;
  reader: LineReader | null;
}

export const logger: Program<LoggerState> = {
  name: 'logger',
  start(sys) {
    const options = optionsOf(sys, 'logger', SPEC);
    if (typeof options === 'number') return { status: options, tag: '', isEchoed: false, message: '', reader: null };
    const name = options.value('t') ?? userName(sys, sys.uid);
    const tag = options.has('i') ? `${name}[${sys.pid}]` : name;
    const message = options.words.join(' ');
    const file = options.value('f');
    const reader = message !== '' ? null : lineReader(file === undefined ? 0 : sys.open(file, { read: true }));
    return { status: -1, tag, isEchoed: options.has('s'), message, reader };
  },
  step(sys, state) {
    if (state.status >= 0) return exit(state.status);
    const log = (text: string) => {
      const line = `${formatDate('%b %e %H:%M:%S', sys.wallClock)} ${sys.uname().nodename.split('.')[0]} ${state.tag}: ${text}\n`;
      sys.writeFile(LOG, line, { append: true, mode: 0o600 });
      if (state.isEchoed) sys.eprint(`${state.tag}: ${text}\n`);
    };
    if (!state.reader) {
      log(state.message);
      return exit(0);
    }
    for (;;) {
      const line = nextLine(sys, state.reader);
      if (line === undefined) return wait({ readable: state.reader.fd });
      if (line === null) return exit(0);
      log(line.text);
    }
  },
};
