/** Questions as promises: a text, yes or no, a message. One stands at a time; Escape is no. */
import { type FormEvent, type ReactNode, useCallback, useEffect, useRef, useState } from 'react';

export interface TextQuestion {
  readonly title: string;
  readonly message: string;
  readonly initial?: string;
  /** Names that can be chosen instead of typed. */
  readonly choices?: readonly string[];
  readonly confirm?: string;
  /** A further way to answer. */
  readonly extra?: { readonly label: string; readonly answer: string };
}

export interface Dialogs {
  /** Undefined: cancelled. */
  askText(question: TextQuestion): Promise<string | undefined>;
  askYesNo(title: string, message: string): Promise<boolean>;
  tell(title: string, message: ReactNode): Promise<void>;
}

type Open =
  | { readonly kind: 'text'; readonly question: TextQuestion; readonly resolve: (answer: string | undefined) => void }
  | {
      readonly kind: 'yesNo';
      readonly title: string;
      readonly message: string;
      readonly resolve: (yes: boolean) => void;
    }
  | { readonly kind: 'tell'; readonly title: string; readonly message: ReactNode; readonly resolve: () => void };

/** The dialogs of a pane, and the element in which they appear. */
export function useDialogs(): readonly [Dialogs, ReactNode] {
  const [open, setOpen] = useState<Open>();
  const dialogs = useRef<Dialogs>({
    askText: (question) => new Promise((resolve) => setOpen({ kind: 'text', question, resolve })),
    askYesNo: (title, message) => new Promise((resolve) => setOpen({ kind: 'yesNo', title, message, resolve })),
    tell: (title, message) => new Promise((resolve) => setOpen({ kind: 'tell', title, message, resolve })),
  });
  const close = useCallback((finish: () => void) => {
    setOpen(undefined);
    finish();
  }, []);
  return [dialogs.current, open ? <OpenDialog open={open} close={close} /> : null];
}

function OpenDialog({ open, close }: { open: Open; close: (finish: () => void) => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const isAnswered = useRef(false);
  // Kept: a dialog reports its end after it is gone from the page.
  const before = useRef(document.activeElement);
  useEffect(() => {
    dialog.current?.showModal();
    const element = before.current;
    return () => {
      if (element instanceof HTMLElement) element.focus();
    };
  }, []);
  const answer = (finish: () => void) => {
    if (isAnswered.current) return;
    isAnswered.current = true;
    close(finish);
  };
  const cancel = () =>
    answer(() => {
      if (open.kind === 'text') open.resolve(undefined);
      else if (open.kind === 'yesNo') open.resolve(false);
      else open.resolve();
    });
  const title = open.kind === 'text' ? open.question.title : open.title;
  return (
    <dialog ref={dialog} className="question" aria-label={title} onClose={cancel}>
      <h2>{title}</h2>
      {open.kind === 'text' && <TextForm open={open} answer={answer} cancel={cancel} />}
      {open.kind === 'yesNo' && (
        <>
          <p className="pre">{open.message}</p>
          <div className="buttons">
            <button type="button" className="primary" onClick={() => answer(() => open.resolve(true))}>
              Yes
            </button>
            <button type="button" onClick={cancel}>
              No
            </button>
          </div>
        </>
      )}
      {open.kind === 'tell' && (
        <>
          <div className="pre">{open.message}</div>
          <div className="buttons">
            <button type="button" className="primary" onClick={cancel}>
              OK
            </button>
          </div>
        </>
      )}
    </dialog>
  );
}

interface TextFormProps {
  readonly open: Extract<Open, { kind: 'text' }>;
  readonly answer: (finish: () => void) => void;
  readonly cancel: () => void;
}

function TextForm({ open: { question, resolve }, answer, cancel }: TextFormProps) {
  const [value, setValue] = useState(question.initial ?? '');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    answer(() => resolve(value));
  };
  const { choices = [], extra } = question;
  return (
    <form onSubmit={submit}>
      <label className="dialog-field">
        <span>{question.message}</span>
        <input
          type="text"
          value={value}
          spellCheck={false}
          onChange={(event) => setValue(event.target.value)}
          onFocus={(event) => event.target.select()}
        />
      </label>
      {choices.length > 0 && (
        <ul className="choice-list">
          {choices.map((choice) => (
            <li key={choice}>
              <button type="button" className="link-row" onClick={() => setValue(choice)}>
                <code>{choice}</code>
              </button>
            </li>
          ))}
        </ul>
      )}
      <div className="buttons">
        <button type="submit" className="primary">
          {question.confirm ?? 'OK'}
        </button>
        <button type="button" onClick={cancel}>
          Cancel
        </button>
        {extra && (
          <button type="button" onClick={() => answer(() => resolve(extra.answer))}>
            {extra.label}
          </button>
        )}
      </div>
    </form>
  );
}
