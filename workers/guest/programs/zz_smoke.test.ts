import { it } from 'vitest';
import { readFileSync } from 'node:fs';
import { testKernel } from '/work/main/workers/guest/testing';
import { commonPrograms } from '/work/main/workers/guest/programs/index';
import * as shellModule from '/work/main/workers/guest/shell/index';
it('smoke', () => {
  const shells = Object.values(shellModule).filter((v): v is any => typeof v === 'object' && v !== null && 'step' in v);
  const extra = Object.values(shellModule).filter((v): v is any => Array.isArray(v)).flat();
  const k = testKernel([...commonPrograms, ...shells, ...extra] as any, {});
  for (const line of readFileSync('/tmp/smoke.txt', 'utf8').split('\n')) {
    if (!line.trim()) continue;
    try {
      const r = k.run(line, { limitMs: 100000, env: { PATH: '/bin:/sbin' } });
      console.log(`$ ${line}\n${r.stdout}${r.stderr ? '[err] ' + r.stderr : ''}${r.status ? `=> ${r.status}` : ''}`);
    } catch (e) { console.log(`$ ${line}\nTHROWN ${(e as Error).stack?.slice(0, 500)}`); }
  }
  const log = k.kernel.log.text().split('\n').filter((l: string) => l.includes('segfault'));
  console.log(log.join('\n'));
});
