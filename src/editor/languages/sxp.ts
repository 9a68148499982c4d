/** S-expressions as xend reads and writes them: `(vm (name x) …)`. */
import type * as Monaco from 'monaco-editor/editor';

export function registerSxp(monaco: typeof Monaco): void {
  monaco.languages.register({ id: 'sxp', extensions: ['.sxp'], aliases: ['SXP'] });
  monaco.languages.setLanguageConfiguration('sxp', {
    comments: { lineComment: '#' },
    brackets: [['(', ')']],
    autoClosingPairs: [
      { open: '(', close: ')' },
      { open: "'", close: "'", notIn: ['string', 'comment'] },
      { open: '"', close: '"', notIn: ['string', 'comment'] },
    ],
  });
  monaco.languages.setMonarchTokensProvider('sxp', {
    tokenizer: {
      root: [
        [/#.*$/, 'comment'],
        // The word after an opening parenthesis names the element.
        [/(\()(\s*)([^\s()'"#]+)/, ['delimiter', 'white', 'keyword']],
        [/[()]/, 'delimiter'],
        [/'(?:[^'\\]|\\.)*'/, 'string'],
        [/"(?:[^"\\]|\\.)*"/, 'string'],
        [/['"].*$/, 'string.invalid'],
        [/-?(?:0x[\da-fA-F]+|\d+(?:\.\d+)?)(?=[\s()]|$)/, 'number'],
        [/[^\s()'"#]+/, 'identifier'],
      ],
    },
  });
}
