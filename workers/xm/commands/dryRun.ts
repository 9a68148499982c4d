/** xm dry-run: would this domain be given its disks? (xm/dry-run.py in Xen 3.4: block devices only, and no conflict sets) */
import { type Sxp, sxpChildren, sxpName, sxpText } from '../../lib/sxp';
import { OptionError, type XmCommand, XmError } from '../command';
import { parseCreate } from '../configFile';

export const dryRun: XmCommand = {
  name: 'dry-run',
  usage: '<ConfigFile>',
  summary: 'Test if a domain can access its resources.',
  group: 'security',
  async run({ io, xend }, args) {
    if (args.length !== 1) throw new OptionError('Invalid number of arguments');
    const parsed = await parseCreate(args, io, async () => undefined);
    if (parsed === 'help_config') throw new OptionError('Invalid number of arguments');
    const { config } = parsed;
    const label = labelOf(config);
    const unames = sxpChildren(config, 'device').flatMap((device) => {
      const inner = device[1];
      const uname = inner !== undefined && sxpName(inner) === 'vbd' ? sxpText(inner, 'uname') : undefined;
      return uname ? [uname] : [];
    });
    if (label !== undefined && (await xend.security.isOn())) {
      const active = await xend.security.activePolicy();
      const policy = label.split(':')[1];
      if (policy !== active)
        throw new XmError(`Security policy (${policy}) incompatible with enforced policy (${active}).`, {
          usage: false,
        });
    }
    const name = sxpText(config, 'name') ?? '';
    const result = await xend.security.dryRun(name, label, unames);
    const isRefused = result.domainProblem !== undefined;
    io.print(`Checking domain:\n   ${name}: ${isRefused ? 'DENIED' : 'PERMITTED'}\n`);
    if (isRefused) io.print(`   --> ${result.domainProblem}\nChecking resources: (skipped)\n`);
    else io.print('Checking resources:\n');
    const subject = label?.split(':') ?? ['ACM', await xend.security.activePolicy(), '__UNLABELED__'];
    for (const { resource, isPermitted, label: object, policy } of result.resources) {
      io.print(`   ${resource}: ${isPermitted ? 'PERMITTED' : 'DENIED'}\n`);
      if (!isPermitted)
        io.print(`   --> res: ${object} (ACM:${policy})\n   --> dom: ${subject[2]} (ACM:${subject[1]})\n`);
    }
    const isPassed = !isRefused && result.resources.every(({ isPermitted }) => isPermitted);
    io.print(`Dry Run: ${isPassed ? 'PASSED' : 'FAILED'}\n`);
    return isPassed ? 0 : 255;
  },
};

/** `ACM:policy:label` of a configuration. */
function labelOf(config: Sxp): string | undefined {
  const [security] = sxpChildren(config, 'security');
  const control = security?.[1];
  const access =
    typeof control === 'string' ? undefined : control?.find((child) => sxpName(child) === 'access_control');
  return access && `ACM:${sxpText(access, 'policy') ?? ''}:${sxpText(access, 'label') ?? ''}`;
}
