/** xm block-attach, block-detach, block-list: virtual disks of a domain. */
import type { Sxp } from '../../lib/sxp';
import type { XmCommand } from '../command';
import { normalMode } from '../disk';
import { format } from '../format';
import { detachCommand, deviceListCommand, field, numberField } from './devices';

export const blockAttach: XmCommand = {
  name: 'block-attach',
  usage: '<Domain> <BackDev> <FrontDev> <Mode> [BackDomain]',
  summary: 'Create a new virtual block device.',
  group: 'device',
  minArgs: 4,
  maxArgs: 5,
  async run({ xend }, [domain, back, front, mode, backend]) {
    const device: Sxp[] = [
      back!.startsWith('tap:') ? 'tap' : 'vbd',
      ['uname', back!],
      ['dev', front!],
      ['mode', normalMode(mode!)],
    ];
    if (backend !== undefined) device.push(['backend', backend]);
    await xend.deviceCreate(domain!, device);
    return 0;
  },
};

export const blockDetach = detachCommand('block-detach', "Destroy a domain's virtual block device.", ['vbd', 'tap']);

export const blockList = deviceListCommand({
  name: 'block-list',
  summary: 'List virtual block devices for a domain.',
  classes: ['vbd', 'tap'],
  header: 'Vdev  BE handle state evt-ch ring-ref BE-path',
  row: (device) =>
    format(
      '%-5d  %-3d  %-3d   %-3d    %-3d    %-5d %-30s  ',
      device.devid,
      numberField(device, 'backend-id'),
      0,
      numberField(device, 'state'),
      numberField(device, 'event-channel'),
      numberField(device, 'ring-ref'),
      field(device, 'backend'),
    ),
});
