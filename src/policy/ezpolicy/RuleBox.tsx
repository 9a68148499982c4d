import { Settings2 } from 'lucide-react';
import { useState } from 'react';
import type { ExclusionRule } from '../../../workers/contract';
import { MenuList } from '../../ui/MenuBar';
import { text } from './text';

interface Props {
  readonly rule: ExclusionRule;
  readonly onAdd: () => void;
  readonly onRemove: (entries: readonly string[]) => void;
  readonly onRename: () => void;
  readonly onDelete: () => void;
}

/** One run-time exclusion rule: at most one of its workloads runs at a time. */
export function RuleBox({ rule, onAdd, onRemove, onRename, onDelete }: Props) {
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const [isManaging, setManaging] = useState(false);
  const name = rule.name === '' ? 'RER' : rule.name;
  return (
    <fieldset className="rule" aria-label={name}>
      <legend>{name}</legend>
      <div className="rule-buttons">
        <button
          type="button"
          className="to-rule"
          title={text.addHint}
          data-help={text.context.add}
          aria-label={`${text.add} ${name}`}
          onClick={onAdd}
        >
          {text.add}
        </button>
        <button
          type="button"
          className="from-rule"
          title={text.delHint}
          data-help={text.context.del}
          aria-label={`${text.del} ${name}`}
          onClick={() => {
            if (chosen.length > 0) onRemove(chosen);
            setChosen([]);
          }}
        >
          {text.del}
        </button>
      </div>
      <select
        multiple
        size={Math.max(3, Math.min(8, rule.workloads.length))}
        aria-label={`${text.rules}: ${name}`}
        value={[...chosen]}
        onChange={(event) => setChosen([...event.target.selectedOptions].map(({ value }) => value))}
      >
        {[...rule.workloads].sort().map((entry) => (
          <option key={entry}>{entry}</option>
        ))}
      </select>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: closes the menu inside it */}
      <div
        className="menu-place"
        onBlur={(event) => {
          if (!event.currentTarget.contains(event.relatedTarget)) setManaging(false);
        }}
        onKeyDown={(event) => {
          if (event.key === 'Escape') setManaging(false);
        }}
      >
        <button
          type="button"
          className="icon-button"
          aria-label={text.manage(name)}
          aria-haspopup="menu"
          aria-expanded={isManaging}
          title={text.manageHint}
          data-help={text.context.manage}
          onClick={() => setManaging(!isManaging)}
        >
          <Settings2 size={16} aria-hidden="true" />
        </button>
        {isManaging && (
          <MenuList
            label={name}
            items={[
              { label: text.renameRule, run: onRename },
              { label: text.deleteRule, hasLine: true, run: onDelete },
            ]}
            onDone={(run) => {
              setManaging(false);
              run();
            }}
          />
        )}
      </div>
    </fieldset>
  );
}
