import { type ReactNode, useId, useState } from 'react';
import type { PolicyForm } from '../../../workers/contract';
import { text } from '../text';
import { NameList, NewName, OneType, TypeChoice } from './fields';
import {
  type FormList,
  nextVersion,
  removed,
  renamedLabel,
  withLabelTypes,
  withResourceType,
  withSetTypes,
} from './formEdits';

interface Props {
  readonly form: PolicyForm;
  readonly onChange: (form: PolicyForm) => void;
  /** The label that other views point at. */
  readonly selected?: string | undefined;
  readonly onSelect?: (label: string) => void;
}

/** So many boxes that the page would take seconds to draw them. */
function isLarge({ vmLabels, resourceLabels, steTypes, chwallTypes }: PolicyForm): boolean {
  return (vmLabels.length + resourceLabels.length) * (steTypes.length + chwallTypes.length) > 3000;
}

/** Every part of a policy, in the order of xensec_gen's form. */
export function PolicyFormEditor(props: Props) {
  const { form, onChange } = props;
  const list = (name: FormList, title: string) => (
    <NameList title={title} list={name} form={form} onChange={onChange} />
  );
  return (
    <div className="policy-form">
      <Header {...props} />
      <div className="form-columns">
        {list('steTypes', text.form.steTypes)}
        {list('chwallTypes', text.form.chwallTypes)}
      </div>
      <ConflictSets {...props} />
      <VmLabels {...props} />
      <ResourceLabels {...props} />
    </div>
  );
}

const textFields = ['name', 'url', 'reference', 'date', 'nameSpaceUrl', 'version'] as const;

