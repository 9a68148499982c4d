/** xm setpolicy, resetpolicy, getpolicy, dumppolicy: the policy in force (xm/setpolicy.py and neighbours in Xen 3.4). */

import { dumpText } from '../../acm/policyDump';
import { XsmError } from '../../xend/errors';
import type { PolicyState } from '../../xend/securityApi';
import { ConnectionError, OptionError, type XmCommand, type XmContext } from '../command';

export const POLICY_DIRECTORY = '/etc/xen/acm-security/policies';

export const setpolicy: XmCommand = {
  name: 'setpolicy',
  usage: '<policytype> <policyfile> [options]',
  summary: 'Set the policy of the system.',
  group: 'security',
  async run(context, args) {
    if (args.length < 2) throw new OptionError('Need at least 3 arguments.');
    const [type, name] = args as [string, string];
    if (type.toUpperCase() !== 'ACM') throw new OptionError(`Unsupported policytype '${type.toUpperCase()}'.`);
    const { io } = context;
    const file = `${name.replaceAll('.', '/')}-security_policy.xml`;
    const source = io.files.read(`${io.cwd}/${file}`) ?? io.files.read(`${POLICY_DIRECTORY}/${file}`);
    if (!source) throw new OptionError(`Could not read policy file from current directory or '${POLICY_DIRECTORY}'.`);
    const state = await context.xend.security.setPolicy(source);
    io.print('Successfully set the new policy.\n');
    io.print(policyText(true, state));
    return 0;
  },
};

export const resetpolicy: XmCommand = {
  name: 'resetpolicy',
  usage: '',
  summary: 'Set the policy of the system to the default policy.',
  group: 'security',
  async run({ io, xend }, args) {
    if (args.length > 0) throw new OptionError('No arguments expected.');
    const { wasBoot } = await xend.security.resetPolicy();
    io.print("Successfully reset the system's policy.\n");
    if (!wasBoot) io.print('Old policy not found in bootloader file.\n');
    return 0;
  },
};

export const getpolicy: XmCommand = {
  name: 'getpolicy',
  usage: '[options]',
  summary: 'Get the policy of the system.',
  group: 'security',
  options: [{ long: 'dumpxml', help: 'Display the XML of the policy' }],
  async run(context, args) {
    const unknown = args.find((arg) => arg !== '--dumpxml');
    if (unknown !== undefined) throw new OptionError(`Unrecognised option: ${unknown}`);
    const { io, xend } = context;
    const state = await xend.security.getPolicy();
    io.print(policyText(await xend.security.isOn(), state));
    if (state && args.length > 0) io.print(state.xml);
    return 0;
  },
};

export const dumppolicy: XmCommand = {
  name: 'dumppolicy',
  usage: '',
  summary: 'Print hypervisor ACM state information.',
  group: 'security',
  async run({ io, xend }, args) {
    if (args.length > 0) throw new OptionError('No arguments expected.');
    const dump = await xend.security.dumpPolicy();
    if (!dump) throw new XsmError("'INACTIVE' policy. Nothing to dump.");
    io.print(dumpText(dump.binary, dump.dom0));
    return 0;
  },
};

/** What getpolicy prints. */
function policyText(isOn: boolean, state: PolicyState | undefined): string {
  const head = `Supported security subsystems   : ${isOn ? 'ACM' : 'None'} \n\n`;
  if (!state) return `${head}No policy is installed.\n`;
  const configuration = [state.isLoaded ? 'loaded' : '', state.isBoot ? 'activated for boot' : ''];
  return `${head}Policy name           : ${state.name}
Policy type           : ACM
Version of XML policy : ${state.version}
Policy configuration  : ${configuration.filter((word) => word !== '').join(', ')}
`;
}

/** The policy of commands that are not told one; '' without ACM. */
export async function enforcedPolicy(context: XmContext): Promise<string> {
  try {
    const { security } = context.xend;
    return (await security.isOn()) ? await security.activePolicy() : '';
  } catch (error) {
    // Nobody answers: then no policy is in force either, and the command says what it has to say about xend later.
    if (error instanceof ConnectionError) return '';
    throw error;
  }
}
