/** Where a shell gets its commands from when it has none left: nowhere, standard input, or the terminal. */
import type { Step } from '../sys';
import { wait } from '../sys';
import { beginExit, pushText } from './flow';
import { interactiveInput } from './interactive';
import { parseScript } from './parser';
import { out, type Shell } from './state';

export function nextInput(sh: Shell): Step | undefined {
  const { st } = sh;
  switch (st.input.k) {
    case 'none':
      beginExit(sh, st.status);
      return undefined;
    case 'stdin':
      return fromStandardInput(sh, st.input);
    case 'tty':
      return interactiveInput(sh, st.input);
  }
}

const decoder = new TextDecoder();

/** Reads lines, one byte at a time (commands may read the rest), until they make a complete command. */
function fromStandardInput(sh: Shell, input: { text: string; eof: boolean }): Step | undefined {
  const { sys, st } = sh;
  const fd = st.fds[0];
  for (let i = 0; i < 4096; i++) {
    const bytes = fd === undefined ? new Uint8Array() : sys.read(fd, 1);
    if (!bytes) return wait({ readable: fd! });
    if (bytes.length === 0) {
      input.eof = true;
      break;
    }
    input.text += String.fromCharCode(bytes[0]!);
    if (bytes[0] === 10) break;
  }
  if (!input.eof && !input.text.endsWith('\n')) return undefined;
  const text = decoder.decode(Uint8Array.from(input.text, (c) => c.charCodeAt(0)));
  if (input.eof && text.trim() === '') {
    st.input = { k: 'none' };
    return undefined;
  }
  if (!input.eof && parseScript(text).error?.incomplete) return undefined;
  if (st.opts['v']) out(sh, text, 2);
  input.text = '';
  if (input.eof) st.input = { k: 'none' };
  pushText(sh, text);
  return undefined;
}
