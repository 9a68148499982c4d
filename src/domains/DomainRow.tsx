import { Pause, Play, Power, SquareTerminal, Trash2 } from 'lucide-react';
import { memo } from 'react';
import type { DomainState } from '../../workers/contract';
import { useLab } from '../store/labStore';
import { selectDomain } from '../store/selectors';
import { IconButton } from '../ui/IconButton';
import { openConsole } from '../workbench/layout';
import { useLabHandle } from '../worker/LabContext';
import { useCommandLog } from './commandLog';
import { actionsFor, commandFor, type DomainAction, quoteWord } from './commands';
import { Sparkline } from './Sparkline';
import { mainStateWord, stateWords } from './stateLetters';
import { text } from './text';

const icons = { pause: Pause, unpause: Play, shutdown: Power, destroy: Trash2 } as const;
const noHistory: readonly number[] = [];

/** One domain; redrawn only when its own numbers change. */
export const DomainRow = memo(function DomainRow({ domid }: { domid: number }) {
  const domain = useLab(selectDomain(domid));
  if (!domain) return null; // destroyed between two events
  return (
    <tr data-domain={domain.name}>
      <th scope="row" title={domain.name}>
        {domain.name}
      </th>
      <td className="number">{domain.domid}</td>
      <StateCell state={domain.state} />
      <td className="number">{domain.onlineVcpus}</td>
      <td className="number">
        {Math.round(domain.memoryKiB / 1024)} <span className="unit">MiB</span>
      </td>
      <CpuCell domain={domain} />
      <td className="number">{(domain.cpuTimeMs / 1000).toFixed(1)}</td>
      <td>
        <ActionButtons domain={domain} />
      </td>
    </tr>
  );
});

function StateCell({ state }: { state: string }) {
  const main = mainStateWord(state);
  const title = stateWords(state)
    .map((word) => `${word.letter}: ${word.word} – ${word.explanation}`)
    .join('\n');
  return (
    <td title={title}>
      <span className="state-letters">{state}</span> <span className={`state state-${main.letter}`}>{main.word}</span>
    </td>
  );
}

function CpuCell({ domain }: { domain: DomainState }) {
  const history = useLab((state) => state.cpuHistory[domain.domid] ?? noHistory);
  const ceiling = Math.max(1, domain.onlineVcpus) * 100;
  return (
    <td className="cpu-cell" title={text.chart(domain.name, domain.cpuPercent)}>
      <Sparkline values={history} ceiling={ceiling} />
      <span className="cpu-value">
        {domain.cpuPercent.toFixed(0)} <span className="unit">%</span>
      </span>
    </td>
  );
}

function ActionButtons({ domain }: { domain: DomainState }) {
  const { api } = useLabHandle();
  const run = useCommandLog((log) => log.run);
  const act = (action: DomainAction) => void run(api, commandFor(action, domain));
  return (
    <div className="row-actions">
      {domain.hasConsole && (
        <IconButton
          icon={SquareTerminal}
          label={`${text.actions.console} ${domain.name}`}
          title={`xm console ${quoteWord(domain.name)}`}
          onClick={() => openConsole(domain.domid, domain.name)}
        />
      )}
      {actionsFor(domain).map((action) => (
        <IconButton
          key={action}
          icon={icons[action]}
          label={`${text.actions[action]} ${domain.name}`}
          title={commandFor(action, domain)}
          onClick={() => act(action)}
          isDangerous={action === 'destroy'}
        />
      ))}
    </div>
  );
}
