/** Monaco with the features and languages that the editor pane uses. Imported only by code that is loaded on demand. */
import * as monaco from 'monaco-editor/editor';
import EditorWorker from 'monaco-editor/editor/editor.worker?worker';
import 'monaco-editor/features/bracketMatching/register';
import 'monaco-editor/features/caretOperations/register';
import 'monaco-editor/features/clipboard/register';
import 'monaco-editor/features/codicon/register';
import 'monaco-editor/features/comment/register';
import 'monaco-editor/features/contextmenu/register';
import 'monaco-editor/features/cursorUndo/register';
import 'monaco-editor/features/find/register';
import 'monaco-editor/features/folding/register';
import 'monaco-editor/features/gotoError/register';
import 'monaco-editor/features/gotoLine/register';
import 'monaco-editor/features/hover/register';
import 'monaco-editor/features/indentation/register';
import 'monaco-editor/features/linesOperations/register';
import 'monaco-editor/features/multicursor/register';
import 'monaco-editor/features/smartSelect/register';
import 'monaco-editor/features/snippet/register';
import 'monaco-editor/features/suggest/register';
// That row registers the inline suggestions only; the list comes from its controller.
import 'monaco-editor/editor/contrib/suggest/browser/suggestController';
import 'monaco-editor/features/toggleTabFocusMode/register';
import 'monaco-editor/features/tokenization/register';
import 'monaco-editor/features/wordHighlighter/register';
import 'monaco-editor/features/wordOperations/register';
import 'monaco-editor/languages/definitions/shell/register';
import 'monaco-editor/languages/definitions/xml/register';
import { registerSxp } from './languages/sxp';
import { defineThemes } from './languages/themes';
import { registerXmcfg } from './languages/xmcfg';

self.MonacoEnvironment = { getWorker: () => new EditorWorker() };

// Languages belong to Monaco, which outlives this module when it is replaced during development: a second set of
// providers would answer every hover twice.
if (!monaco.languages.getLanguages().some(({ id }) => id === 'xmcfg')) {
  registerXmcfg(monaco);
  registerSxp(monaco);
}
defineThemes(monaco);

export { monaco };
