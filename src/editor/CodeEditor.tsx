import { useEffect, useRef } from 'react';
import { useTheme } from '../ui/theme';
import { useLabHandle } from '../worker/LabContext';
import { watchProblems } from './diagnostics/watchProblems';
import type { LanguageId } from './language';
import { monaco } from './monaco';
import { text } from './text';

interface Props {
  readonly path: string;
  readonly value: string;
  readonly language: LanguageId;
  /** A program waits for this file: the student's next keys are meant for it. */
  readonly takesFocus: boolean;
  readonly onChange: (value: string) => void;
  readonly onSave: () => void;
  /** Called with the number of markers whenever it changes. */
  readonly onProblems: (count: number) => void;
}

/** One Monaco editor that changes its model with the path; models live as long as the widget. */
export function CodeEditor(props: Props) {
  const { path, value, language, takesFocus } = props;
  const host = useRef<HTMLDivElement>(null);
  const editor = useRef<monaco.editor.IStandaloneCodeEditor>(undefined);
  const handlers = useRef(props);
  handlers.current = props;
  const { api } = useLabHandle();
  const theme = useTheme((state) => state.theme);

  useEffect(() => {
    if (!host.current) return;
    const instance = monaco.editor.create(host.current, editorOptions);
    editor.current = instance;
    instance.addCommand(monaco.KeyMod.CtrlCmd | monaco.KeyCode.KeyS, () => handlers.current.onSave());
    const observer = new ResizeObserver(() => instance.layout());
    observer.observe(host.current);
    return () => {
      observer.disconnect();
      editor.current = undefined;
      instance.dispose();
      // Others may have texts of their own.
      for (const model of monaco.editor.getModels()) if (model.uri.scheme === 'file') model.dispose();
    };
  }, []);

  useEffect(() => {
    const model = modelFor(path, handlers.current.value, language);
    editor.current?.setModel(model);
    editor.current?.updateOptions({ ariaLabel: text.editing(path) });
    const changes = model.onDidChangeContent(() => handlers.current.onChange(model.getValue()));
    const problems =
      language === 'xmcfg' ? watchProblems(model, path, api, (count) => handlers.current.onProblems(count)) : undefined;
    if (!problems) handlers.current.onProblems(0);
    return () => {
      changes.dispose();
      problems?.dispose();
    };
  }, [path, language, api]);

  useEffect(() => {
    const model = monaco.editor.getModel(uriOf(path));
    if (!model || model.getValue() === value) return;
    // An edit, not setValue: the student can undo what came from Domain-0.
    model.pushEditOperations([], [{ range: model.getFullModelRange(), text: value }], () => null);
  }, [path, value]);

  useEffect(() => {
    if (takesFocus) editor.current?.focus();
  }, [path, takesFocus]);

  useEffect(() => monaco.editor.setTheme(`xen-lab-${theme}`), [theme]);

  return (
    <div className="code-editor">
      <div ref={host} className="code-editor-host" data-testid="code-editor" />
      <p className="quiet small code-editor-hint">{text.escape}</p>
    </div>
  );
}

const editorOptions: monaco.editor.IStandaloneEditorConstructionOptions = {
  model: null,
  automaticLayout: false,
  fontSize: 13,
  lineHeight: 19,
  minimap: { enabled: false },
  scrollBeyondLastLine: false,
  renderLineHighlight: 'line',
  fixedOverflowWidgets: true,
  tabSize: 4,
  wordBasedSuggestions: 'off',
  quickSuggestions: { other: true, comments: false, strings: true },
  stickyScroll: { enabled: false },
  padding: { top: 6 },
  unicodeHighlight: { ambiguousCharacters: false },
};

function uriOf(path: string): monaco.Uri {
  return monaco.Uri.file(path);
}

function modelFor(path: string, value: string, language: LanguageId): monaco.editor.ITextModel {
  const known = monaco.editor.getModel(uriOf(path));
  if (known) {
    if (known.getLanguageId() !== language) monaco.editor.setModelLanguage(known, language);
    return known;
  }
  return monaco.editor.createModel(value, language, uriOf(path));
}
