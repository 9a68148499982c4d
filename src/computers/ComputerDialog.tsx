import { type ReactNode, useEffect, useId, useRef, useState } from 'react';
import { messageOf } from '../worker/connect';
import { useLabHandle } from '../worker/LabContext';
import { wantNumber } from '../worker/machineNumber';
import { useComputerDialog } from './dialog';
import { NotConnected } from './NotConnected';
import { useComputer, useProblem } from './otherComputer';
import { text } from './text';

/** Two texts, copied by hand, connect this machine to one in another computer's browser. */
export function ComputerDialog() {
  return useComputerDialog((state) => state.isOpen) ? <Open /> : null;
}

function Open() {
  const dialog = useRef<HTMLDialogElement>(null);
  const connection = useComputer((state) => state.connection);
  const problem = useProblem((state) => state.problem);
  const title = useId();
  useEffect(() => {
    dialog.current?.showModal();
    return () => useProblem.setState({ problem: undefined });
  }, []);
  return (
    <dialog
      ref={dialog}
      className="question computers"
      aria-labelledby={title}
      onClose={() => useComputerDialog.setState({ isOpen: false })}
    >
      <h2 id={title}>{text.title}</h2>
      {(connection.phase === 'none' || connection.phase === 'lost') && <Beginning />}
      {connection.phase === 'inviting' && <Inviting invitation={connection.text} />}
      {connection.phase === 'answering' && <Answering answer={connection.text} />}
      <p role="status">
        {connection.phase === 'connecting' && text.connecting}
        {connection.phase === 'connected' &&
          (connection.isStalled ? text.stalled(connection.host) : text.connected(connection.host))}
      </p>
      {problem && (
        <p className="bad" role="alert">
          {problem}
        </p>
      )}
      <NotConnected />
      <div className="buttons">
        <Ending />
        <button type="button" onClick={() => dialog.current?.close()}>
          {text.close}
        </button>
      </div>
    </dialog>
  );
}

/** Runs something that may fail; why stands in the dialog. */
function useAttempt(): (action: () => Promise<void>) => void {
  return (action) => {
    useProblem.setState({ problem: undefined });
    action().catch((error: unknown) => useProblem.setState({ problem: messageOf(error) }));
  };
}

function Beginning() {
  const { computer, restart } = useLabHandle();
  const attempt = useAttempt();
  const pasted = useComputerDialog((state) => state.pasted);
  const [stun, setStun] = useState('');
  const [better, setBetter] = useState<{ readonly own: number; readonly number: number }>();
  const join = () =>
    attempt(async () => {
      setBetter(undefined);
      setBetter(await computer.join(pasted, stun));
    });
  return (
    <>
      <p className="quiet">{text.about}</p>
      <section aria-labelledby="computers-invite">
        <h3 id="computers-invite">{text.invite}</h3>
        <p>{text.inviteHint}</p>
        <button type="button" className="primary" onClick={() => attempt(() => computer.invite(stun))}>
          {text.makeInvitation}
        </button>
      </section>
      <section aria-labelledby="computers-join">
        <h3 id="computers-join">{text.join}</h3>
        <p>{text.joinHint}</p>
        <Pasted
          label={text.pasteInvitation}
          value={pasted}
          onChange={(value) => useComputerDialog.setState({ pasted: value })}
        />
        {better ? (
          <>
            <p role="alert">{text.clash(`host${better.own}`, `host${better.number}`)}</p>
            <button
              type="button"
              className="primary"
              onClick={() => {
                wantNumber(better.number);
                restart();
              }}
            >
              {text.restart(`host${better.number}`)}
            </button>
          </>
        ) : (
          <button type="button" disabled={pasted.trim() === ''} onClick={join}>
            {text.makeAnswer}
          </button>
        )}
      </section>
      <label className="dialog-field">
        {text.stun}
        <input value={stun} placeholder={text.stunHint} onChange={(event) => setStun(event.target.value)} />
      </label>
    </>
  );
}

function Inviting({ invitation }: { invitation: string | undefined }) {
  const { computer } = useLabHandle();
  const attempt = useAttempt();
  const [answer, setAnswer] = useState('');
  if (invitation === undefined) return <p role="status">{text.working}</p>;
  return (
    <>
      <p>{text.sendInvitation}</p>
      <Copied label={text.invitation} value={invitation} />
      <p>{text.awaitAnswer}</p>
      <Pasted label={text.pasteAnswer} value={answer} onChange={setAnswer} />
      <button
        type="button"
        className="primary"
        disabled={answer.trim() === ''}
        onClick={() => attempt(() => computer.accept(answer))}
      >
        {text.connect}
      </button>
    </>
  );
}

function Answering({ answer }: { answer: string | undefined }) {
  if (answer === undefined) return <p role="status">{text.working}</p>;
  return (
    <>
      <p>{text.sendAnswer}</p>
      <Copied label={text.answer} value={answer} />
    </>
  );
}

function Ending() {
  const { computer } = useLabHandle();
  const phase = useComputer((state) => state.connection.phase);
  if (phase === 'none' || phase === 'lost') return null;
  return (
    <button type="button" onClick={() => void computer.disconnect()}>
      {phase === 'connected' ? text.disconnect : text.cancel}
    </button>
  );
}

function Field({ label, children }: { label: string; children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noLabelWithoutControl: the control is the child
    <label className="dialog-field">
      {label}
      {children}
    </label>
  );
}

function Pasted({ label, value, onChange }: { label: string; value: string; onChange: (value: string) => void }) {
  return (
    <Field label={label}>
      <textarea rows={3} spellCheck={false} value={value} onChange={(event) => onChange(event.target.value)} />
    </Field>
  );
}

function Copied({ label, value }: { label: string; value: string }) {
  const area = useRef<HTMLTextAreaElement>(null);
  const [isCopied, setCopied] = useState(false);
  const copy = () => {
    // Selected as well, for browsers that give a page no clipboard.
    area.current?.select();
    navigator.clipboard?.writeText(value).then(
      () => setCopied(true),
      () => setCopied(false),
    );
  };
  return (
    <>
      <Field label={label}>
        <textarea ref={area} rows={4} readOnly value={value} onFocus={(event) => event.target.select()} />
      </Field>
      <button type="button" onClick={copy}>
        {isCopied ? text.copied : text.copy}
      </button>
    </>
  );
}
