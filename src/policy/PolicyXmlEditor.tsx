import { useEffect, useRef } from 'react';
import type { PolicyForm, PolicyIssue } from '../../workers/contract';
import { monaco } from '../editor/monaco';
import { useTheme } from '../ui/theme';
import { registerPolicyCompletion } from './completion';
import { text } from './text';

interface Props {
  readonly value: string;
  /** Another number: another document. */
  readonly opened: number;
  readonly issues: readonly PolicyIssue[];
  /** For completion: the policy as far as it can be read. */
  readonly form: PolicyForm | undefined;
  readonly reveal: { readonly line: number; readonly count: number } | undefined;
  readonly onChange: (value: string) => void;
  readonly onSave: () => void;
  readonly onCursor: (line: number) => void;
}

const uri = monaco.Uri.parse('policy://bench/policy.xml');

/** Monaco on the policy's XML; markers are what the worker says of the text. */
export function PolicyXmlEditor(props: Props) {
  const { value, opened, issues, reveal } = props;
  const shown = useRef(opened);
  const host = useRef<HTMLDivElement>(null);
  const editor = useRef<monaco.editor.IStandaloneCodeEditor>(undefined);
  const handlers = useRef(props);
  handlers.current = props;
  const theme = useTheme((state) => state.theme);

  useEffect(() => {
    if (!host.current) return undefined;
    const model = monaco.editor.getModel(uri) ?? monaco.editor.createModel(handlers.current.value, 'xml', uri);
    const instance = monaco.editor.create(host.current, { ...options, model, ariaLabel: text.edit });
    editor.current = instance;
    instance.addCommand(monaco.KeyMod.CtrlCmd | monaco.KeyCode.KeyS, () => handlers.current.onSave());
    const changes = model.onDidChangeContent(() => handlers.current.onChange(model.getValue()));
    const moves = instance.onDidChangeCursorPosition(({ position, source }) => {
      // Only what the reader does: revealing a line moves the cursor as well.
      if (source === 'mouse' || source === 'keyboard') handlers.current.onCursor(position.lineNumber);
    });
    const completion = registerPolicyCompletion(
      monaco,
      (each) => each === model,
      () => handlers.current.form,
    );
    const observer = new ResizeObserver(() => instance.layout());
    observer.observe(host.current);
    return () => {
      observer.disconnect();
      completion.dispose();
      changes.dispose();
      moves.dispose();
      editor.current = undefined;
      instance.dispose();
      model.dispose();
    };
  }, []);

  useEffect(() => {
    const model = editor.current?.getModel();
    if (!model) return;
    const isOther = shown.current !== opened;
    shown.current = opened;
    if (model.getValue() === value) return;
    // What a form has changed can be undone; what another document held cannot be had by undoing.
    if (isOther) model.setValue(value);
    else model.pushEditOperations([], [{ range: model.getFullModelRange(), text: value }], () => null);
  }, [value, opened]);

  useEffect(() => {
    const model = editor.current?.getModel();
    if (model)
      monaco.editor.setModelMarkers(
        model,
        'policy',
        issues.map((issue) => marker(issue, model)),
      );
  }, [issues]);

  useEffect(() => {
    const instance = editor.current;
    if (!instance || !reveal) return;
    instance.setPosition({ lineNumber: reveal.line, column: 1 });
    instance.revealLineInCenterIfOutsideViewport(reveal.line);
  }, [reveal]);

  useEffect(() => monaco.editor.setTheme(`xen-lab-${theme}`), [theme]);

  return <div ref={host} className="policy-xml-host" data-testid="policy-editor" />;
}

const options: monaco.editor.IStandaloneEditorConstructionOptions = {
  automaticLayout: false,
  fontSize: 12.5,
  lineHeight: 18,
  minimap: { enabled: false },
  scrollBeyondLastLine: false,
  renderLineHighlight: 'line',
  fixedOverflowWidgets: true,
  tabSize: 2,
  wordBasedSuggestions: 'off',
  quickSuggestions: { other: true, comments: false, strings: true },
  stickyScroll: { enabled: false },
  lineNumbersMinChars: 3,
  padding: { top: 6 },
  unicodeHighlight: { ambiguousCharacters: false },
};

function marker({ severity, message, line, column }: PolicyIssue, model: monaco.editor.ITextModel) {
  const startLineNumber = Math.min(Math.max(line, 1), model.getLineCount());
  const longest = model.getLineMaxColumn(startLineNumber);
  const startColumn = Math.min(Math.max(column, model.getLineFirstNonWhitespaceColumn(startLineNumber), 1), longest);
  return {
    severity: severity === 'error' ? monaco.MarkerSeverity.Error : monaco.MarkerSeverity.Warning,
    message,
    startLineNumber,
    startColumn,
    endLineNumber: startLineNumber,
    endColumn: Math.max(longest, startColumn + 1),
  };
}