function Header({ form, onChange }: Props) {
  const { fields } = text.form;
  /** One half of it: no file can say that. */
  const [half, setHalf] = useState<{ readonly name: string; readonly version: string }>();
  const from = half ?? form.from ?? { name: '', version: '' };
  const setFrom = (change: Partial<typeof from>) => {
    const now = { ...from, ...change };
    const isHalf = (now.name === '') !== (now.version === '');
    setHalf(isHalf ? now : undefined);
    if (!isHalf) onChange({ ...form, from: now.name === '' ? undefined : now });
  };
  const setField = (field: (typeof textFields)[number], value: string) =>
    onChange({ ...form, [field]: value === '' && field !== 'name' && field !== 'version' ? undefined : value });
  return (
    <fieldset className="form-header">
      <legend>{text.form.header}</legend>
      {textFields.map((field) => (
        <TextField
          key={field}
          label={fields[field]}
          value={form[field] ?? ''}
          onCommit={(value) => setField(field, value)}
        />
      ))}
      <TextField label={fields.fromName} value={from.name} onCommit={(name) => setFrom({ name })} />
      <TextField label={fields.fromVersion} value={from.version} onCommit={(version) => setFrom({ version })} />
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

/** Which of the two parts is the primary one. */
function Primary({ form, onChange }: Props) {
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

/** Takes its value when it is left or on Enter: the whole policy is written anew each time. */
function TextField({ label, value, onCommit }: { label: string; value: string; onCommit: (value: string) => void }) {
  const commit = (now: string) => {
    if (now.trim() !== value) onCommit(now.trim());
  };
  return (
    <label>
      <span>{label}</span>
      <input
        key={value}
        type="text"
        defaultValue={value}
        spellCheck={false}
        onBlur={(event) => commit(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter') commit(event.currentTarget.value);
        }}
      />
    </label>
  );
}

function ConflictSets({ form, onChange }: Props) {
  const title = text.form.conflictSets;
  return (
    <section className="form-part">
      <h3>{title}</h3>
      <NewName title={title} list="conflictSets" form={form} onChange={onChange} />
      {form.conflictSets.map(({ name, types }) => (
        <fieldset key={name} className="form-item">
          <ItemHead title={title} name={name} list="conflictSets" form={form} onChange={onChange} />
          <TypeChoice
            label={`${text.form.chwallTypes} ${text.form.of(name)}`}
            all={form.chwallTypes}
            chosen={types}
            isCompact={isLarge(form)}
            onChange={(chosen) => onChange(withSetTypes(form, name, chosen))}
          />
        </fieldset>
      ))}
    </section>
  );
}

function VmLabels({ form, onChange, selected, onSelect }: Props) {
  const title = text.form.vmLabels;
  // The bench and xensec_gen may stand side by side.
  const group = useId();
  return (
    <section className="form-part">
      <h3>{title}</h3>
      <NewName title={title} list="vmLabels" form={form} onChange={onChange} />
      {form.vmLabels.map(({ name, from, ste, chwall }) => (
        <fieldset
          key={name}
          className={name === selected ? 'form-item selected' : 'form-item'}
          onFocus={() => onSelect?.(name)}
        >
          <ItemHead title={title} name={name} list="vmLabels" form={form} onChange={onChange} from={from}>
            <label className="small">
              <input
                type="radio"
                name={group}
                aria-label={text.form.setBootstrap(name)}
                checked={form.bootstrap === name}
                onChange={() => onChange({ ...form, bootstrap: name })}
              />
              {text.form.bootstrap}
            </label>
          </ItemHead>
          <TypeChoice
            label={`${text.form.steTypes} ${text.form.of(name)}`}
            all={form.steTypes}
            chosen={ste}
            isCompact={isLarge(form)}
            onChange={(chosen) => onChange(withLabelTypes(form, name, 'ste', chosen))}
          />
          <TypeChoice
            label={`${text.form.chwallTypes} ${text.form.of(name)}`}
            all={form.chwallTypes}
            chosen={chwall}
            isCompact={isLarge(form)}
            onChange={(chosen) => onChange(withLabelTypes(form, name, 'chwall', chosen))}
          />
        </fieldset>
      ))}
    </section>
  );
}

function ResourceLabels({ form, onChange, selected, onSelect }: Props) {
  const title = text.form.resourceLabels;
  return (
    <section className="form-part">
      <h3>{title}</h3>
      <NewName title={title} list="resourceLabels" form={form} onChange={onChange} />
      {form.resourceLabels.map(({ name, from, ste }) => (
        <fieldset
          key={name}
          className={name === selected ? 'form-item selected' : 'form-item'}
          onFocus={() => onSelect?.(name)}
        >
          <ItemHead title={title} name={name} list="resourceLabels" form={form} onChange={onChange} from={from} />
          <OneType
            label={`${text.form.steTypes} ${text.form.of(name)}`}
            all={form.steTypes}
            chosen={ste}
            isCompact={isLarge(form)}
            onChange={(chosen) => onChange(withResourceType(form, name, chosen))}
          />
        </fieldset>
      ))}
    </section>
  );
}

interface HeadProps extends Props {
  readonly title: string;
  readonly name: string;
  readonly list: 'conflictSets' | 'vmLabels' | 'resourceLabels';
  readonly from?: string | undefined;
  readonly children?: ReactNode;
}

/** Name of an entry (labels can be renamed in place) and the button that deletes it. */
function ItemHead({ title, name, list, form, onChange, from, children }: HeadProps) {
  return (
    <legend className="item-head">
      {list === 'conflictSets' ? (
        <strong>{name}</strong>
      ) : (
        <input
          key={name}
          type="text"
          aria-label={text.form.rename(title, name)}
          defaultValue={name}
          spellCheck={false}
          onBlur={(event) => onChange(renamedLabel(form, list, name, event.target.value))}
        />
      )}
      {from !== undefined && <span className="quiet small">← {from}</span>}
      {children}
      <button
        type="button"
        className="small"
        aria-label={text.form.removeNamed(title, name)}
        onClick={() => onChange(removed(form, list, [name]))}
      >
        {text.form.remove}
      </button>
    </legend>
  );
}
