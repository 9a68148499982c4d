import { expect, it } from 'vitest';
import { commandAtPrompt, hostAtPrompt, isEmptyPrompt } from './promptLine';

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

it("takes the last prompt of a line that a guest's console left behind", () => {
  const left = '[root@localhost ~]# [root@host1 ~]# ';
  expect(isEmptyPrompt(left)).toBe(true);
  expect(hostAtPrompt(left)).toBe('host1');
  expect(commandAtPrompt(`${left}xm list`)).toBe('xm list');
  expect(isEmptyPrompt(`${left}xm`)).toBe(false);
});

it('says on which machine a prompt is', () => {
  expect(hostAtPrompt('[root@localhost ~]#')).toBe('localhost');
  expect(hostAtPrompt('dom0#')).toBeUndefined();
});
