/** Configuration scripts in the page: Skulpt in a module worker of its own, nested in the host's worker. */
import type { PythonResult } from '../../xm/python';
import type { ScriptRequest } from '../python/interpreter';
import { PythonPool, type ScriptWorker } from '../python/pool';

export function createPythonRunner(): PythonPool {
  return new PythonPool({
    makeWorker,
    after: (ms, action) => {
      const timer = setTimeout(action, ms);
      return () => clearTimeout(timer);
    },
  });
}

function makeWorker(): ScriptWorker {
  const worker = new Worker(new URL('./pythonWorker.ts', import.meta.url), { type: 'module', name: 'python' });
  return {
    ask: (request: ScriptRequest) =>
      new Promise<PythonResult>((resolve, reject) => {
        worker.onmessage = (event: MessageEvent<PythonResult>) => resolve(event.data);
        worker.onerror = (event) => reject(new Error(event.message || 'the interpreter ended'));
        worker.postMessage(request);
      }),
    terminate: () => worker.terminate(),
  };
}
