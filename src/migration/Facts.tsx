import { hostsOf, type MigrationPair, mainOf } from './pairs';
import { linkText, spanText } from './spanText';
import { text } from './text';

/** The numbers of a migration that belong to no round. */
export function Facts({ pair }: { pair: MigrationPair }) {
  const main = mainOf(pair);
  const { facts } = text;
  const { source } = pair;
  const { from } = hostsOf(pair);
  const rows: readonly (readonly [string, string])[] = [
    [facts.phase, main.reason === null ? text.phases[main.phase] : `${text.phases[main.phase]}: ${main.reason}`],
    [facts.kind, main.isLive === null ? facts.unknownKind : main.isLive ? facts.live : facts.notLive],
    [facts.memory, facts.memoryValue(main.pages)],
    [facts.sent, facts.sentValue(main.sent, main.pages)],
    [facts.rule, main.stopRule ? text.rules[main.stopRule] : source ? facts.notYet : facts.unknownKind],
    [facts.suspend, source ? spanText(source.suspend) : facts.unknownKind],
    [facts.total, spanText(main.span)],
    [facts.rate, main.rateMbps === null ? facts.noRate : facts.mbit(main.rateMbps)],
    [`${facts.link} ${from}`, source ? linkText(source.link) : facts.unknownKind],
  ];
  return (
    <dl className="facts migration-facts">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
