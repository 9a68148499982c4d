/** xm sysrq: presses a magic key in the guest's kernel. */
import { OptionError, type XmCommand } from '../command';

export const sysrq: XmCommand = {
  name: 'sysrq',
  usage: '<Domain> <letter>',
  summary: 'Send a sysrq to a domain.',
  group: 'domain',
  minArgs: 2,
  maxArgs: 2,
  async run({ xend }, [domain, letter]) {
    if (Array.from(letter!).length !== 1) throw new OptionError(`${letter} is not convertible to a character`);
    await xend.sendSysrq(domain!, letter!);
    return 0;
  },
};
