import { type FormEvent, useEffect, useRef, useState } from 'react';
import type { PolicyForm } from '../../../workers/contract';
import { type Dialogs, useDialogs } from '../../ui/dialogs';
import { messageOf, unwrap } from '../../worker/connect';
import { useLabHandle } from '../../worker/LabContext';
import { holdsUnsaved, useBench } from '../bench';
import { download } from '../download';
import { emptyForm, typesOfPrimary } from '../form/formEdits';
import { PolicyFormEditor } from '../form/PolicyFormEditor';
import { POLICIES, sourcePath } from '../paths';
import '../policy.css';
import { text as benchText } from '../text';
import { decodeText, readFileText } from '../textFile';
import { isUnsaved, type Opened, useGen } from './state';
import { text } from './text';

/** xensec_gen: one form for every part of a policy. */
export function GenPanel() {
  const opened = useGen((state) => state.opened);
  const [dialogs, dialog] = useDialogs();
  // A pane is closed more easily than a browser's window was: what was not saved is there when it is opened again.
  useEffect(
    () => () => {
      if (!isUnsaved(useGen.getState())) useGen.getState().reset();
    },
    [],
  );
  return (
    <div className="panel xensec-gen">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region needs a tab stop */}
      <section className="gen-scroll" tabIndex={0} aria-label={text.title}>
        {opened ? <FormPage opened={opened} dialogs={dialogs} /> : <FirstPage />}
      </section>
      {dialog}
    </div>
  );
}

/** An empty policy, or one that is there already. */
function FirstPage() {
  const { api } = useLabHandle();
  const { open } = useGen.getState();
  const [path, setPath] = useState('');
  const [problems, setProblems] = useState<readonly string[]>([]);
  const picker = useRef<HTMLInputElement>(null);
  /** Takes the file, or says what is wrong with it. */
  const read = async (content: () => Promise<string>, from?: string) => {
    setProblems([]);
    try {
      const source = await content();
      const { issues, policy } = unwrap(await api.analysePolicy(source));
      if (policy) open({ form: policy.form, source, path: from });
      else setProblems(issues.map(({ line, column, message }) => text.problem(line, column, message)));
    } catch (error) {
      setProblems([messageOf(error)]);
    }
  };
  const create = (event: FormEvent) => {
    event.preventDefault();
    const named = path.trim();
    if (named === '') open({ form: { ...emptyForm, date: now() } });
    else void read(async () => decodeText(unwrap(await api.readFile(named)), named), named);
  };
  return (
    <form className="gen-first" onSubmit={create}>
      <h2>{text.heading}</h2>
      <h3>{text.section}</h3>
      <p>{text.explanation}</p>
      <label className="field">
        {text.file}
        <input
          type="text"
          size={50}
          value={path}
          placeholder={`${POLICIES}/…`}
          spellCheck={false}
          data-autofocus
          onChange={(event) => setPath(event.target.value)}
        />
      </label>
      <div className="buttons">
        <button type="submit" className="primary">
          {text.create}
        </button>
        <button type="button" onClick={() => picker.current?.click()}>
          {text.fromHere}
        </button>
        <input
          ref={picker}
          type="file"
          accept=".xml,text/xml"
          hidden
          aria-label={text.fromHere}
          onChange={(event) => {
            const file = event.target.files?.[0];
            if (file) void read(() => readFileText(file));
            event.target.value = '';
          }}
        />
      </div>
      <Problems title={text.importProblems} list={problems} />
    </form>
  );
}

function FormPage({ opened, dialogs }: { opened: Opened; dialogs: Dialogs }) {
  const { form, source } = opened;
  const { api } = useLabHandle();
  const { change, wasSaved, reset } = useGen.getState();
  const [problems, setProblems] = useState<readonly string[]>([]);
  const [notes, setNotes] = useState<readonly string[]>([]);
  const [message, setMessage] = useState('');
  const generate = async (deliver: (xml: string) => Promise<string> | string) => {
    setMessage('');
    setNotes([]);
    const missing = problemsOf(form);
    setProblems(missing);
    if (missing.length > 0) return;
    try {
      const xml = unwrap(await api.writePolicy(form, source));
      const { issues } = unwrap(await api.analysePolicy(xml));
      const said = (kind: 'error' | 'warning') =>
        issues.flatMap(({ severity, message: each }) => (severity === kind ? [each] : []));
      setProblems(said('error'));
      if (said('error').length > 0) return;
      setMessage(await deliver(xml));
      setNotes(said('warning'));
    } catch (error) {
      setProblems([messageOf(error)]);
    }
  };
  const save = async (xml: string) => {
    const path = sourcePath(form.name);
    const isOther = path !== opened.path && (await api.readFile(path)).ok;
    if (isOther && !(await dialogs.askYesNo(text.save, text.overwrite(path)))) return '';
    unwrap(await api.writeFile(path, new TextEncoder().encode(xml)));
    wasSaved(form, path);
    const bench = useBench.getState();
    if (holdsUnsaved(bench)) return text.saved(path);
    await bench.open(api, path);
    return text.savedAndOpen(path);
  };
  const startAgain = async () => {
    if (!isUnsaved(useGen.getState()) || (await dialogs.askYesNo(text.unsavedTitle, text.unsaved))) reset();
  };
  return (
    <>
      <div className="buttons gen-actions">
        <button
          type="button"
          className="primary"
          onClick={() =>
            void generate((xml) => {
              download('security_policy.xml', xml, 'text/xml');
              wasSaved(form);
              return text.generated;
            })
          }
        >
          {text.generate}
        </button>
        <button type="button" onClick={() => void generate(save)}>
          {text.save}
        </button>
        <button type="button" onClick={() => void startAgain()}>
          {text.back}
        </button>
      </div>
      {message && <output className="quiet small">{message}</output>}
      <Problems title={text.problems} list={problems} />
      <Bullets title={text.notes} list={notes} />
      <PolicyFormEditor form={form} onChange={change} />
    </>
  );
}

function Problems({ title, list }: { title: string; list: readonly string[] }) {
  if (list.length === 0) return null;
  return (
    <div role="alert" className="bad">
      <Bullets title={title} list={list} />
    </div>
  );
}

function Bullets({ title, list }: { title: string; list: readonly string[] }) {
  if (list.length === 0) return null;
  return (
    <>
      <p>{title}</p>
      <ul className="bullets">
        {list.map((each) => (
          <li key={each}>{each}</li>
        ))}
      </ul>
    </>
  );
}

/** What the original asks for; everything else is found by the policy's own rules. */
function problemsOf(form: PolicyForm): readonly string[] {
  return [
    ...(form.name.trim() === '' ? [text.noName] : []),
    ...(form.primary && typesOfPrimary(form).length === 0
      ? [text.noPrimaryTypes(benchText.form.primaries[form.primary])]
      : []),
  ];
}

/** `YYYY-MM-DD HH:MM:SS`. */
function now(): string {
  return new Date().toISOString().slice(0, 19).replace('T', ' ');
}
