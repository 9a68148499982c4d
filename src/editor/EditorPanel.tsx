import { X } from 'lucide-react';
import { lazy, Suspense, useEffect, useRef, useState } from 'react';
import type { LabApi } from '../../workers/contract';
import { IconButton } from '../ui/IconButton';
import { returnToTerminal } from '../workbench/layout';
import { useLabHandle } from '../worker/LabContext';
import { isDirty, type OpenDocument, useDocuments } from './documents';
import { FileTree } from './FileTree';
import { languageOf } from './language';
import { text } from './text';

/** Monaco is most of the page's code: it is fetched when the first file is opened. */
const CodeEditor = lazy(() => import('./CodeEditor').then((module) => ({ default: module.CodeEditor })));

export function EditorPanel() {
  const documents = useDocuments((state) => state.documents);
  const active = useDocuments((state) => state.documents.find((document) => document.path === state.active));
  const problem = useDocuments((state) => state.problem);
  const [closing, setClosing] = useState<string>();
  const { api } = useLabHandle();

  const requestClose = (document: OpenDocument) => {
    if (isDirty(document)) setClosing(document.path);
    else closeDocument(api, document.path);
  };

  return (
    <div className="panel editor">
      <FileTree />
      <div className="editor-main">
        {documents.length > 0 && (
          <ul className="file-tabs" aria-label={text.openFiles}>
            {documents.map((document) => (
              <FileTab
                key={document.path}
                document={document}
                isActive={document === active}
                onClose={() => requestClose(document)}
              />
            ))}
          </ul>
        )}
        {problem && (
          <p className="bar bad" role="alert">
            {problem}
          </p>
        )}
        {active?.newerText !== undefined && <ChangedBar path={active.path} />}
        {active ? <ActiveDocument document={active} /> : <p className="quiet padded">{text.welcome}</p>}
      </div>
      {closing && <CloseDialog path={closing} onDone={() => setClosing(undefined)} />}
    </div>
  );
}

/** A program that waited for the file goes on, and the next keys are meant for its terminal. */
function closeDocument(api: LabApi, path: string): void {
  const { documents, close } = useDocuments.getState();
  const isAwaited = documents.some((document) => document.path === path && document.editIds.length > 0);
  close(api, path);
  if (isAwaited) returnToTerminal();
}

function FileTab(props: { document: OpenDocument; isActive: boolean; onClose: () => void }) {
  const { document, isActive, onClose } = props;
  const name = document.path.slice(document.path.lastIndexOf('/') + 1);
  return (
    <li className={isActive ? 'file-tab active' : 'file-tab'}>
      <button
        type="button"
        aria-current={isActive ? 'true' : undefined}
        title={document.path}
        onClick={() => useDocuments.getState().activate(document.path)}
      >
        {name}
        {isDirty(document) && <span className="dirty" role="img" aria-label={text.unsaved} />}
      </button>
      <IconButton icon={X} label={text.close(document.path)} onClick={onClose} />
    </li>
  );
}

function ActiveDocument({ document }: { document: OpenDocument }) {
  const { api } = useLabHandle();
  const [problemCount, setProblemCount] = useState(0);
  const language = languageOf(document.path, document.savedText ?? document.text);
  const { save, edit } = useDocuments.getState();
  const note = document.editIds.length > 0 ? text.waiting : document.savedText === undefined ? text.isNew : '';
  return (
    <>
      <div className="editor-bar">
        <code>{document.path}</code>
        <span className="quiet">{text.languages[language]}</span>
        {language === 'xmcfg' && (
          <span className={problemCount > 0 ? 'bad' : 'quiet'} role="status">
            {text.problems(problemCount)}
          </span>
        )}
        {note && <span className="warning">{note}</span>}
        <span className="toolbar-space" />
        <button
          type="button"
          title={text.saveHint}
          disabled={!isDirty(document)}
          onClick={() => void save(api, document.path)}
        >
          {text.save}
        </button>
      </div>
      <Suspense fallback={<p className="quiet padded">{text.loading}</p>}>
        <CodeEditor
          path={document.path}
          value={document.text}
          language={language}
          takesFocus={document.editIds.length > 0}
          onChange={(value) => edit(document.path, value)}
          onSave={() => void save(api, document.path)}
          onProblems={setProblemCount}
        />
      </Suspense>
    </>
  );
}

function ChangedBar({ path }: { path: string }) {
  const { takeNewer, keepMine } = useDocuments.getState();
  return (
    <div className="bar warning" role="alert">
      <span>{text.changedOnDisk}</span>
      <button type="button" onClick={() => takeNewer(path)}>
        {text.reload}
      </button>
      <button type="button" onClick={() => keepMine(path)}>
        {text.keep}
      </button>
    </div>
  );
}

function CloseDialog({ path, onDone }: { path: string; onDone: () => void }) {
  const { api } = useLabHandle();
  const dialog = useRef<HTMLDialogElement>(null);
  const { save } = useDocuments.getState();
  useEffect(() => dialog.current?.showModal(), []);
  const saveAndClose = async () => {
    const isSaved = await save(api, path);
    onDone();
    if (isSaved) closeDocument(api, path);
  };
  return (
    <dialog ref={dialog} className="question" aria-label={text.close(path)} onClose={onDone}>
      <p>{text.closeDirty(path)}</p>
      <div className="buttons">
        <button type="button" className="primary" onClick={() => void saveAndClose()}>
          {text.saveAndClose}
        </button>
        <button
          type="button"
          onClick={() => {
            onDone();
            closeDocument(api, path);
          }}
        >
          {text.discard}
        </button>
        <button type="button" onClick={() => dialog.current?.close()}>
          {text.cancel}
        </button>
      </div>
    </dialog>
  );
}
