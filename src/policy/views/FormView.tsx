import type { PolicyForm } from '../../../workers/contract';
import { messageOf, unwrap } from '../../worker/connect';
import { useLabHandle } from '../../worker/LabContext';
import { useBench } from '../bench';
import { typesOfPrimary } from '../form/formEdits';
import { PolicyFormEditor } from '../form/PolicyFormEditor';
import { text } from '../text';
import { Broken } from './Broken';

/** The text as a form; what the form changes is written as text again. */
export function FormView() {
  const { api } = useLabHandle();
  const reading = useBench((state) => state.analysis?.policy);
  const selected = useBench((state) => state.label);
  const { edit, say, select } = useBench.getState();
  if (!reading) return <Broken />;
  const change = async (form: PolicyForm) => {
    if (form === reading.form) return;
    if (form.primary !== undefined && form.primary !== reading.form.primary && typesOfPrimary(form).length === 0) {
      say({ isBad: true, text: text.form.primaryEmpty(text.form.primaries[form.primary]) });
      return;
    }
    try {
      edit(unwrap(await api.writePolicy(form)));
    } catch (error) {
      say({ isBad: true, text: messageOf(error) });
    }
  };
  return (
    <>
      <p className="quiet small">{text.form.loses}</p>
      <PolicyFormEditor
        form={reading.form}
        onChange={(form) => void change(form)}
        selected={selected}
        onSelect={(label) => select(label)}
      />
    </>
  );
}
