import { type FormEvent, useRef, useState } from 'react';
import type { PolicyForm } from '../../../workers/contract';
import { messageOf, unwrap } from '../../worker/connect';
import { useLabHandle } from '../../worker/LabContext';
import { useBench } from '../bench';
import { download } from '../download';
import { emptyForm, typesOfPrimary } from '../form/formEdits';
import { PolicyFormEditor } from '../form/PolicyFormEditor';
import { POLICIES, sourcePath } from '../paths';
import '../policy.css';
import { text as benchText } from '../text';
import { text } from './text';

interface Opened {
  readonly form: PolicyForm;
  /** The file that the form was read from; undefined: none. */
  readonly source?: string | undefined;
}

/** xensec_gen: one form for every part of a policy. */
export function GenPanel() {
  const [opened, setOpened] = useState<Opened>();
  return (
    <div className="panel xensec-gen">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region needs a tab stop */}
      <section className="gen-scroll" tabIndex={0} aria-label={text.title}>
        {opened ? (
          <FormPage
            {...opened}
            onChange={(form) => setOpened({ ...opened, form })}
            onBack={() => setOpened(undefined)}
          />
        ) : (
          <FirstPage onCreate={setOpened} />
        )}
      </section>
    </div>
  );
}

/** An empty policy, or one that is there already. */
function FirstPage({ onCreate }: { onCreate: (opened: Opened) => void }) {
  const { api } = useLabHandle();
  const [path, setPath] = useState('');
  const [problems, setProblems] = useState<readonly string[]>([]);
  const picker = useRef<HTMLInputElement>(null);
  const read = async (content: string) => {
    const { issues, policy } = unwrap(await api.analysePolicy(content));
    if (policy) onCreate({ form: policy.form, source: content });
    else setProblems(issues.map(({ line, column, message }) => text.problem(line, column, message)));
  };
  const create = async (event: FormEvent) => {
    event.preventDefault();
    setProblems([]);
    if (path.trim() === '') {
      onCreate({ form: { ...emptyForm, date: now() } });
      return;
    }
    try {
      await read(new TextDecoder().decode(unwrap(await api.readFile(path.trim()))));
    } catch (error) {
      setProblems([messageOf(error)]);
    }
  };
  const upload = async (file: File | undefined) => {
    setProblems([]);
    if (file) await read(await file.text());
  };
  return (
    <form className="gen-first" onSubmit={(event) => void create(event)}>
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
          onChange={(event) => void upload(event.target.files?.[0])}
        />
      </div>
      <Problems title={text.importProblems} list={problems} />
    </form>
  );
}

interface FormPageProps extends Opened {
  readonly onChange: (form: PolicyForm) => void;
  readonly onBack: () => void;
}

function FormPage({ form, source, onChange, onBack }: FormPageProps) {
  const { api } = useLabHandle();
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
    unwrap(await api.writeFile(path, new TextEncoder().encode(xml)));
    await useBench.getState().open(api, path);
    return text.saved(path);
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
              return text.generated;
            })
          }
        >
          {text.generate}
        </button>
        <button type="button" onClick={() => void generate(save)}>
          {text.save}
        </button>
        <button type="button" onClick={onBack}>
          {text.back}
        </button>
      </div>
      {message && <output className="quiet small">{message}</output>}
      <Problems title={text.problems} list={problems} />
      <Bullets title={text.notes} list={notes} />
      <PolicyFormEditor form={form} onChange={onChange} />
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
