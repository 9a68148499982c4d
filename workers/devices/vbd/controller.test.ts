import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DeviceContext } from '../device';
import { parseRate, parseVif, vifEntries } from '../vif/controller';
import { parseVbd, vbdEntries } from './controller';
import { deviceName, deviceNumber } from './deviceNumbers';

const context: DeviceContext = {
  domid: 1,
  allocateDeviceId: () => 0,
  deviceNumber: () => undefined,
  randomMac: () => '00:16:3e:01:02:03',
  randomUuid: () => 'uuid',
  option: () => undefined,
  protocol: 'x86_32-abi',
};
const vbd = (uname: string, dev: string, mode: string) => ['vbd', ['uname', uname], ['dev', dev], ['mode', mode]];

describe('disk numbers (xmdomain-cfg: device numbers)', () => {
  it.each([
    ['sda1', 2049],
    ['hda', 768],
    ['hda1', 769],
    ['hdc', 5632],
    ['hdd', 5696],
    ['sdb', 2064],
    ['xvda', 51712],
    ['/dev/xvdb', 51728],
    ['xvdq', 2 ** 28 + 16 * 256],
    ['0x301', 769],
    ['2049', 2049],
  ])('%s is %i', (name, number) => expect(deviceNumber(name)).toBe(number));

  it('names what it numbers', () => {
    fc.assert(
      fc.property(fc.constantFrom('hd', 'sd', 'xvd'), fc.nat(19), fc.nat(15), (prefix, index, partition) => {
        const name = `${prefix}${String.fromCharCode(97 + index)}${partition || ''}`;
        expect(deviceName(deviceNumber(name)!)?.name).toBe(name);
      }),
    );
  });

  it.each(['foo', 'sda16', 'hda64', '', 'sd'])('%s has none', (name) => expect(deviceNumber(name)).toBeUndefined());
});

describe('a block device configuration', () => {
  it('becomes the keys that xend writes', () => {
    const config = parseVbd(vbd('file:/var/images/pv1.img', 'sda1', 'w'), context);
    expect(vbdEntries(config, context)).toEqual({
      devid: 2049,
      frontend: { 'virtual-device': '2049', 'device-type': 'disk' },
      backend: { dev: 'sda1', type: 'file', params: '/var/images/pv1.img', mode: 'w', uuid: 'uuid' },
    });
  });

  it.each([
    [vbd('', 'hda', 'w'), 'Block device must have physical details specified'],
    [vbd('foo:/x', 'hda', 'w'), 'Block device type "foo" is invalid.'],
    [vbd('phy:hda1', 'hda', ' w'), 'Invalid mode'],
    [vbd('phy:hda1', 'floppy', 'w'), 'Unable to find number for device (floppy)'],
    [vbd('tap:foo:/x', 'xvda', 'w'), 'tap:foo not a valid disk type'],
  ])('%j is refused', (sxp, message) => expect(() => parseVbd(sxp, context)).toThrow(message));

  it('accepts an empty CD drive, ioemu: and the words ro and rw', () => {
    expect(parseVbd(vbd('', 'ioemu:hdc:cdrom', 'r'), context)).toMatchObject({
      devid: 5632,
      deviceType: 'cdrom',
      type: '',
    });
    expect(parseVbd(vbd('phy:hda1', '/dev/hdc', 'ro'), context)).toMatchObject({ mode: 'r' });
  });

  it('collapses the slashes of file://path', () => {
    expect(parseVbd(vbd('file:///x.img', 'sda1', 'w'), context).params).toBe('/x.img');
  });
});

describe('a network interface configuration', () => {
  it('fills in a MAC and the script', () => {
    const config = parseVif(['vif', ['bridge', 'xenbr0']], context);
    expect(vifEntries(config, context)).toEqual({
      devid: 0,
      frontend: { handle: '0', mac: '00:16:3e:01:02:03' },
      backend: {
        script: '/etc/xen/scripts/vif-bridge',
        mac: '00:16:3e:01:02:03',
        handle: '0',
        uuid: 'uuid',
        bridge: 'xenbr0',
      },
    });
  });

  it('refuses a MAC that is none', () => {
    expect(() => parseVif(['vif', ['mac', 'zz']], context)).toThrow(
      'Cannot create a new virtual network interface - MAC address is not valid!',
    );
  });

  it.each([
    ['10Mb/s', '62500,50000'],
    ['250KB/s', '12500,50000'],
    ['1MB/s@20ms', '20000,20000'],
    ['nonsense', '4294967295,0'],
  ])('reads the rate %s as %s', (text, rate) => expect(parseRate(text)).toBe(rate));
});
