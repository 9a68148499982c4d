/** The pieces of xensec_gen's form: a list of names with New and Delete, and the choice of types for one entry. */
import { type FormEvent, useState } from 'react';
import type { PolicyForm } from '../../../workers/contract';
import { text } from '../text';
import { added, type FormList, isBadName, namesIn, removed } from './formEdits';

interface ListProps {
  readonly title: string;
  readonly list: FormList;
  readonly form: PolicyForm;
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

/** Names are trimmed; empty and known ones are ignored; one that no policy can have is explained. */
export function NewName({ title, list, form, onChange }: ListProps) {
  const [name, setName] = useState('');
  const [problem, setProblem] = useState('');
  const add = (event: FormEvent) => {
    event.preventDefault();
    const trimmed = name.trim();
    const isKnown = namesIn(form, list).includes(trimmed);
    const isBad = list !== 'conflictSets' && isBadName(trimmed);
    setProblem(isBad ? text.form.badName(trimmed) : isKnown ? text.form.exists(trimmed) : '');
    if (isBad || isKnown) return;
    onChange(added(form, list, trimmed));
    setName('');
  };
  return (
    <form className="new-name" onSubmit={add}>
      <input
        type="text"
        aria-label={text.form.added(title)}
        value={name}
        spellCheck={false}
        onChange={(event) => setName(event.target.value)}
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

/** Which of all types one entry has. */
export function TypeChoice(props: {
  readonly label: string;
  readonly all: readonly string[];
  readonly chosen: readonly string[];
  readonly onChange: (chosen: readonly string[]) => void;
}) {
  const { label, all, chosen, onChange } = props;
  const unknown = chosen.filter((type) => !all.includes(type));
  const toggle = (type: string) =>
    onChange(chosen.includes(type) ? chosen.filter((each) => each !== type) : [...chosen, type]);
  return (
    <fieldset className="types" aria-label={label}>
      {[...all, ...unknown].map((type) => (
        <label key={type} className={unknown.includes(type) ? 'bad' : undefined}>
          <input type="checkbox" checked={chosen.includes(type)} onChange={() => toggle(type)} />
          {type}
        </label>
      ))}
    </fieldset>
  );
}
