import { useId, useState } from 'react';
import type { PolicyForm } from '../../../workers/contract';
import { text } from '../text';
import { nextVersion } from './formEdits';
import type { TypedNames } from './typedNames';

interface Props {
  readonly form: PolicyForm;
  readonly typed: TypedNames;
  readonly onChange: (form: PolicyForm) => void;
}

const textFields = ['name', 'url', 'reference', 'date', 'nameSpaceUrl', 'version'] as const;

/** What the policy is called, what it updates, and which of its two parts is the primary one. */
export function FormHeader({ form, typed, onChange }: Props) {
  const { fields } = text.form;
  /** One half of it: no file can say that. */
  const [half, setHalf] = useState<{ readonly name: string; readonly version: string }>();
  const from = half ?? form.from ?? { name: '', version: '' };
  const take = (next: PolicyForm, isEnter: boolean) => onChange(isEnter ? typed.addTo(next) : next);
  const setFrom = (change: Partial<typeof from>, isEnter: boolean) => {
    const now = { ...from, ...change };
    const isHalf = (now.name === '') !== (now.version === '');
    setHalf(isHalf ? now : undefined);
    take(isHalf ? form : { ...form, from: now.name === '' ? undefined : now }, isEnter);
  };
  const withField = (field: (typeof textFields)[number], value: string): PolicyForm => ({
    ...form,
    [field]: value === '' && field !== 'name' && field !== 'version' ? undefined : value,
  });
  return (
    <fieldset className="form-header">
      <legend>{text.form.header}</legend>
      {textFields.map((field) => (
        <TextField
          key={field}
          label={fields[field]}
          value={form[field] ?? ''}
          onCommit={(value, isEnter) => take(withField(field, value), isEnter)}
        />
      ))}
      <TextField label={fields.fromName} value={from.name} onCommit={(name, isEnter) => setFrom({ name }, isEnter)} />
      <TextField
        label={fields.fromVersion}
        value={from.version}
        onCommit={(version, isEnter) => setFrom({ version }, isEnter)}
      />
      {half && (
        <p role="alert" className="bad small">
          {text.form.bothFrom}
        </p>
      )}
      <Primary form={form} onChange={onChange} />
      <div className="buttons">
        <button
          type="button"
          title={text.form.nextHint}
          onClick={() => {
            setHalf(undefined);
            onChange(nextVersion(form));
          }}
        >
          {text.form.next}
        </button>
      </div>
    </fieldset>
  );
}

function Primary({ form, onChange }: Pick<Props, 'form' | 'onChange'>) {
  const group = useId();
  return (
    <fieldset className="choices form-primary" aria-describedby={`${group}-hint`}>
      <legend>{text.form.primary}</legend>
      {(['ste', 'chwall'] as const).map((part) => (
        <label key={part}>
          <input
            type="radio"
            name={group}
            checked={form.primary === part}
            onChange={() => onChange({ ...form, primary: part })}
          />
          {text.form.primaries[part]}
        </label>
      ))}
      <p id={`${group}-hint`} className="quiet small">
        {form.primary === undefined && `${text.form.primaryUnstated} `}
        {text.form.primaryHint}
      </p>
    </fieldset>
  );
}

interface TextFieldProps {
  readonly label: string;
  readonly value: string;
  /** `isEnter`: and what else has been typed into the form. */
  readonly onCommit: (value: string, isEnter: boolean) => void;
}

/** Takes its value when it is left or on Enter: what is half typed is no version and no name. */
function TextField({ label, value, onCommit }: TextFieldProps) {
  return (
    <label>
      <span>{label}</span>
      <input
        key={value}
        type="text"
        defaultValue={value}
        spellCheck={false}
        onBlur={(event) => {
          if (event.target.value.trim() !== value) onCommit(event.target.value.trim(), false);
        }}
        onKeyDown={(event) => {
          if (event.key === 'Enter') onCommit(event.currentTarget.value.trim(), true);
        }}
      />
    </label>
  );
}
