/** Domain configurations: Python text in which xm's variables are known, with completion and hover for each. */
import type * as Monaco from 'monaco-editor/editor';
import { conf, language } from 'monaco-editor/languages/definitions/python/python';
import { completionPlace } from '../completionPlace';
import { deviceKeys, deviceKeyText } from '../deviceKeys';
import { text } from '../text';
import { type ConfigVariable, findVariable, variables } from '../variables';

export function registerXmcfg(monaco: typeof Monaco): void {
  monaco.languages.register({ id: 'xmcfg', aliases: ['Xen domain configuration'] });
  monaco.languages.setLanguageConfiguration('xmcfg', conf);
  monaco.languages.setMonarchTokensProvider('xmcfg', {
    ...language,
    xmVariables: variables.map((variable) => variable.name),
    tokenizer: {
      ...language.tokenizer,
      root: [
        [/^[a-zA-Z_]\w*(?=\s*=(?!=))/, { cases: { '@xmVariables': 'variable', '@default': 'identifier' } }],
        ...(language.tokenizer['root'] ?? []),
      ],
    },
  });
  monaco.languages.registerCompletionItemProvider('xmcfg', {
    triggerCharacters: ["'", '"', ','],
    provideCompletionItems: (model, position) => ({ suggestions: completionsAt(monaco, model, position) }),
  });
  monaco.languages.registerHoverProvider('xmcfg', {
    provideHover: (model, position) => {
      const word = model.getWordAtPosition(position);
      const variable = word && findVariable(word.word);
      if (!word || !variable) return null;
      return {
        contents: describe(variable).map((value) => ({ value })),
        range: new monaco.Range(position.lineNumber, word.startColumn, position.lineNumber, word.endColumn),
      };
    },
  });
}

function completionsAt(
  monaco: typeof Monaco,
  model: Monaco.editor.ITextModel,
  position: Monaco.Position,
): Monaco.languages.CompletionItem[] {
  const place = completionPlace(statementBefore(model, position));
  if (!place) return [];
  const word = model.getWordUntilPosition(position);
  const range = new monaco.Range(position.lineNumber, word.startColumn, position.lineNumber, word.endColumn);
  const { CompletionItemKind, CompletionItemInsertTextRule } = monaco.languages;
  switch (place.kind) {
    case 'name':
      return variables.map((variable) => ({
        label: { label: variable.name, description: variable.type },
        kind: CompletionItemKind.Property,
        documentation: { value: describe(variable).join('\n\n') },
        insertText: `${variable.name} = ${snippetValue(variable)}`,
        insertTextRules: CompletionItemInsertTextRule.InsertAsSnippet,
        sortText: `${variable.deprecated ? '2' : '1'}${variable.name}`,
        range,
      }));
    case 'value': {
      const isQuoted = /['"][\w-]*$/.test(model.getLineContent(position.lineNumber).slice(0, position.column - 1));
      return (place.variable.values ?? []).map((value) => ({
        label: value,
        kind: CompletionItemKind.Value,
        insertText: isQuoted || place.variable.type !== 'string' ? value : `'${value}'`,
        range,
      }));
    }
    case 'deviceKey':
      return (deviceKeys[place.list] ?? []).map((key) => ({
        label: key,
        kind: CompletionItemKind.Field,
        detail: deviceKeyText[place.list]?.[key],
        insertText: `${key}=`,
        range,
      }));
  }
}

/** From the last line that starts in the first column to the cursor; configurations seldom nest deeper. */
function statementBefore(model: Monaco.editor.ITextModel, position: Monaco.Position): string {
  let first = position.lineNumber;
  while (first > 1 && /^[\s\])}]/.test(model.getLineContent(first)) && position.lineNumber - first < 40) first -= 1;
  return model.getValueInRange({
    startLineNumber: first,
    startColumn: 1,
    endLineNumber: position.lineNumber,
    endColumn: position.column,
  });
}

function snippetValue(variable: ConfigVariable): string {
  if (variable.type === 'list') return '[ $0 ]';
  if (variable.type === 'integer' || variable.type === 'boolean') return `\${0:${variable.default ?? '1'}}`;
  return "'$0'";
}

/** Paragraphs of Markdown for hover and completion. */
export function describe(variable: ConfigVariable): string[] {
  const builder = text.hover.builder[variable.builder];
  return [
    `**${variable.name}** · ${variable.type}${builder ? ` · ${builder}` : ''}`,
    variable.text,
    ...(variable.default === undefined ? [] : [`${text.hover.default}: \`${variable.default || "''"}\``]),
    ...(variable.values ? [`${text.hover.values}: ${variable.values.map((value) => `\`${value}\``).join(' ')}`] : []),
    ...(variable.example ? [`${text.hover.example}: \`${variable.example}\``] : []),
  ];
}
