/** xm domid, xm domname: one name of a domain for the other. */
import type { XmCommand } from '../command';

export const domid: XmCommand = {
  name: 'domid',
  usage: '<DomainName>',
  summary: 'Convert a domain name to domain id.',
  group: 'domain',
  minArgs: 1,
  maxArgs: 1,
  async run({ io, xend }, [name]) {
    const domain = await xend.domain(name!);
    io.print(`${domain.domid ?? 'None'}\n`);
    return 0;
  },
};

export const domname: XmCommand = {
  name: 'domname',
  usage: '<DomId>',
  summary: 'Convert a domain id to domain name.',
  group: 'domain',
  minArgs: 1,
  maxArgs: 1,
  async run({ io, xend }, [id]) {
    io.print(`${(await xend.domain(id!)).name}\n`);
    return 0;
  },
};
