/**
 * xm makepolicy, loadpolicy, cfgbootpolicy, activatepolicy: how policies were handled before setpolicy, step by step
 * (xm/makepolicy.py and neighbours in Xen 3.0.3 to 3.1).
 */
import { OptionError, type XmCommand, type XmContext } from '../command';

function command(
  name: string,
  usage: string,
  summary: string,
  limits: { readonly least: number; readonly most: number; readonly complaint: string },
  act: (context: XmContext, args: readonly string[]) => Promise<void>,
): XmCommand {
  return {
    name,
    usage,
    summary,
    group: 'security',
    async run(context, args) {
      if (args.length < limits.least || args.length > limits.most) throw new OptionError(limits.complaint);
      await act(context, args);
      return 0;
    },
  };
}

export const makepolicy = command(
  'makepolicy',
  '<policy>',
  'Build policy and create .bin/.map files.',
  { least: 1, most: 1, complaint: 'No XML policy file specified' },
  ({ xend }, [name]) => xend.security.makePolicy(name!),
);

export const loadpolicy = command(
  'loadpolicy',
  '<policy.bin>',
  'Load binary policy into hypervisor.',
  { least: 1, most: 1, complaint: 'No policy defined' },
  ({ xend }, [name]) => xend.security.loadPolicy(name!),
);

export const cfgbootpolicy = command(
  'cfgbootpolicy',
  '<policy> [boot title]',
  'Add policy to boot configuration.',
  { least: 1, most: 2, complaint: 'Invalid number of arguments' },
  async ({ io, xend }, [name, title]) => {
    const entry = await xend.security.configureBootPolicy(name!, title);
    io.print(`Boot entry '${entry}' extended and '${name}.bin' copied to /boot\n`);
  },
);

export const activatepolicy = command(
  'activatepolicy',
  '',
  'Load the current policy at the next boot.',
  { least: 0, most: 0, complaint: 'No arguments expected.' },
  ({ xend }) => xend.security.activatePolicy(),
);
