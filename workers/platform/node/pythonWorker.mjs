// The worker thread of pythonRunner.ts. Plain JavaScript, because Node starts it without help; tsx then loads the
// interpreter's TypeScript.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { parentPort } from 'node:worker_threads';
import { register } from 'tsx/esm/api';

register();
globalThis.window = globalThis;
const require = createRequire(import.meta.url);
await import('skulpt/dist/skulpt.min.js');
const { createInterpreter, LIBRARY } = await import('../python/interpreter.ts');
const library = Object.fromEntries(
  LIBRARY.map((name) => [name, readFileSync(require.resolve(`skulpt/${name}`), 'utf8')]),
);
const interpret = createInterpreter(globalThis.Sk, library);
parentPort.on('message', (request) => parentPort.postMessage(interpret(request)));
