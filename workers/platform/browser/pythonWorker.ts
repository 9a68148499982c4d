/** The nested worker of pythonRunner.ts: loads Skulpt and answers one script after another. */
import sysSource from 'skulpt/src/builtin/sys.js?raw';
import mathSource from 'skulpt/src/lib/math.js?raw';
import reSource from 'skulpt/src/lib/re.js?raw';
import stringSource from 'skulpt/src/lib/string.js?raw';
import { createInterpreter, type ScriptRequest } from '../python/interpreter';
import type { Skulpt } from '../python/skulpt';

const scope = globalThis as unknown as {
  window?: unknown;
  Sk: Skulpt;
  onmessage: ((event: { readonly data: ScriptRequest }) => void) | null;
  postMessage(message: unknown): void;
};

// Requests that arrive while Skulpt is loading wait here.
const waiting: ScriptRequest[] = [];
scope.onmessage = (event) => waiting.push(event.data);
// Skulpt looks for a page's window.
scope.window = globalThis;
await import('skulpt/dist/skulpt.min.js');
const interpret = createInterpreter(scope.Sk, {
  'src/builtin/sys.js': sysSource,
  'src/lib/re.js': reSource,
  'src/lib/string.js': stringSource,
  'src/lib/math.js': mathSource,
});
scope.onmessage = (event) => scope.postMessage(interpret(event.data));
for (const request of waiting) scope.postMessage(interpret(request));
