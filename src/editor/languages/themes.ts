/** The editor's colours, matched to ui/theme.css. */
import type * as Monaco from 'monaco-editor/editor';

export function defineThemes(monaco: typeof Monaco): void {
  monaco.editor.defineTheme('xen-lab-dark', {
    base: 'vs-dark',
    inherit: true,
    rules: [
      { token: 'comment', foreground: '8795a1' },
      { token: 'keyword', foreground: '7fb2e5' },
      { token: 'string', foreground: '7cc796' },
      { token: 'number', foreground: 'dcb35c' },
      { token: 'variable', foreground: '62c0d4' },
      { token: 'delimiter', foreground: 'a9b6c1' },
    ],
    colors: {
      'editor.background': '#0c1013',
      'editor.foreground': '#d4dce2',
      'editorLineNumber.foreground': '#6d7a86',
      'editorLineNumber.activeForeground': '#d4dce2',
      'editor.lineHighlightBackground': '#141a1f',
      'editor.lineHighlightBorder': '#141a1f',
      'editorCursor.foreground': '#62c0d4',
      'editor.selectionBackground': '#28505c',
      'editorWidget.background': '#1d242b',
      'editorWidget.border': '#39444e',
    },
  });
  monaco.editor.defineTheme('xen-lab-light', {
    base: 'vs',
    inherit: true,
    rules: [
      { token: 'comment', foreground: '5a6771' },
      { token: 'keyword', foreground: '225f9e' },
      { token: 'string', foreground: '1b7440' },
      { token: 'number', foreground: '835800' },
      { token: 'variable', foreground: '0a6a80' },
      { token: 'delimiter', foreground: '46525c' },
    ],
    colors: {
      'editor.background': '#fcfdfd',
      'editor.foreground': '#1c252c',
      'editorLineNumber.foreground': '#6b7781',
      'editorLineNumber.activeForeground': '#1c252c',
      'editor.lineHighlightBackground': '#f0f4f5',
      'editor.lineHighlightBorder': '#f0f4f5',
      'editorCursor.foreground': '#0a6a80',
      'editor.selectionBackground': '#bfe0e8',
    },
  });
}
