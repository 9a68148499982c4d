import { expect, it } from 'vitest';
import { MemoryStorage } from '../storage/memoryStorage';
import { installVersion, isNewerThanDisks } from './installVersion';

const files = [{ path: '/etc/motd', mode: 0o644, text: 'hello\n' }];

it('differs when a file or the set of programs differs', () => {
  const version = installVersion(files, [{ name: 'ls' }]);
  expect(installVersion(files, [{ name: 'ls' }])).toBe(version);
  expect(installVersion([{ ...files[0]!, text: 'hallo\n' }], [{ name: 'ls' }])).not.toBe(version);
  expect(installVersion([{ ...files[0]!, mode: 0o600 }], [{ name: 'ls' }])).not.toBe(version);
  expect(installVersion(files, [{ name: 'ls' }, { name: 'top' }])).not.toBe(version);
});

it('tells once that kept disks come from another version, and never of blank ones', async () => {
  const storage = new MemoryStorage();
  expect(await isNewerThanDisks(storage, 'host1', 'a', true)).toBe(false);
  expect(await isNewerThanDisks(storage, 'host1', 'a', false)).toBe(false);
  expect(await isNewerThanDisks(storage, 'host1', 'b', false)).toBe(true);
  expect(await isNewerThanDisks(storage, 'host1', 'b', false)).toBe(false);
});

it('takes disks without a version for those of an earlier one', async () => {
  expect(await isNewerThanDisks(new MemoryStorage(), 'host1', 'a', false)).toBe(true);
});
