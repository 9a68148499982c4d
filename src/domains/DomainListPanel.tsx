import { useShallow } from 'zustand/react/shallow';
import { useLab } from '../store/labStore';
import { selectDomids } from '../store/selectors';
import { useCommandLog } from './commandLog';
import { DomainRow } from './DomainRow';
import { text } from './text';

const columnNames = ['name', 'id', 'state', 'vcpus', 'memory', 'cpu', 'time', 'actions'] as const;

export function DomainListPanel() {
  const domids = useLab(useShallow(selectDomids));
  const { columns, columnHints } = text;
  return (
    <div className="panel domains">
      {/* Scrolls when there are many domains, so it must be reachable by keyboard. */}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region needs a tab stop */}
      <section className="domains-scroll" tabIndex={0} aria-label={text.scrollLabel} data-autofocus>
        <table aria-label={text.label}>
          <colgroup>
            {columnNames.map((name) => (
              <col key={name} className={`column-${name}`} />
            ))}
          </colgroup>
          <thead>
            <tr>
              <th scope="col">{columns.name}</th>
              <th scope="col" className="number">
                {columns.id}
              </th>
              <th scope="col">{columns.state}</th>
              <th scope="col" className="number" title={columnHints.vcpus}>
                {columns.vcpus}
              </th>
              <th scope="col" className="number" title={columnHints.memory}>
                {columns.memory}
              </th>
              <th scope="col" className="number" title={columnHints.cpu}>
                {columns.cpu}
              </th>
              <th scope="col" className="number" title={columnHints.time}>
                {columns.time}
              </th>
              <th scope="col">{columns.actions}</th>
            </tr>
          </thead>
          <tbody>
            {domids.map((domid) => (
              <DomainRow key={domid} domid={domid} />
            ))}
          </tbody>
        </table>
        {domids.length === 0 && <p className="quiet padded">{text.empty}</p>}
      </section>
      <LastCommand />
    </div>
  );
}

/** The last command that a button ran, as it would look at the prompt. */
function LastCommand() {
  const run = useCommandLog((log) => log.runs.at(-1));
  if (!run) return <p className="command-log quiet">{text.hint}</p>;
  const outcome = run.status === undefined ? text.running : run.status === 0 ? '' : text.status(run.status);
  return (
    <output className="command-log" aria-label={text.commandLog}>
      <code>
        <span className="prompt"># </span>
        {run.command}
      </code>
      {run.output && <code className={run.status === 0 ? 'quiet' : 'bad'}>{run.output}</code>}
      {outcome && <span className={run.status ? 'bad' : 'quiet'}>{outcome}</span>}
    </output>
  );
}
