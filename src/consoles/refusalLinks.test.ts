import type { ILink, ILinkProvider, Terminal } from '@xterm/xterm';
import { expect, it } from 'vitest';
import { registerRefusalLinks } from './refusalLinks';

/** Rows of a terminal that is so wide; a row that begins with ↪ goes on with the one above. */
function terminal(cols: number, rows: readonly string[]) {
  let provider: ILinkProvider | undefined;
  const lines = rows.map((row) => ({
    isWrapped: row.startsWith('↪'),
    translateToString: () => row.replace('↪', '').padEnd(cols),
  }));
  const fake = {
    cols,
    buffer: { active: { length: lines.length, getLine: (row: number) => lines[row] } },
    registerLinkProvider: (each: ILinkProvider) => {
      provider = each;
    },
  };
  const opened: (readonly [string, number])[] = [];
  registerRefusalLinks(fake as unknown as Terminal, (text, back) => opened.push([text, back]));
  const linksAt = (row: number) => {
    let found: readonly ILink[] = [];
    provider!.provideLinks(row, (links) => {
      found = links ?? [];
    });
    return found;
  };
  return { linksAt, opened };
}

const click = ([link]: readonly ILink[]) => link!.activate(new MouseEvent('click'), link!.text);

it('makes a link of a refusal that goes over two rows, from either of them', () => {
  const { linksAt, opened } = terminal(40, [
    '# xm create domain1.xm',
    "Error: VM's access to block device 'file:",
    "↪/a.img' denied",
  ]);
  expect(linksAt(1)).toEqual([]);
  for (const row of [2, 3])
    expect(linksAt(row).map(({ range }) => range)).toEqual([{ start: { x: 8, y: 2 }, end: { x: 15, y: 3 } }]);
  click(linksAt(3));
  expect(opened).toEqual([["VM's access to block device 'file:/a.img' denied", 0]]);
});

it('tells equal refusals apart by how many stand below', () => {
  const line = "Error: 'Domain in conflict set with running domains'";
  const { linksAt, opened } = terminal(80, [line, 'Error: VM is not authorized to run.', line, '# ', line]);
  for (const row of [1, 3, 5]) click(linksAt(row));
  expect(opened.map(([, back]) => back)).toEqual([2, 1, 0]);
});
