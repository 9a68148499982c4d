import { expect, it } from 'vitest';
import { commandAtPrompt, isEmptyPrompt } from './promptLine';

it('reads the command behind a root prompt', () => {
  expect(commandAtPrompt('[root@dom0 ~]# xm list')).toBe('xm list');
  expect(commandAtPrompt('dom0# echo "#"')).toBe('echo "#"');
});

it('sees no command in other output', () => {
  expect(commandAtPrompt('login: root')).toBeUndefined();
  expect(commandAtPrompt('[root@dom0 ~]# ')).toBeUndefined();
});

it('knows a prompt that waits', () => {
  expect(isEmptyPrompt('[root@dom0 ~]#')).toBe(true);
  expect(isEmptyPrompt('[root@dom0 ~]# xm')).toBe(false);
  expect(isEmptyPrompt('')).toBe(false);
});
