/** From nothing to a root prompt that answers, without a page: in a process of its own and in one that runs already. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { bootedHost } from '../../workers/platform/node/testing';
import { median, type Part, wallMs } from '../row';

const root = fileURLToPath(new URL('../..', import.meta.url));
const REQUEST = '{"id":1,"op":"exec","command":"true"}\n';

async function coldStart(): Promise<void> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'workers/platform/node/headless.ts'], { cwd: root });
  child.stdin.write(REQUEST);
  await once(child.stdout, 'data');
  child.stdin.end();
  await once(child, 'close');
}

export const prompt: Part = async () => {
  const cold: number[] = [];
  const warm: number[] = [];
  for (let run = 0; run < 3; run++) cold.push(await wallMs(coldStart));
  for (let run = 0; run < 5; run++) warm.push(await wallMs(async () => (await bootedHost()).close()));
  return [
    { name: 'time to prompt, headless, new process', value: median(cold), unit: 'ms' },
    { name: 'time to prompt, headless, in process', value: median(warm), unit: 'ms' },
  ];
};
