import { useEffect, useRef, useState } from 'react';
import { useLab } from '../store/labStore';
import { messageOf, unwrap } from '../worker/connect';
import { useLabHandle } from '../worker/LabContext';
import { buildCommand } from './buildCommand';
import { text } from './text';

/** Boots with or without ACM in one click: the manual's steps, run in Domain-0. */
export function AcmChooser() {
  const policy = useLab((state) => state.host?.policy);
  const phase = useLab((state) => state.host?.phase);
  const [isAsking, setAsking] = useState(false);
  if (policy === undefined || phase !== 'running') return null;
  const isBuilt = policy !== null;
  return (
    <>
      <p className="small">{isBuilt ? text.acm.on(policy) : text.acm.off}</p>
      <div className="buttons">
        <button type="button" onClick={() => setAsking(true)}>
          {isBuilt ? text.acm.bootWithout : text.acm.bootWith}
        </button>
      </div>
      {isAsking && <Question isOn={!isBuilt} onDone={() => setAsking(false)} />}
    </>
  );
}

function Question({ isOn, onDone }: { isOn: boolean; onDone: () => void }) {
  const { api } = useLabHandle();
  const dialog = useRef<HTMLDialogElement>(null);
  const [progress, setProgress] = useState('');
  const [problem, setProblem] = useState('');
  const guests = useLab((state) => Object.keys(state.domains).length > 1);
  useEffect(() => dialog.current?.showModal(), []);
  const build = async () => {
    try {
      setProblem('');
      setProgress(text.acm.building);
      const result = unwrap(await api.exec(buildCommand(isOn)));
      if (result.status !== 0) throw new Error(`${result.stdout}${result.stderr}`.trim().split('\n').at(-1) ?? '');
      setProgress(text.acm.rebooting);
      // The machine goes off in the middle of this command: its answer is that it was ended.
      void api.exec('reboot');
      dialog.current?.close();
    } catch (error) {
      setProgress('');
      setProblem(messageOf(error));
    }
  };
  return (
    <dialog ref={dialog} className="question" aria-labelledby="acm-question" onClose={onDone}>
      <h2 id="acm-question">{text.acm.question(isOn)}</h2>
      <p>{text.acm.explain(isOn)}</p>
      {guests && <p className="warning">{text.acm.ends}</p>}
      <pre className="build-command">{`${buildCommand(isOn).replaceAll(' && ', '\n')}\nreboot`}</pre>
      {problem && (
        <p role="alert" className="bad">
          {problem}
        </p>
      )}
      <div className="buttons">
        <button type="button" className="primary" disabled={progress !== ''} onClick={() => void build()}>
          {progress || text.acm.confirm}
        </button>
        <button type="button" disabled={progress !== ''} onClick={() => dialog.current?.close()}>
          {text.acm.cancel}
        </button>
      </div>
    </dialog>
  );
}
