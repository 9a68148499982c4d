/**
 * nbd-reserve: tells the server of a network block device who is going to use the volume, and for what; the hotplug script
 * asks so for a guest, with the guest's uuid as the key. Ours: nbd has no such program, SCSI has sg_persist.
 */
import { strerror } from '../../../../lib/errno';
import { RESERVE_KEY_BYTES, RESERVE_MODES } from '../../../block/nbdWire';
import { SysError } from '../../../sys';
import { command } from '../../adapters';

const USAGE = `Usage: nbd-reserve nbd_device key r|w|w!
Or   : nbd-reserve nbd_device key release
Or   : nbd-reserve -l nbd_device
The key is a uuid. Several may read; a writer must be alone, unless it says w!.
Status: 2, somebody else's use forbids it; 3, the volume may not be written.
`;

export const nbdReserve = command('nbd-reserve', (sys, args) => {
  const [device, keyText = '', modeText] = args[0] === '-l' ? [args[1]] : args;
  const mode = RESERVE_MODES.find((each) => each === modeText);
  const hex = keyText.replaceAll('-', '');
  const isList = args[0] === '-l' && args.length === 2;
  const isKey = hex.length === 2 * RESERVE_KEY_BYTES && /^[0-9a-f]+$/i.test(hex);
  if (device === undefined || !(isList || (args.length === 3 && mode !== undefined && isKey))) {
    sys.eprint(USAGE);
    return 1;
  }
  try {
    if (isList) sys.print(sys.nbdReport(device));
    else
      sys.nbdReserve(
        device,
        Uint8Array.from(hex.match(/../g)!, (pair) => Number.parseInt(pair, 16)),
        mode!,
      );
    return 0;
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    sys.eprint(`nbd-reserve: ${device}: ${strerror[error.code]}\n`);
    return error.code === 'EBUSY' ? 2 : error.code === 'EPERM' ? 3 : 1;
  }
});
