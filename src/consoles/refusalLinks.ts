/** Makes each refusal of the security policy in a terminal a link to its reason. */
import type { IBufferRange, ILink, Terminal } from '@xterm/xterm';
import { refusalsIn } from '../policy/refusals';
import { text } from '../policy/text';

/** `open`: with the refusal's words, and how many equal ones stand below it. */
export function registerRefusalLinks(terminal: Terminal, open: (refusal: string, back: number) => void): void {
  terminal.registerLinkProvider({
    provideLinks(row, callback) {
      const line = logicalLine(terminal, row - 1);
      const links = refusalsIn(line.text).map(({ start, end, text: refusal }): ILink => {
        const hint = terminal.element;
        return {
          range: rangeOf(terminal, line.firstRow, start, end),
          text: refusal,
          activate: () => open(refusal, equalBelow(terminal, line.lastRow, refusal)),
          hover: () => hint?.setAttribute('title', text.refusalHint),
          leave: () => hint?.removeAttribute('title'),
        };
      });
      callback(links.length > 0 ? links : undefined);
    },
  });
}

interface LogicalLine {
  /** Rows of the buffer, from 0. */
  readonly firstRow: number;
  readonly lastRow: number;
  readonly text: string;
}

/** The line that a row belongs to, joined over wrapped rows. */
function logicalLine(terminal: Terminal, row: number): LogicalLine {
  const { active } = terminal.buffer;
  let firstRow = row;
  while (firstRow > 0 && active.getLine(firstRow)?.isWrapped) firstRow -= 1;
  let lastRow = firstRow;
  let line = active.getLine(firstRow)?.translateToString() ?? '';
  while (active.getLine(lastRow + 1)?.isWrapped) {
    lastRow += 1;
    line += active.getLine(lastRow)?.translateToString() ?? '';
  }
  return { firstRow, lastRow, text: line.trimEnd() };
}

function rangeOf(terminal: Terminal, firstRow: number, start: number, end: number): IBufferRange {
  const place = (offset: number) => ({
    x: (offset % terminal.cols) + 1,
    y: firstRow + Math.floor(offset / terminal.cols) + 1,
  });
  return { start: place(start), end: place(end - 1) };
}

function equalBelow(terminal: Terminal, lastRow: number, refusal: string): number {
  let count = 0;
  for (let row = lastRow + 1; row < terminal.buffer.active.length; row += 1) {
    const line = logicalLine(terminal, row);
    row = line.lastRow;
    count += refusalsIn(line.text).filter(({ text: other }) => other === refusal).length;
  }
  return count;
}
