/** xm labels, resources: what can be given as a label, and what has one (xm/labels.py, resources.py in Xen 3.4). */
import type { LabelKind } from '../../acm/policyMap';
import { XsmFault } from '../../xend/errors';
import { OptionError, type XmCommand } from '../command';

export const labels: XmCommand = {
  name: 'labels',
  usage: '[policy] [type=dom|res|any]',
  summary: 'List <type> labels for (active) policy.',
  group: 'security',
  async run({ io, xend }, args) {
    let kind: string | undefined;
    let policy: string | undefined;
    for (const arg of args) {
      const [key, value] = arg.split('=');
      if (value === undefined) {
        if (policy !== undefined) throw new OptionError('policy is defined twice');
        policy = arg;
      } else if (key === 'type') {
        if (kind !== undefined) throw new OptionError('type is definied twice');
        kind = value.toLowerCase();
      } else throw new OptionError(`Unrecognised option: ${arg}`);
    }
    kind ??= 'dom';
    if (!isKind(kind)) throw new XsmFault(`Unknown label type '${kind}'`);
    const active = await xend.security.activePolicy();
    if (policy === undefined && !(await xend.security.isOn()))
      throw new XsmFault(`Current policy '${active}' has no labels defined.`);
    const names = await xend.security.labels(policy ?? active, kind);
    io.print(names.map((name) => `${name}\n`).join(''));
    return 0;
  },
};

function isKind(word: string): word is LabelKind {
  return word === 'dom' || word === 'res' || word === 'any';
}

export const resources: XmCommand = {
  name: 'resources',
  usage: '',
  summary: 'Show info for each labeled resource.',
  group: 'security',
  async run({ io, xend }, args) {
    if (args.length > 0) throw new OptionError('No arguments required');
    for (const { name, type, policy, label } of await xend.security.resources())
      io.print(`${name}\n      type: ${type}\n    policy: ${policy}\n    label:  ${label}\n`);
    return 0;
  },
};
