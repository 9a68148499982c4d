/** Configuration scripts in Node: Skulpt in a worker thread with a bounded heap. */
import { Worker } from 'node:worker_threads';
import type { PythonResult } from '../../xm/python';
import type { ScriptRequest } from '../python/interpreter';
import { PythonPool, type ScriptWorker } from '../python/pool';

/** MiB; a script that wants more is ended by Node. */
const MAX_HEAP_MIB = 256;

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
  const worker = new Worker(new URL('./pythonWorker.mjs', import.meta.url), {
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MIB },
  });
  // An idle interpreter does not keep the process alive.
  worker.unref();
  return {
    ask: (request: ScriptRequest) =>
      new Promise<PythonResult>((resolve, reject) => {
        const done = () => {
          worker.off('message', onMessage);
          worker.off('error', onError);
          worker.off('exit', onExit);
          worker.unref();
        };
        const onMessage = (result: PythonResult) => {
          done();
          resolve(result);
        };
        const onError = (error: Error) => {
          done();
          reject(error);
        };
        const onExit = () => {
          done();
          reject(new Error('the interpreter ended'));
        };
        worker.on('message', onMessage);
        worker.on('error', onError);
        worker.on('exit', onExit);
        worker.ref();
        worker.postMessage(request);
      }),
    terminate: () => {
      void worker.terminate();
    },
  };
}
