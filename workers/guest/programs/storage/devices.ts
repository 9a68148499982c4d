/** mknod and sync (coreutils 5.97). */
import { exit, type Program, wait } from '../../sys';
import { changeMode } from '../modes';
import { attempt, ToolError, tool, UsageError } from '../options';

const POLL_NS = 1_000_000;

export const mknod = tool(
  'mknod',
  { usage: '[OPTION]... NAME TYPE [MAJOR MINOR]', options: 'm:Z:', long: { mode: 'm' } },
  (sys, options, words) => {
    const [name, type, major, minor, extra] = words;
    if (name === undefined) throw new UsageError('missing operand');
    if (type === undefined) throw new UsageError(`missing operand after \`${name}'`);
    const modeText = options.value('m');
    const mode = modeText === undefined ? 0o666 : changeMode(modeText, { kind: 'file', mode: 0o666 }, 0);
    if (mode === undefined) throw new ToolError('invalid mode');
    if (!['b', 'c', 'u', 'p'].includes(type[0] ?? '')) throw new UsageError(`invalid device type \`${type}'`);
    if (type.startsWith('p')) {
      if (major !== undefined) throw new UsageError(`extra operand \`${major}'\nFifos do not have major and minor device numbers.`);
      return attempt(sys, 'mknod', `\`${name}'`, () => sys.mknod(name, 'fifo', mode, 0, 0)) ? 0 : 1;
    }
    if (minor === undefined)
      throw new UsageError(`missing operand after \`${major ?? type}'\nSpecial files require major and minor device numbers.`);
    if (extra !== undefined) throw new UsageError(`extra operand \`${extra}'`);
    const number = (text: string, what: string) => {
      const value = /^(0[xX][0-9a-fA-F]+|\d+)$/.test(text) ? Number(/^0[0-7]+$/.test(text) ? `0o${text}` : text) : Number.NaN;
      if (Number.isNaN(value)) throw new ToolError(`invalid ${what} device number \`${text}'`);
      return value;
    };
    const numbers = [number(major!, 'major'), number(minor, 'minor')] as const;
    return attempt(sys, 'mknod', `\`${name}'`, () => {
      sys.mknod(name, type.startsWith('b') ? 'block' : 'char', mode, ...numbers);
      if (modeText !== undefined) sys.chmod(name, mode);
    })
      ? 0
      : 1;
  },
);

/** sync: ends when everything that was changed is on the disks. */
export const sync: Program<null> = {
  name: 'sync',
  start: () => null,
  step: (sys) => (sys.sync() ? exit(0) : wait({ untilNs: sys.nowNs + POLL_NS })),
};
