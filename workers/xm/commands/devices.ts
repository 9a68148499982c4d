/** What the commands about devices share: the table from the frontends' store directories, and detaching. */
import { getopt } from '../../lib/getopt';
import { prettyPrint } from '../../lib/sxp';
import type { DeviceSummary } from '../../xend/api';
import { XendError, XendInvalidDomain } from '../../xend/errors';
import { type XmCommand, XmError, type XmOption } from '../command';
import { usage } from '../help';

const options: readonly XmOption[] = [{ short: 'l', long: 'long', help: 'List resources as SXP' }];

/** A key of the frontend's directory; `??` when it is not there. */
export function field(device: DeviceSummary, key: string): string {
  return device.entries.find(([name]) => name === key)?.[1] ?? '??';
}

/** -1 when it is not there or not a number. */
export function numberField(device: DeviceSummary, key: string): number {
  const value = device.entries.find(([name]) => name === key)?.[1] ?? '';
  return /^\d+$/.test(value) ? Number(value) : -1;
}

export interface DeviceTable {
  readonly name: string;
  readonly summary: string;
  readonly classes: readonly string[];
  readonly header: string;
  row(device: DeviceSummary): string;
}

/** Nothing at all is printed for a domain without such devices, not even the header. */
export function deviceListCommand(table: DeviceTable): XmCommand {
  const command: XmCommand = {
    name: table.name,
    usage: '<Domain> [--long]',
    summary: table.summary,
    group: 'device',
    options,
    async run({ io, xend }, args) {
      const parsed = getopt(args, options);
      if (parsed.words.length !== 1) {
        io.print(parsed.words.length === 0 ? 'No domain parameter given\n' : 'No multiple domain parameters allowed\n');
        io.print(usage(command));
        return 1;
      }
      const devices: DeviceSummary[] = [];
      for (const className of table.classes) devices.push(...(await listOf(xend.devices(parsed.words[0]!, className))));
      if (parsed.has('long')) {
        for (const device of devices)
          io.print(prettyPrint([String(device.devid), device.entries.map(([key, value]) => [key, value])]));
        return 0;
      }
      if (devices.length === 0) return 0;
      io.print([table.header, ...devices.map((device) => table.row(device)), ''].join('\n'));
      return 0;
    },
  };
  return command;
}

/** A class that this toolstack does not have is an empty list; other refusals stay. */
async function listOf(devices: Promise<readonly DeviceSummary[]>): Promise<readonly DeviceSummary[]> {
  try {
    return await devices;
  } catch (error) {
    if (error instanceof XendError && !(error instanceof XendInvalidDomain)) return [];
    throw error;
  }
}

/** The device is looked for in each class in turn; the first class's complaint counts. */
export function detachCommand(name: string, summary: string, classes: readonly string[]): XmCommand {
  return {
    name,
    usage: '<Domain> <DevId> [-f|--force]',
    summary,
    group: 'device',
    minArgs: 2,
    maxArgs: 3,
    async run({ io, xend }, args) {
      const [domain, devid, third] = args;
      const force = third === '-f' || third === '--force';
      if (third !== undefined && !force) io.print(`Ignoring option ${third}\n`);
      if (devid === '') throw new XmError('Invalid argument.');
      let first: unknown;
      for (const className of classes) {
        try {
          await xend.deviceDestroy(domain!, className, devid!, force);
          return 0;
        } catch (error) {
          if (!(error instanceof XendError) || !/ not connected$|not a valid device type$/.test(error.message))
            throw error;
          first ??= error;
        }
      }
      throw first;
    },
  };
}
