/** xm network-attach, network-detach, network-list: virtual network interfaces of a domain. */
import type { Sxp } from '../../lib/sxp';
import { type XmCommand, XmError } from '../command';
import { format } from '../format';
import { detachCommand, deviceListCommand, field, numberField } from './devices';

const KEYS: ReadonlySet<string> = new Set([
  'type',
  'mac',
  'bridge',
  'ip',
  'script',
  'backend',
  'vifname',
  'rate',
  'model',
  'accel',
  'policy',
  'label',
]);

export const networkAttach: XmCommand = {
  name: 'network-attach',
  usage:
    '<Domain> [type=<type>] [mac=<mac>] [bridge=<bridge>] [ip=<ip>] [script=<script>] [backend=<BackDomain>] [vifname=<name>] [rate=<rate>] [model=<model>][accel=<accel>] [policy=<policy>] [label=<label>]',
  summary: 'Create a new virtual network device.',
  group: 'device',
  minArgs: 1,
  maxArgs: 13,
  async run({ xend }, [domain, ...words]) {
    const device: Sxp[] = ['vif'];
    const label = new Map<string, string>();
    for (const word of words) {
      const at = word.indexOf('=');
      const key = word.slice(0, Math.max(0, at));
      if (!KEYS.has(key)) throw new XmError(`Invalid argument: ${word}`);
      if (key === 'policy' || key === 'label') label.set(key, word.slice(at + 1));
      else device.push([key, word.slice(at + 1)]);
    }
    await xend.deviceCreate(domain!, [...device, ...securityLabel(label)]);
    return 0;
  },
};

/** Policy and label belong together. Differs from Xen 3.4, where network-attach takes neither. */
function securityLabel(given: ReadonlyMap<string, string>): readonly Sxp[] {
  const [policy, label] = [given.get('policy'), given.get('label')];
  if (policy !== undefined && label !== undefined) return [['security_label', `ACM:${policy}:${label}`]];
  const [alone] = given;
  if (alone) throw new XmError(`Invalid argument: ${alone.join('=')}`);
  return [];
}

export const networkDetach = detachCommand('network-detach', "Destroy a domain's virtual network device.", ['vif']);

export const networkList = deviceListCommand({
  name: 'network-list',
  summary: 'List virtual network interfaces for a domain.',
  classes: ['vif'],
  header: 'Idx BE     MAC Addr.     handle state evt-ch tx-/rx-ring-ref BE-path',
  row: (device) =>
    format(
      '%-3d %-3d%-17s    %-3d   %-3d    %-3d   %-5d/%-5d   %-30s  ',
      device.devid,
      numberField(device, 'backend-id'),
      field(device, 'mac'),
      numberField(device, 'handle'),
      numberField(device, 'state'),
      numberField(device, 'event-channel'),
      numberField(device, 'tx-ring-ref'),
      numberField(device, 'rx-ring-ref'),
      field(device, 'backend'),
    ),
});
