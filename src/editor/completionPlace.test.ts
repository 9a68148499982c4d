import { expect, it } from 'vitest';
import { completionPlace } from './completionPlace';

it.each([
  ['mem', 'name'],
  ['', 'name'],
  ["on_crash = '", 'value'],
  ["vif = [ '", 'deviceKey'],
  ["vif = [ 'mac=00:16:3e:00:00:11, br", 'deviceKey'],
  ["vfb = [\n 'vnc=1,", 'deviceKey'],
  ["vif = [ 'mac=00", undefined],
  ["kernel = '/bo", undefined],
  ['memory = 6', undefined],
  ["unknown = '", undefined],
] as const)('after %j it offers %s', (before, kind) => {
  expect(completionPlace(before)?.kind).toBe(kind);
});
