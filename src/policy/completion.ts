/** Completion in a policy's text: the elements that may stand here, and the types and labels that the policy has. */
import type * as Monaco from 'monaco-editor/editor';
import type { PolicyForm } from '../../workers/contract';

/** Elements inside an element, in the schema's order (workers/acm/policySchema.ts). */
const children: Readonly<Record<string, readonly string[]>> = {
  SecurityPolicyDefinition: ['PolicyHeader', 'SimpleTypeEnforcement', 'ChineseWall', 'SecurityLabelTemplate'],
  PolicyHeader: ['PolicyName', 'PolicyUrl', 'Reference', 'Date', 'NameSpaceUrl', 'Version', 'FromPolicy'],
  FromPolicy: ['PolicyName', 'Version'],
  SimpleTypeEnforcement: ['SimpleTypeEnforcementTypes'],
  SimpleTypeEnforcementTypes: ['Type'],
  ChineseWall: ['ChineseWallTypes', 'ConflictSets'],
  ChineseWallTypes: ['Type'],
  ConflictSets: ['Conflict'],
  Conflict: ['Type'],
  SecurityLabelTemplate: ['SubjectLabels', 'ObjectLabels'],
  SubjectLabels: ['VirtualMachineLabel'],
  VirtualMachineLabel: ['Name', 'SimpleTypeEnforcementTypes', 'ChineseWallTypes'],
  ObjectLabels: ['ResourceLabel'],
  ResourceLabel: ['Name', 'SimpleTypeEnforcementTypes'],
};

export interface CompletionPlace {
  /** Open elements, the outermost first. */
  readonly path: readonly string[];
  /** `<` and what has been typed of a name, or the text inside an element. */
  readonly kind: 'element' | 'text';
  readonly typed: string;
}

/** What stands before the cursor. Undefined inside a comment, a tag's attributes, and the like. */
export function completionPlace(before: string): CompletionPlace | undefined {
  const text = before.replace(/<!--[\s\S]*?-->/g, '');
  if (text.includes('<!--')) return undefined;
  const path: string[] = [];
  const tag = /<(\/?)([A-Za-z]+)((?:[^<>"']|"[^"]*"|'[^']*')*?)(\/?)>/g;
  let end = 0;
  for (const match of text.matchAll(tag)) {
    end = match.index + match[0].length;
    if (match[1] === '/') path.pop();
    else if (match[4] !== '/') path.push(match[2]!);
  }
  const rest = text.slice(end);
  const open = rest.lastIndexOf('<');
  if (open < 0) return { path, kind: 'text', typed: rest.trimStart() };
  const typed = rest.slice(open + 1);
  return /^[A-Za-z]*$/.test(typed) ? { path, kind: 'element', typed } : undefined;
}

/** Words that may stand there. */
export function completionsAt({ path, kind }: CompletionPlace, form: PolicyForm | undefined): readonly string[] {
  const parent = path.at(-1) ?? '';
  if (kind === 'element') return children[parent] ?? [];
  if (parent !== 'Type' || !form) return [];
  const list = path.at(-2);
  return list === 'ChineseWallTypes' || list === 'Conflict' ? form.chwallTypes : form.steTypes;
}

/** `form`: the policy as it was when its text could last be read. */
export function registerPolicyCompletion(
  monaco: typeof Monaco,
  isOurs: (model: Monaco.editor.ITextModel) => boolean,
  form: () => PolicyForm | undefined,
): Monaco.IDisposable {
  return monaco.languages.registerCompletionItemProvider('xml', {
    triggerCharacters: ['<', '>'],
    provideCompletionItems(model, position) {
      if (!isOurs(model)) return { suggestions: [] };
      const before = model.getValueInRange({
        startLineNumber: 1,
        startColumn: 1,
        endLineNumber: position.lineNumber,
        endColumn: position.column,
      });
      const place = completionPlace(before);
      if (!place) return { suggestions: [] };
      const range = {
        startLineNumber: position.lineNumber,
        startColumn: position.column - place.typed.length,
        endLineNumber: position.lineNumber,
        endColumn: position.column,
      };
      const isElement = place.kind === 'element';
      // Monaco closes the angle bracket that it has seen opened.
      const next = model.getLineContent(position.lineNumber).charAt(position.column - 1);
      return {
        suggestions: completionsAt(place, form()).map((word) => ({
          label: word,
          kind: isElement ? monaco.languages.CompletionItemKind.Property : monaco.languages.CompletionItemKind.Value,
          insertText: isElement ? `${word}>$0</${word}${next === '>' ? '' : '>'}` : word,
          ...(isElement ? { insertTextRules: monaco.languages.CompletionItemInsertTextRule.InsertAsSnippet } : {}),
          range,
        })),
      };
    },
  });
}
