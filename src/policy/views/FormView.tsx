import { useEffect, useRef, useState } from 'react';
import type { PolicyForm, PolicyReading } from '../../../workers/contract';
import { messageOf, unwrap } from '../../worker/connect';
import { useLabHandle } from '../../worker/LabContext';
import { useBench } from '../bench';
import { typesOfPrimary } from '../form/formEdits';
import { PolicyFormEditor } from '../form/PolicyFormEditor';
import { text } from '../text';
import { Broken } from './Broken';

/** What the form says while the text is on its way to say it as well. */
interface Draft {
  readonly form: PolicyForm;
  readonly reading: PolicyReading;
}

/** The text as a form; what the form changes is changed in the text, of which all the rest stays. */
export function FormView() {
  const { api } = useLabHandle();
  const reading = useBench((state) => state.analysis?.policy);
  const selected = useBench((state) => state.label);
  const [draft, setDraft] = useState<Draft>();
  /** Conflict sets without types, which cannot stand in a file. */
  const [emptySets, setEmptySets] = useState<readonly string[]>([]);
  const written = useRef<string>(undefined);
  /** One change after the other: each is made on what the one before has written. */
  const queue = useRef(Promise.resolve());
  const view = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // Selected somewhere else: here one is looking at it already.
    const item = selected === undefined ? undefined : view.current?.querySelector('.form-item.selected');
    if (item && !item.contains(document.activeElement)) item.scrollIntoView({ block: 'nearest' });
  }, [selected]);
  const { edit, say, select } = useBench.getState();
  if (!reading) return <Broken />;
  const form = draft?.reading === reading ? draft.form : withSets(reading.form, emptySets);

  const write = async (next: PolicyForm) => {
    const { analysedXml, xml } = useBench.getState();
    if (analysedXml === undefined || (xml !== analysedXml && xml !== written.current))
      throw new Error(text.form.changed);
    const result = unwrap(await api.writePolicy(next, analysedXml));
    const { issues, policy } = unwrap(await api.analysePolicy(result));
    if (!policy) throw new Error(text.form.refused(issues[0]?.message ?? ''));
    if (useBench.getState().xml !== xml) throw new Error(text.form.changed);
    written.current = result;
    edit(result);
  };
  const change = (next: PolicyForm) => {
    if (next === form) return;
    const { primary } = next;
    if (primary !== undefined && primary !== form.primary && typesOfPrimary(next).length === 0) {
      say({ isBad: true, text: text.form.primaryEmpty(text.form.primaries[primary]) });
      return;
    }
    setDraft({ form: next, reading });
    setEmptySets(next.conflictSets.flatMap(({ name, types }) => (types.length === 0 ? [name] : [])));
    queue.current = queue.current
      .then(() => write(next))
      .then(() => say(undefined))
      .catch((error: unknown) => {
        setDraft(undefined);
        say({ isBad: true, text: messageOf(error) });
      });
  };
  return (
    <div ref={view}>
      <p className="quiet small">{text.form.keeps}</p>
      <PolicyFormEditor form={form} onChange={change} selected={selected} onSelect={(label) => select(label)} />
    </div>
  );
}

function withSets(form: PolicyForm, names: readonly string[]): PolicyForm {
  const missing = names.filter((name) => !form.conflictSets.some((set) => set.name === name));
  return missing.length === 0
    ? form
    : { ...form, conflictSets: [...form.conflictSets, ...missing.map((name) => ({ name, types: [] }))] };
}
