import { describe, expect, it } from 'vitest';
import { ctime, XendLog } from './log';
import { fakeHost } from './testing';

describe('xend.log', () => {
  it('has lines with time, process, level, place and text, from the level set upward', () => {
    const { environment, text } = fakeHost();
    const log = new XendLog(environment, '/var/log/xen/xend.log', 'INFO');
    log.debug('image:1', 'not shown');
    log.warning('XendDomainInfo:1443', 'Domain has crashed: name=a id=1.');
    expect(text(log.path)).toBe(
      '[2008-11-01 12:00:00 3021] WARNING (XendDomainInfo:1443) Domain has crashed: name=a id=1.\n',
    );
  });

  it('starts a new file at 1 MiB and keeps five old ones', () => {
    const { environment, files } = fakeHost();
    const log = new XendLog(environment);
    for (let i = 0; i < 7 * 11; i++) log.info('a:1', `${i} ${'x'.repeat(100_000)}`);
    expect([...files.keys()].filter((path) => path.startsWith(log.path)).sort()).toEqual(
      ['', '.1', '.2', '.3', '.4', '.5'].map((suffix) => `${log.path}${suffix}`),
    );
    for (const path of files.keys()) expect(environment.files.size(path)).toBeLessThanOrEqual(1 << 20);
  });

  it('writes dates as C does', () => {
    expect(ctime(1_225_540_800)).toBe('Sat Nov  1 12:00:00 2008');
  });
});
