/**
 * xm addlabel, rmlabel, getlabel: the label of a configuration file (dom), a domain that xend knows (mgt), a resource (res)
 * or a network interface (vif-N) (xm/addlabel.py, rmlabel.py, getlabel.py in Xen 3.4).
 */
import { XsmError } from '../../xend/errors';
import { OptionError, type XmCommand, type XmContext, XmError } from '../command';
import { addFileLabel, fileLabel, findConfigFile, removeFileLabel } from '../labelFiles';

const VIF = /^vif-(.*)$/;

export const addlabel: XmCommand = {
  name: 'addlabel',
  usage: `<label> {dom <ConfigFile>|res <resource>|mgt <managed domain>}\n${' '.repeat(19)}[<policy>]`,
  summary: 'Add security label to domain.',
  group: 'security',
  async run(context, args) {
    if (args.length < 3 || args.length > 4) throw new OptionError('Needs either 2 or 3 arguments');
    const [label, kind, target, given] = args as [string, string, string, string?];
    const { security } = context.xend;
    const isKnown = ['dom', 'mgt', 'res'].includes(kind.toLowerCase()) || VIF.test(kind);
    if (!isKnown) throw new OptionError('Need to specify either "dom", "mgt" or "res" as object to add label to.');
    if (given === undefined && !(await security.isOn()))
      throw new OptionError('ACM security is not enabled. You must specify the policy on the command line.');
    const active = await security.activePolicy();
    switch (kind.toLowerCase()) {
      case 'dom': {
        const path = findConfigFile(target, context.io);
        const policy = given ?? active;
        await security.checkLabel(policy, label, 'dom');
        await addFileLabel(target, path, label, policy, context.io);
        return 0;
      }
      case 'res':
        await security.setResourceLabel(target, given === undefined ? active : plainPolicy(given), label);
        return 0;
      case 'mgt':
        return addManaged(context, target, given === undefined ? active : typedPolicy(given), label);
      default:
        await security.setVifLabel(target, vifIndex(kind), {
          policy: given === undefined ? active : typedPolicy(given),
          label,
        });
        context.io.print('Successfully labeled the VIF.\n');
        return 0;
    }
  },
};

async function addManaged({ io, xend }: XmContext, domain: string, policy: string, label: string): Promise<number> {
  const { isDormant } = await xend.security.setDomainLabel(domain, policy, label);
  if (isDormant) io.print(`Successfully set the label of the dormant domain '${domain}' to '${label}'.\n`);
  else io.print(`Successfully set the label of domain '${domain}' to '${label}'.\n\n`);
  return 0;
}

/** `[ACM:]POLICY` */
function plainPolicy(text: string): string {
  const parts = text.split(':');
  if (parts.length > 2 || (parts.length === 2 && parts[0] !== 'ACM'))
    throw new OptionError('Policy name in wrong format.');
  return parts.at(-1)!;
}

/** `ACM:POLICY` */
function typedPolicy(text: string): string {
  if (!text.includes(':')) throw new OptionError('Policy name in wrong format.');
  return plainPolicy(text);
}

function vifIndex(kind: string): number {
  const [, number] = VIF.exec(kind) ?? [];
  if (number === undefined || !/^\d+$/.test(number)) throw new OptionError('Bad VIF device index.');
  return Number(number);
}

export const rmlabel: XmCommand = {
  name: 'rmlabel',
  usage: '{dom <ConfigFile>|res <Resource>|mgt<managed domain>}',
  summary: 'Remove a security label from domain.',
  group: 'security',
  async run({ io, xend }, args) {
    if (args.length !== 2) throw new OptionError('Requires 2 arguments');
    const [kind, target] = args as [string, string];
    switch (kind) {
      case 'dom':
        removeFileLabel(findConfigFile(target, io), io);
        return 0;
      case 'res':
        await xend.security.removeResourceLabel(target);
        return 0;
      case 'mgt':
        if (!(await xend.security.removeDomainLabel(target))) throw new XsmError('Domain was not labeled.');
        io.print(`Successfully removed label from domain ${target}.\n`);
        return 0;
      default:
        if (!VIF.test(kind)) throw new OptionError(`Unrecognised type argument: ${kind}`);
        if ((await xend.security.vifLabel(target, vifIndex(kind))) === undefined)
          throw new XmError('VIF is not labeled.');
        await xend.security.setVifLabel(target, vifIndex(kind), undefined);
        io.print('Successfully removed the label from the VIF.\n');
        return 0;
    }
  },
};

export const getlabel: XmCommand = {
  name: 'getlabel',
  usage: '{dom <ConfigFile>|res <Resource>|mgt <managed domain>}',
  summary: 'Show security label for domain or resource.',
  group: 'security',
  async run({ io, xend }, args) {
    if (args.length !== 2) throw new OptionError('Requires 2 arguments');
    const [kind, target] = args as [string, string];
    const print = (label: string | undefined, otherwise: string) => {
      if (label === undefined) throw new XsmError(otherwise);
      io.print(`${label}\n`);
      return 0;
    };
    switch (kind.toLowerCase()) {
      case 'dom':
        return print(`policytype=ACM,${fileLabel(findConfigFile(target, io), io)}`, '');
      case 'res':
        return print(await xend.security.resourceLabel(target), 'Resource not labeled');
      case 'mgt':
        return print(await xend.security.domainLabel(target), 'Domain not labeled');
      default:
        if (!VIF.test(kind)) throw new OptionError('First subcommand argument must be "dom", "mgt" or "res"');
        return print(await xend.security.vifLabel(target, vifIndex(kind)), 'VIF is not labeled.');
    }
  },
};
