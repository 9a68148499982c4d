import { type ReactNode, useId, useState } from 'react';
import type { PolicyForm } from '../../../workers/contract';
import { text } from '../text';
import { FormHeader } from './FormHeader';
import { NameList, NewName, OneType, TypeChoice } from './fields';
import {
  type FormList,
  isBadName,
  namesIn,
  removed,
  renamedLabel,
  withLabelTypes,
  withResourceType,
  withSetTypes,
} from './formEdits';
import { type TypedNames, useTypedNames } from './typedNames';

interface EditorProps {
  readonly form: PolicyForm;
  readonly onChange: (form: PolicyForm) => void;
  /** The label that other views point at. */
  readonly selected?: string | undefined;
  readonly onSelect?: (label: string) => void;
}

interface Props extends EditorProps {
  readonly typed: TypedNames;
}

/** So many boxes that the page would take seconds to draw them. */
function isLarge({ vmLabels, resourceLabels, steTypes, chwallTypes }: PolicyForm): boolean {
  return (vmLabels.length + resourceLabels.length) * (steTypes.length + chwallTypes.length) > 3000;
}

/** Every part of a policy, in the order of xensec_gen's form. */
export function PolicyFormEditor(editor: EditorProps) {
  const typed = useTypedNames();
  const props: Props = { ...editor, typed };
  const { form, onChange } = props;
  const list = (name: FormList, title: string) => (
    <NameList title={title} list={name} form={form} typed={typed} onChange={onChange} />
  );
  return (
    <div className="policy-form">
      <FormHeader {...props} />
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

function ConflictSets({ form, typed, onChange }: Props) {
  const title = text.form.conflictSets;
  return (
    <section className="form-part">
      <h3>{title}</h3>
      <NewName title={title} list="conflictSets" form={form} typed={typed} onChange={onChange} />
      {form.conflictSets.map(({ name, types }) => (
        <fieldset key={name} className="form-item">
          <ItemHead title={title} name={name} list="conflictSets" form={form} onChange={onChange} />
          <TypeChoice
            title={text.form.chwallTypes}
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

function VmLabels({ form, typed, onChange, selected, onSelect }: Props) {
  const title = text.form.vmLabels;
  // The bench and xensec_gen may stand side by side.
  const group = useId();
  return (
    <section className="form-part">
      <h3>{title}</h3>
      <NewName title={title} list="vmLabels" form={form} typed={typed} onChange={onChange} />
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
            title={text.form.steTypes}
            label={`${text.form.steTypes} ${text.form.of(name)}`}
            all={form.steTypes}
            chosen={ste}
            isCompact={isLarge(form)}
            onChange={(chosen) => onChange(withLabelTypes(form, name, 'ste', chosen))}
          />
          <TypeChoice
            title={text.form.chwallTypes}
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

function ResourceLabels({ form, typed, onChange, selected, onSelect }: Props) {
  const title = text.form.resourceLabels;
  return (
    <section className="form-part">
      <h3>{title}</h3>
      <NewName title={title} list="resourceLabels" form={form} typed={typed} onChange={onChange} />
      {form.resourceLabels.map(({ name, from, ste }) => (
        <fieldset
          key={name}
          className={name === selected ? 'form-item selected' : 'form-item'}
          onFocus={() => onSelect?.(name)}
        >
          <ItemHead title={title} name={name} list="resourceLabels" form={form} onChange={onChange} from={from} />
          <OneType
            title={text.form.steTypes}
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

interface HeadProps extends EditorProps {
  readonly title: string;
  readonly name: string;
  readonly list: 'conflictSets' | 'vmLabels' | 'resourceLabels';
  readonly from?: string | undefined;
  readonly children?: ReactNode;
}

/** Name of an entry (labels can be renamed in place) and the button that deletes it. */
function ItemHead({ title, name, list, form, onChange, from, children }: HeadProps) {
  const [problem, setProblem] = useState('');
  const rename = (typed: string) => {
    const wanted = typed.trim();
    const isTaken = wanted !== name && namesIn(form, list).includes(wanted);
    const found = isBadName(wanted) ? text.form.badName(wanted) : isTaken ? text.form.exists(wanted) : '';
    setProblem(found);
    if (found === '' && list !== 'conflictSets') onChange(renamedLabel(form, list, name, wanted));
  };
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
          onBlur={(event) => rename(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter') rename(event.currentTarget.value);
          }}
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
      {problem !== '' && (
        <span role="alert" className="bad small">
          {problem}
        </span>
      )}
    </legend>
  );
}
