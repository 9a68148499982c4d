import { useEffect, useRef, useState } from 'react';
import { messageOf, unwrap } from '../worker/connect';
import { useLabHandle } from '../worker/LabContext';
import { stopAsking, useEraseQuestion } from './eraseQuestion';
import { text } from './text';

/** Asks before the disks are erased; the safe answer has the focus. */
export function EraseDialog() {
  const isOpen = useEraseQuestion((state) => state.isOpen);
  return isOpen ? <Question /> : null;
}

function Question() {
  const { api, restart } = useLabHandle();
  const dialog = useRef<HTMLDialogElement>(null);
  const [isErasing, setErasing] = useState(false);
  const [problem, setProblem] = useState<string>();
  const labels = text.erase;
  useEffect(() => dialog.current?.showModal(), []);

  const erase = async () => {
    setErasing(true);
    try {
      unwrap(await api.eraseDisks());
      stopAsking();
      restart();
    } catch (error) {
      setErasing(false);
      setProblem(messageOf(error));
    }
  };

  return (
    <dialog
      ref={dialog}
      className="question"
      aria-labelledby="erase-title"
      aria-describedby="erase-text"
      onClose={stopAsking}
    >
      <h2 id="erase-title">{labels.question}</h2>
      <p id="erase-text">{labels.explanation}</p>
      {problem && (
        <p className="bad" role="alert">
          {problem}
        </p>
      )}
      <div className="buttons">
        {/* biome-ignore lint/a11y/noAutofocus: a dialog that was asked for; Enter must not erase */}
        <button type="button" autoFocus onClick={() => dialog.current?.close()}>
          {labels.cancel}
        </button>
        <button type="button" className="danger" disabled={isErasing} onClick={() => void erase()}>
          {isErasing ? labels.erasing : labels.confirm}
        </button>
      </div>
    </dialog>
  );
}
