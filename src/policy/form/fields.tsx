/** The pieces of xensec_gen's form: a list of names with New and Delete, and the choice of types for one entry. */
import { type FormEvent, useState } from 'react';
import type { PolicyForm } from '../../../workers/contract';
import { text } from '../text';
import { type FormList, namesIn, removed } from './formEdits';
import type { TypedNames } from './typedNames';

interface ListProps {
  readonly title: string;
  readonly list: FormList;
  readonly form: PolicyForm;
  readonly typed: TypedNames;
  readonly onChange: (form: PolicyForm) => void;
}

export function NameList(props: ListProps) {
  const { title, list, form, onChange } = props;
  const [chosen, setChosen] = useState<readonly string[]>([]);
  return (
    <section className="form-part">
      <h3>{title}</h3>
      <select
        multiple
        size={4}
        aria-label={title}
        value={[...chosen]}
        onChange={(event) => setChosen([...event.target.selectedOptions].map(({ value }) => value))}
      >
        {namesIn(form, list).map((name) => (
          <option key={name}>{name}</option>
        ))}
      </select>
      <div className="buttons">
        <button
          type="button"
          disabled={chosen.length === 0}
          aria-label={`${text.form.remove}: ${title}`}
          onClick={() => {
            onChange(removed(form, list, chosen));
            setChosen([]);
          }}
        >
          {text.form.remove}
        </button>
      </div>
      <NewName {...props} />
    </section>
  );
}

/** A field for a new name, and the button that adds it. */
export function NewName({ title, list, form, typed, onChange }: ListProps) {
  const problem = typed.problems[list] ?? '';
  const add = (event: FormEvent) => {
    event.preventDefault();
    onChange(typed.addTo(form, [list]));
  };
  return (
    <form className="new-name" onSubmit={add}>
      <input
        type="text"
        aria-label={text.form.added(title)}
        value={typed.names[list] ?? ''}
        spellCheck={false}
        onChange={(event) => typed.type(list, event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Enter') return;
          event.preventDefault();
          onChange(typed.addTo(form));
        }}
      />
      <button type="submit" aria-label={`${text.form.newItem}: ${title}`}>
        {text.form.newItem}
      </button>
      {problem !== '' && (
        <p role="alert" className="bad small">
          {problem}
        </p>
      )}
    </form>
  );
}

interface TypesProps {
  /** Which types these are, and whose. */
  readonly title: string;
  readonly label: string;
  readonly all: readonly string[];
  readonly chosen: readonly string[];
  /** In a large policy the boxes of an entry come when they are asked for. */
  readonly isCompact: boolean;
  readonly onChange: (chosen: readonly string[]) => void;
}

/** Which of all types one entry has. */
export function TypeChoice({ title, label, all, chosen, isCompact, onChange }: TypesProps) {
  const [isOpen, setOpen] = useState(false);
  const unknown = chosen.filter((type) => !all.includes(type));
  const toggle = (type: string) =>
    onChange(chosen.includes(type) ? chosen.filter((each) => each !== type) : [...chosen, type]);
  if (isCompact && !isOpen)
    return (
      <p className="types small">
        <span className="quiet">
          {title}: {shortList(chosen)}
        </span>
        <button type="button" className="small" aria-label={text.form.editTypes(label)} onClick={() => setOpen(true)}>
          {text.form.edit}
        </button>
      </p>
    );
  return (
    <fieldset className="types" aria-label={label}>
      <legend className="quiet small">{title}</legend>
      {[...all, ...unknown].map((type) => (
        <label key={type} className={unknown.includes(type) ? 'bad' : undefined}>
          <input type="checkbox" checked={chosen.includes(type)} onChange={() => toggle(type)} />
          {type}
        </label>
      ))}
    </fieldset>
  );
}

const SHOWN = 6;

function shortList(names: readonly string[]): string {
  const more = names.length > SHOWN ? ` … (${names.length})` : '';
  return names.length === 0 ? text.form.noTypes : `${names.slice(0, SHOWN).join(', ')}${more}`;
}

/** The one type of a resource. */
export function OneType({
  title,
  label,
  all,
  chosen,
  isCompact,
  onChange,
}: Omit<TypesProps, 'chosen' | 'onChange'> & {
  readonly chosen: string;
  readonly onChange: (chosen: string) => void;
}) {
  const [isOpen, setOpen] = useState(false);
  if (isCompact && !isOpen)
    return (
      <p className="types small">
        <span className="quiet">
          {title}: {chosen || text.form.noTypes}
        </span>
        <button type="button" className="small" aria-label={text.form.editTypes(label)} onClick={() => setOpen(true)}>
          {text.form.edit}
        </button>
      </p>
    );
  return (
    <label className="one-type small">
      <span className="quiet">{title}</span>
      <select aria-label={label} value={chosen} onChange={(event) => onChange(event.target.value)}>
        {!all.includes(chosen) && <option value={chosen}>{chosen || '–'}</option>}
        {all.map((type) => (
          <option key={type}>{type}</option>
        ))}
      </select>
    </label>
  );
}
