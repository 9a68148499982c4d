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
]);

export const networkAttach: XmCommand = {
  name: 'network-attach',
  usage:
    '<Domain> [type=<type>] [mac=<mac>] [bridge=<bridge>] [ip=<ip>] [script=<script>] [backend=<BackDomain>] [vifname=<name>] [rate=<rate>] [model=<model>][accel=<accel>]',
  summary: 'Create a new virtual network device.',
  group: 'device',
  minArgs: 1,
  maxArgs: 11,
  async run({ xend }, [domain, ...words]) {
    const device: Sxp[] = ['vif'];
    for (const word of words) {
      const at = word.indexOf('=');
      const key = word.slice(0, Math.max(0, at));
      if (!KEYS.has(key)) throw new XmError(`Invalid argument: ${word}`);
      device.push([key, word.slice(at + 1)]);
    }
    await xend.deviceCreate(domain!, device);
    return 0;
  },
};

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
