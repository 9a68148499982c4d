/** Gives a translated domain's processors their registers, whenever the host's processor is ready for them. */
import { XenError } from '../../lib/errno';
import { sleep, type XendEnvironment } from '../environment';
import { VmError } from '../errors';
import type { Xc } from '../xc';

const PROCESSOR_POLL_MS = 1;

/** `context`: records as in abi/hvmSave.ts. Rejects with VmError when this host cannot run such a domain. */
export async function setRegisters(
  xc: Xc,
  environment: XendEnvironment,
  domid: number,
  context: Uint8Array,
): Promise<void> {
  // The processor may take a moment; nobody may look at the domain's pages before it is there.
  while (!trySet(xc, domid, context)) await sleep(environment, PROCESSOR_POLL_MS);
}

/** False: Xen asks to be asked again. */
function trySet(xc: Xc, domid: number, context: Uint8Array): boolean {
  try {
    xc.setHvmContext(domid, context);
    return true;
  } catch (error) {
    if (error instanceof XenError && error.code === 'EAGAIN') return false;
    if (error instanceof XenError && error.code === 'ENODEV')
      throw new VmError(`(1, 'Internal error', 'no x86 processor for this kernel, xm dmesg says why\\n')`);
    throw error;
  }
}
